if true; then
  docker run -d -e ACCOUNT_UUID=x \
    atlassian/bitbucket-pipelines-runner \

fi
docker ps
