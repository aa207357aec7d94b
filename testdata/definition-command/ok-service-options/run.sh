#!/usr/bin/env bash
# Starts the runner, and starts it again after a reboot.
set -euo pipefail

docker pull docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:latest
docker rm -f bitbucket-runner >/dev/null 2>&1 || true

docker run -d \
  --name bitbucket-runner \
  --hostname "$(hostname)" \
  --restart always \
  --network host \
  --memory 2g --memory-swap=2g --cpus="1.5" \
  --log-driver json-file --log-opt max-size=10m --log-opt max-file=3 \
  --label team=platform -l com.example.role=ci \
  --ulimit nofile=65536:65536 \
  --security-opt seccomp=unconfined --privileged \
  --add-host registry.example.com:10.0.0.5 --dns 10.0.0.2 \
  -v /tmp:/tmp \
  -v /var/run/docker.sock:/var/run/docker.sock \
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  -v /root/.docker:/root/.docker:ro \
  -e ACCOUNT_UUID='{0b6e1b2c-3d4f-4a5b-8c6d-7e8f9a0b1c2d}' \
  -e RUNNER_UUID='{b0ae87b8-423b-5c24-9a95-84ddad9cdfae}' \
  -e OAUTH_CLIENT_ID \
  -e OAUTH_CLIENT_SECRET \
  -e WORKING_DIRECTORY=/tmp \
  -e PAUSE_IMAGE=registry.example.com/mirror/pause:3.8 \
  -e AUTH_PROXY_IMAGE=registry.example.com/mirror/bitbucket-pipelines-auth-proxy:prod-stable \
  -e CLONE_IMAGE=registry.example.com/mirror/bitbucket-pipelines-dvcs-tools:prod-stable \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:latest

docker logs -f bitbucket-runner
