docker run -d --name runner \
  --memory "$1" \
  -v /tmp:/tmp \
  -e ACCOUNT_UUID='{0b3c7a52-6d1e-4f89-a2b4-c5d6e7f80912}' \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner
