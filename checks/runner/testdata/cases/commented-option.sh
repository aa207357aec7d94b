#!/bin/sh
# Runs as the user bitbucket; don't start it as root
CID="$(docker run -d \
  -e ACCOUNT_UUID="x" \
  # -e PAUSE_IMAGE=acme/pause:1 \
  -e RUNNER_UUID="y" \
  atlassian/bitbucket-pipelines-runner)"
echo "$CID"
