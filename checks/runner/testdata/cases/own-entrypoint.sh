docker run -d -e ACCOUNT_UUID=x --entrypoint sh atlassian/bitbucket-pipelines-runner -c 'exec java -jar /runner.jar'
