#!/bin/sh
docker container run -d \
  -v /tmp:/tmp -v /var/run/docker.sock:/var/run/docker.sock \
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  -e ACCOUNT_UUID='{0b6a1f3e-5c24-4a95-84dd-ad9cdfae5b10}' \
  -e RUNNER_UUID='{b0ae87b8-423b-4c24-9a95-84ddad9cdfae}' \
  -e OAUTH_CLIENT_ID=Gx7kT2mQ9vLr4WcZ8pYb3NsD6hFj1aKe \
  -e OAUTH_CLIENT_SECRET="$SECRET" \
  -e WORKING_DIRECTORY=/tmp \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:3
