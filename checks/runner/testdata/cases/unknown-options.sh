docker run -d –name runner -env ACCOUNT_UUID=x --volum /tmp:/tmp --colour red —restart=always -Z atlassian/bitbucket-pipelines-runner
