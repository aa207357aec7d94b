#!/bin/sh
set -eu

docker container run -d --restart=always --name runner-b0ae87b8-423b-5c24-9a95-84ddad9cdfae \
  -v /tmp:/tmp \
  -v /var/run/docker.sock:/var/run/docker.sock \
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  -e ACCOUNT_UUID='{3f1c9a70-5b7e-4d2c-9c11-6a2f4e8b7d10}' \
  -e RUNNER_UUID='{b0ae87b8-423b-5c24-9a95-84ddad9cdfae}' \
  -e OAUTH_CLIENT_ID=Gx7kT2mQ9vLr4WcZ8pYb3NsD6hFj1aKe \
  -e OAUTH_CLIENT_SECRET="$(cat /etc/runner/oauth-secret)" \
  -e WORKING_DIRECTORY=/tmp \
  -e RUNTIME_PREREQUISITES_ENABLED=true \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:5
