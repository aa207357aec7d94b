#!/bin/bash
REGISTRY="nexus.example.com:8443"
IMAGE=docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner
WORK=/opt/atlassian/pipelines/agent
ARGS=(
  -v "$WORK:$WORK"
  -v /var/run/docker.sock:/var/run/docker.sock
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro
  -v "${HOME}/.docker/config.json:/root/.docker/config.json:ro"
)
docker container run --detach --init "${ARGS[@]}" \
  -e "ACCOUNT_UUID={0b6e1b2c-3d4f-4a5b-8c6d-7e8f9a0b1c2d}" \
  -e "REPOSITORY_UUID={5c2d7e10-9f3a-4b6c-8d1e-2f3a4b5c6d7e}" \
  -e "RUNNER_UUID={b0ae87b8-423b-5c24-9a95-84ddad9cdfae}" \
  -e "OAUTH_CLIENT_ID=$OAUTH_CLIENT_ID" \
  -e "OAUTH_CLIENT_SECRET=$OAUTH_CLIENT_SECRET" \
  -e "WORKING_DIRECTORY=$WORK" \
  -e "PAUSE_IMAGE=$REGISTRY/acme/pause:3.8" \
  -e "AUTH_PROXY_IMAGE=$REGISTRY/acme/auth-proxy@sha256:0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f" \
  -e "CLONE_IMAGE=${REGISTRY}/acme/dvcs-tools:2024.1" \
  --name "runner-b0ae87b8-423b-5c24-9a95-84ddad9cdfae" "$IMAGE"
