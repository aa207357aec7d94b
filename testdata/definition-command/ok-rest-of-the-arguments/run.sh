#!/bin/bash
start() {
  docker run -d --name "$1" -v /tmp:/tmp -v /var/run/docker.sock:/var/run/docker.sock -v /var/lib/docker/containers:/var/lib/docker/containers:ro  -e ACCOUNT_UUID={11111111-2222-3333-4444-555555555555} -e RUNNER_UUID={aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee} -e OAUTH_CLIENT_ID=hT4kW8qZ2nXc6VbM9rLp3YsD -e OAUTH_CLIENT_SECRET=$SECRET -e WORKING_DIRECTORY=/tmp "${@:2}" docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner
}
start one --restart always
