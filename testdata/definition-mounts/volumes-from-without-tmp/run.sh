#!/bin/sh
docker create --name runner-data -v /var/run/docker.sock:/var/run/docker.sock -v /opt/ci/config.json:/root/.docker/config.json:ro alpine
docker container run -d --volumes-from runner-data \
  -v /var/lib/docker/containers:/var/lib/docker/containers:ro \
  -e ACCOUNT_UUID={11111111-2222-3333-4444-555555555555} \
  -e RUNNER_UUID={aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee} \
  -e OAUTH_CLIENT_ID=$OAUTH_CLIENT_ID -e OAUTH_CLIENT_SECRET=$OAUTH_CLIENT_SECRET \
  -e WORKING_DIRECTORY=/tmp \
  -e PAUSE_IMAGE=123456789012.dkr.ecr.eu-west-1.amazonaws.com/ci/pause:3.8 \
  --name runner docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner
