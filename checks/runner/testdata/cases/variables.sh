#!/bin/sh
set -eu
ACCOUNT_UUID='{0d53ac8d-e4a7-4a8e-8d5b-1f0b8f3b8a01}'
readonly REGISTRY=registry.example.com:5000
export TAG=${TAG:-1.2}
: "${WORKDIR:=/srv/runner}"
IMAGE="$REGISTRY/atlassian/bitbucket-pipelines-runner:$TAG"
docker run -d --name "runner-${1:-main}" \
  -v "$WORKDIR":"$WORKDIR" -v "$HOME/.docker":/root/.docker:ro \
  -e ACCOUNT_UUID="$ACCOUNT_UUID" -e RUNNER_UUID="$2" \
  -e OAUTH_CLIENT_ID="${OAUTH_CLIENT_ID:?missing}" -e OAUTH_CLIENT_SECRET="$(cat secret.txt)" \
  -e WORKING_DIRECTORY="${WORKDIR}" -e PAUSE_IMAGE="${REGISTRY}/pause:${TAG}" \
  "$IMAGE"
