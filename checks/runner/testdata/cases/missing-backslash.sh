docker run -d \
  -e ACCOUNT_UUID=x
  -e RUNNER_UUID=y \
  --name runner
  atlassian/bitbucket-pipelines-runner
docker ps
