docker run -v /tmp: /tmp -e ACCOUNT_UUID = x atlassian/bitbucket-pipelines-runner
