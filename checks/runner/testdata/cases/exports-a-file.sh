#!/bin/bash
export $(grep -v '^#' exported.env | xargs)
docker run -d -e ACCOUNT_UUID=$ACCOUNT_UUID -e RUNNER_UUID="${RUNNER_UUID}" -e PAUSE_IMAGE=$PAUSE_IMAGE acme/bitbucket-pipelines-runner
#!/bin/bash
env $(cat exported.env | xargs) docker run -d -e ACCOUNT_UUID -e RUNNER_UUID acme/bitbucket-pipelines-runner
