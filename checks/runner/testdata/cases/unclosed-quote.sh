docker run -d -e PAUSE_IMAGE="a/b:1 \
  -e CLONE_IMAGE="c/d:1" \
  atlassian/bitbucket-pipelines-runner
