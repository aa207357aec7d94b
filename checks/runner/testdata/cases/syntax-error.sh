#!/bin/bash
if true; then
docker run -e ACCOUNT_UUID=x atlassian/bitbucket-pipelines-runner
