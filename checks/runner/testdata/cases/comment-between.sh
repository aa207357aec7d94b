docker run -d \
  -e ACCOUNT_UUID=x \
  # the runner's own
  -e RUNNER_UUID=y \ # from the console
  -e OAUTH_CLIENT_ID=z # and its secret
  # $IMAGE is set by the unit
  "$IMAGE"
