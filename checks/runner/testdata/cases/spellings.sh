#!/bin/sh
docker run -dit --rm=false -eRUNNER_UUID='{x}' -v/tmp:/tmp --env=ACCOUNT_UUID="a"'b'$'c' -e=REPOSITORY_UUID=r \
  --mount type=bind,src=/var/run/docker.sock,dst=/var/run/docker.sock \
  --mount "type=bind,source=$HOME/.docker,target=/root/.docker,readonly" --mount type=volume,source=work,target=/w \
  --volume=~/x:/x -v "~/y:/y" -v '$HOME/z':/z -v data:/data -v /cache --tmpfs /run \
  -e "CLONE_IMAGE=acme/clone:1" -e HTTPS_PROXY -e "A B=c" \
  -- atlassian/bitbucket-pipelines-runner
