#!/bin/sh
podman container run -d \
  -v /tmp:/tmp -v /var/run/docker.sock:/var/run/docker.sock \
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  -v /etc/runner/config.json:/root/.docker/config.json:ro \
  -e ACCOUNT_UUID={0b6a1f3e-5c24-4a95-84dd-ad9cdfae5b10} -e REPOSITORY_UUID={5a5d5a5d-1111-4222-8333-444455556666} \
  -e RUNNER_UUID={b0ae87b8-423b-5c24-9a95-84ddad9cdfae} \
  -e OAUTH_CLIENT_ID=7Fq2XbLm9TzKc4WdYe8RnVh3PsJg6UaB -e OAUTH_CLIENT_SECRET=ATOAk3Jw9vQz1YtXr7Lm5NcBs8Hd2Pf6Gq4Ue0Ia \
  -e WORKING_DIRECTORY=/tmp -e RUNTIME_PREREQUISITES_ENABLED=true \
  -e PAUSE_IMAGE=registry.example.com/acme/pause:1 \
  -e AUTH_PROXY_IMAGE=registry.example.com/acme/auth-proxy:1 -e CLONE_IMAGE=registry.example.com/acme/clone:1 \
  --name runner-b0ae87b8-423b-5c24-9a95-84ddad9cdfae \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:5
