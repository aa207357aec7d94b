docker run -d -e ACCOUNT_UUID=x atlassian/bitbucket-pipelines-runner:1 --restart always -e PAUSE_IMAGE=acme/pause:1
