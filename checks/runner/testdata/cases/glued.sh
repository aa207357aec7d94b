docker run -d \
-e ACCOUNT_UUID=x\
-e RUNNER_UUID=y \
atlassian/bitbucket-pipelines-runner
