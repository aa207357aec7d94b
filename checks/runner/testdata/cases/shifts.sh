#!/bin/bash
run_runner() {
  local name="$1" uuid="$2"
  shift 2
  docker run -d --name "$name" -e ACCOUNT_UUID={x} -e RUNNER_UUID="$uuid" "$@" acme/bitbucket-pipelines-runner
}
run_runner one '{1}' -v /tmp:/tmp
run_runner two '{2}'
for i in 1 2; do run_runner "r$i" "{$i}"; done
