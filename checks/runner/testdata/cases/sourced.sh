#!/bin/bash
set -a
. ./settings
set +a
read -rsp 'Secret: ' OAUTH_CLIENT_SECRET
docker run -d -e ACCOUNT_UUID -e RUNNER_UUID="$RUNNER_UUID" -e OAUTH_CLIENT_SECRET="$OAUTH_CLIENT_SECRET" \
  --env-file ~/proxy.env "${EXTRA[@]}" atlassian/bitbucket-pipelines-runner
