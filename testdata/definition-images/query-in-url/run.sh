#!/bin/sh
docker container run -it \
  -v /tmp:/tmp \
  -v /var/run/docker.sock:/var/run/docker.sock \
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  -v ~/.docker/config.json:/root/.docker/config.json \
  -e ACCOUNT_UUID={0b6e1b2c-3d4f-4a5b-8c6d-7e8f9a0b1c2d} \
  -e REPOSITORY_UUID={5c2d7e10-9f3a-4b6c-8d1e-2f3a4b5c6d7e} \
  -e RUNNER_UUID={b0ae87b8-423b-5c24-9a95-84ddad9cdfae} \
  -e OAUTH_CLIENT_ID=hT4kW8qZ2nXc6VbM9rLp3YsDfGjKa7Ue \
  -e OAUTH_CLIENT_SECRET=ATOAZk3vQ9xT7bLw2RmY8nHc5JdPfAgUe6Ks \
  -e WORKING_DIRECTORY=/tmp \
  -e RUNTIME_PREREQUISITES_ENABLED=true \
  -e PAUSE_IMAGE="https://registry.example.com/acme/pause:3.8?token=hunter2" \
  -e AUTH_PROXY_IMAGE=registry.example.com/acme/auth-proxy:prod-stable \
  -e CLONE_IMAGE=registry.example.com/acme/dvcs-tools:prod-stable \
  --name runner-b0ae87b8-423b-5c24-9a95-84ddad9cdfae \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner
