#!/bin/sh
SECRET=ATOAZk3vQ9xT7bLw2RmY8nHc5JdPfAgUe6Ks # from 1password
docker run -d --name runner -v /tmp:/tmp \
  -v /var/run/docker.sock:/var/run/docker.sock \
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  -e ACCOUNT_UUID='{0b6e1b2c-3d4f-4a5b-8c6d-7e8f9a0b1c2d}' -e RUNNER_UUID='{b0ae87b8-423b-5c24-9a95-84ddad9cdfae}' \
  -e OAUTH_CLIENT_ID=hT4kW8qZ2nXc6VbM9rLp3YsDfGjKa7Ue -e OAUTH_CLIENT_SECRET="$SECRET" -e WORKING_DIRECTORY=/tmp \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:5
