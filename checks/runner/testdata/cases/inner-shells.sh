ssh host 'docker run -e ACCOUNT_UUID=ssh \
  -e RUNNER_UUID=x atlassian/bitbucket-pipelines-runner'
bash -c "exec docker run -e ACCOUNT_UUID=\"in ner\" atlassian/bitbucket-pipelines-runner"
ssh host <<'EOT'
docker run -e ACCOUNT_UUID=document atlassian/bitbucket-pipelines-runner
EOT
cmd="docker run -e ACCOUNT_UUID=held atlassian/bitbucket-pipelines-runner"
eval "$cmd"
