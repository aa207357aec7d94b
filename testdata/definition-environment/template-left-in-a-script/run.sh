#!/bin/sh
PAUSE="-e PAUSE_IMAGE={{ pause }}"
docker run -d -v /tmp:/tmp -v /var/run/docker.sock:/var/run/docker.sock -v /var/lib/docker/containers:/var/lib/docker/containers:ro $PAUSE -e ACCOUNT_UUID={{ account }} -e RUNNER_UUID="{{ runner }}" -e OAUTH_CLIENT_ID={{ id }} -e OAUTH_CLIENT_SECRET={{ secret }} -e WORKING_DIRECTORY=/tmp docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner
