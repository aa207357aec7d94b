docker run -d --name my runner -e ACCOUNT_UUID= {0d53ac8d-e4a7-4a8e-8d5b-1f0b8f3b8a01} -v /tmp:/tmp atlassian/bitbucket-pipelines-runner
