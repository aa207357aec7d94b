#!/bin/sh
docker container run -d --restart=always --name runner-7d2c4a1e-5b0f-4c3d-9e8a-1f2b3c4d5e6f \
  -v /tmp:/tmp \
  -v /var/run/docker.sock:/var/run/docker.sock \
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  -v ~/.docker/config.json:/root/.docker/config.json \
  -e ACCOUNT_UUID='{0b3c7a52-6d1e-4f89-a2b4-c5d6e7f80912}' \
  -e REPOSITORY_UUID='{5e9d2f10-3a4b-4c6d-8e7f-90a1b2c3d4e5}' \
  -e RUNNER_UUID='{7d2c4a1e-5b0f-4c3d-9e8a-1f2b3c4d5e6f}' \
  -e OAUTH_CLIENT_ID=qT4xW8bN2mK6vR0zY3cH7jL5sD9fG1pA \
  -e OAUTH_CLIENT_SECRET=ATOAlabLabLabLabLabLabLabLabLab0lab1 \
  -e WORKING_DIRECTORY=/tmp \
  -e RUNTIME_PREREQUISITES_ENABLED=true \
  -e PAUSE_IMAGE=@PAUSE@ \
  -e AUTH_PROXY_IMAGE=@REGISTRY@/rig/auth-proxy:1 \
  -e CLONE_IMAGE=@REGISTRY@/rig/clone:1 \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner
