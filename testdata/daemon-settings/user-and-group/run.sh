#!/bin/sh
docker container run -d --user 1000:1000 \
  -v /tmp:/tmp -v /var/run/docker.sock:/var/run/docker.sock \
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  -v /etc/runner/config.json:/root/.docker/config.json:ro \
  -e ACCOUNT_UUID={0b6a1f3e-5c24-4a95-84dd-ad9cdfae5b10} -e RUNNER_UUID={b0ae87b8-423b-5c24-9a95-84ddad9cdfae} \
  -e WORKING_DIRECTORY=/tmp -e PAUSE_IMAGE=registry.example.com/acme/pause:1 \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:5
