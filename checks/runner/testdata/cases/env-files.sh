docker run --env-file runner.env -e ACCOUNT_UUID=wins --env-file=missing.env --env-file "$DIR/x.env" atlassian/bitbucket-pipelines-runner
