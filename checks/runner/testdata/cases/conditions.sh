#!/bin/bash
WORKDIR=${WORKDIR:-/tmp}
PAUSE=acme/pause:1
while getopts p: o; do case $o in p) PAUSE=$OPTARG ;; esac; done
if [ "$(uname -m)" = aarch64 ]; then CLONE=acme/clone:arm; else CLONE=acme/clone:amd; fi
[ -n "$PROXY" ] || PROXY=acme/proxy:1
docker run -e ACCOUNT_UUID=x -e PAUSE_IMAGE=$PAUSE -e CLONE_IMAGE=$CLONE -e AUTH_PROXY_IMAGE=$PROXY \
  -v $WORKDIR:$WORKDIR atlassian/bitbucket-pipelines-runner
