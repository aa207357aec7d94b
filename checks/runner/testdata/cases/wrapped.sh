sudo -E docker --host unix:///run/docker.sock run -e ACCOUNT_UUID=sudo x/bitbucket-pipelines-runner
ACCOUNT_UUID=env nohup docker container run -e ACCOUNT_UUID x/bitbucket-pipelines-runner > out.log 2>&1 &
time /usr/bin/docker run -e ACCOUNT_UUID=path x/bitbucket-pipelines-runner
env ACCOUNT_UUID=outer docker run -e ACCOUNT_UUID x/bitbucket-pipelines-runner || exit
DOCKER="sudo docker"
$DOCKER run -e ACCOUNT_UUID=variable x/bitbucket-pipelines-runner
trace() { echo "+ $*"; "$@"; }
trace docker run -e ACCOUNT_UUID=traced x/bitbucket-pipelines-runner
( cd /tmp && exec docker run -e ACCOUNT_UUID=subshell x/bitbucket-pipelines-runner )
