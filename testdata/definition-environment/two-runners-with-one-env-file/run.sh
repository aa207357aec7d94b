#!/bin/sh
docker run -d --name blue --restart unless-stopped --env-file common.env -e RUNNER_UUID='{b0ae87b8-423b-5c24-9a95-84ddad9cdfae}' \
  -v /tmp:/tmp -v /var/run/docker.sock:/var/run/docker.sock -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:5
docker run -d --name green --restart unless-stopped --env-file common.env -e RUNNER_UUID='{76b247e7-b925-5e7b-9da2-1cda14c4ff2c}' \
  -v /tmp:/tmp -v /var/run/docker.sock:/var/run/docker.sock -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:5
