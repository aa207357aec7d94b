ACCOUNT_UUID=<my-account-id>
SECRET="${{ secrets.OAUTH }}"
docker run -d -e ACCOUNT_UUID=$ACCOUNT_UUID -e RUNNER_UUID=${{ secrets.R }} -e OAUTH_CLIENT_SECRET=$SECRET \
  -e OAUTH_CLIENT_ID={{ oauth id }} -e REPOSITORY_UUID={my repo uuid} -v <path to docker>/.docker:/root/.docker \
  -e "TAG={{tag}}" "$IMAGE" </dev/null >out.log
