#!/bin/sh
docker container run -d --name runner-1 \
  -v /tmp:/tmp \
  -v /var/run/docker.sock:/var/run/docker.sock \
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  -v /etc/runner/config.json:/root/.docker/config.json \
  -e ACCOUNT_UUID='{2d9ff0e5-3a4b-4a54-9a0a-5b0c3c1d2e3f}' \
  -e RUNNER_UUID='{7a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d}' \
  -e OAUTH_CLIENT_ID=3f9Kq2LmZx8Rt5Vb7Nc1Yw4Hd6Sj0PgU \
  -e OAUTH_CLIENT_SECRET="$SECRET" \
  -e WORKING_DIRECTORY=/tmp \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:6
