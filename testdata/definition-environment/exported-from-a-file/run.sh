#!/bin/bash
export $(grep -v "^#" runner.env | xargs)
docker run -d \
  -v /tmp:/tmp \
  -v /var/run/docker.sock:/var/run/docker.sock \
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  -e ACCOUNT_UUID \
  -e RUNNER_UUID="$RUNNER_UUID" \
  -e OAUTH_CLIENT_ID=hT4kW8qZ2nXc6VbM9rLp3YsDfGjKa7Ue \
  -e OAUTH_CLIENT_SECRET=ATOAZk3vQ9xT7bLw2RmY8nHc5JdPfAgUe6Ks \
  -e WORKING_DIRECTORY=/tmp \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner
