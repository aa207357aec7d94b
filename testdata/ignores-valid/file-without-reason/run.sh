#!/bin/sh
set -e
docker container run -d \
  -v /tmp:/tmp \
  -v /var/run/docker.sock:/var/run/docker.sock \
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  -v /home/runner/.docker:/root/.docker \
  -e ACCOUNT_UUID='{0b3c7a52-6d1e-4f89-a2b4-c5d6e7f80912}' \
  -e RUNNER_UUID='{7d2c4a1e-5b0f-4c3d-9e8a-1f2b3c4d5e6f}' \
  -e OAUTH_CLIENT_ID=qT4xW8bN2mK6vR0zY3cH7jL5sD9fG1pA \
  -e OAUTH_CLIENT_SECRET=$OAUTH_CLIENT_SECRET \
  -e WORKING_DIRECTORY=/tmp \
  -e CLONE_IMAGE=registry.example.com/ci/clone \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:5
