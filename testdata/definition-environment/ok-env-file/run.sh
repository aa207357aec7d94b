#!/bin/sh
docker run --rm --env-file runner.env \
  -v /tmp:/tmp -v /var/run/docker.sock:/var/run/docker.sock \
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  -v /etc/runner/config.json:/root/.docker/config.json:ro \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner
