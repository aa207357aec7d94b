#!/bin/sh
docker container run -it \
  -v /tmp:/tmp -v /var/run/docker.sock:/var/run/docker.sock \
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  -v /etc/runner/config.json:/root/.docker/config.json \
  -e ACCOUNT_UUID={00000000-0000-0000-0000-000000000001} -e RUNNER_UUID={00000000-0000-0000-0000-000000000002} \
  -e WORKING_DIRECTORY=/tmp \
  -e PAUSE_IMAGE=registry.example.com/acme/pause:1 \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner
