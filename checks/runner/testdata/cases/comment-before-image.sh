docker run -d -e ACCOUNT_UUID=x \
  # the mirror
  registry.example.com/runners/bitbucket:3
docker ps
