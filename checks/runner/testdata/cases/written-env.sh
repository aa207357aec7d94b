#!/bin/bash
ID=abc
cat > runner2.env <<EOF
ACCOUNT_UUID={x}
RUNNER_UUID={y}
OAUTH_CLIENT_ID=$ID
OAUTH_CLIENT_SECRET=canarysecret123
PAUSE_IMAGE="acme/pause:1"
EOF
chmod 600 runner2.env
docker run -d --env-file runner2.env acme/bitbucket-pipelines-runner
