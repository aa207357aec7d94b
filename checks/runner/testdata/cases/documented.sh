#!/bin/bash
docker container run -it \
  -v /tmp:/tmp -v /var/run/docker.sock:/var/run/docker.sock \
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  -v ~/.docker/config.json:/root/.docker/config.json \
  -e ACCOUNT_UUID={0d53ac8d-e4a7-4a8e-8d5b-1f0b8f3b8a01} \
  -e REPOSITORY_UUID={41a2b3c4-0f0f-4c4c-8a8a-5f5f6a6a7b7b} \
  -e RUNNER_UUID={9b4c1f6e-3c1e-4f6e-9c55-0f6f2c1b7d02} \
  -e OAUTH_CLIENT_ID=abcdefghijklmnopqrstuvwxyz012345 \
  -e OAUTH_CLIENT_SECRET=canary-ATOAabcdefghijklmnop \
  -e WORKING_DIRECTORY=/tmp -e RUNTIME_PREREQUISITES_ENABLED=true \
  -e PAUSE_IMAGE="registry.example.com/pause:3.8" \
  --name runner-9b4c1f6e-3c1e-4f6e-9c55-0f6f2c1b7d02 \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner
