#!/bin/sh
docker run -d --name runner --restart unless-stopped --env-file runner.env \
  -v /tmp:/tmp -v /var/run/docker.sock:/var/run/docker.sock -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:5
