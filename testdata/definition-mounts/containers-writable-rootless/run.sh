#!/bin/sh
docker container run -d \
  -v /tmp:/tmp -v /run/user/1000/docker.sock:/var/run/docker.sock \
  -v /home/op/.local/share/docker/containers:/var/lib/docker/containers \
  -v /home/op/.docker/config.json:/root/.docker/config.json:ro \
  -e ACCOUNT_UUID={0b6a1f3e-5c24-4a95-84dd-ad9cdfae5b10} -e RUNNER_UUID={b0ae87b8-423b-5c24-9a95-84ddad9cdfae} \
  -e OAUTH_CLIENT_ID=iY7pQ2mN8vB4xK1cL6tR9wS3dF5gH0jZ -e OAUTH_CLIENT_SECRET=Zk3vQ9xT7bLw2RmY8nHc5JdPfAgUe6Ks \
  -e WORKING_DIRECTORY=/tmp -e PAUSE_IMAGE=registry.example.com/acme/pause:1 \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:5
