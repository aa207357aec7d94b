#!/bin/sh
docker container run -it --env-file /etc/runner.env \
  -v /tmp:/tmp \
  -v /var/run/docker.sock:/var/run/docker.sock \
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  -v ~/.docker/config.json:/root/.docker/config.json \
  -e WORKING_DIRECTORY=/tmp \
  -e RUNTIME_PREREQUISITES_ENABLED=true \
  -e PAUSE_IMAGE=registry.example.com/acme/pause:3.8 \
  -e AUTH_PROXY_IMAGE=registry.example.com/acme/auth-proxy:prod-stable \
  -e CLONE_IMAGE=registry.example.com/acme/dvcs-tools:prod-stable \
  --name runner-b0ae87b8-423b-5c24-9a95-84ddad9cdfae \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner
