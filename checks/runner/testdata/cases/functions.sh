#!/bin/bash
start() {
  local id=$1
  docker rm -f "runner-$id" >/dev/null 2>&1 || true
  CID=$(docker run -d -e ACCOUNT_UUID=a -e RUNNER_UUID="$id" --name "runner-$id" $OPTS "$IMAGE")
}
stop() { docker stop "$1"; }
IMAGE=atlassian/bitbucket-pipelines-runner
OPTS="-v /tmp:/tmp -e WORKING_DIRECTORY=/tmp"
case "$1" in
  stop) stop runner-one ;;
  restart) stop runner-one; start one ;;
  *) for u in one two; do start $u || exit 1; done ;;
esac
