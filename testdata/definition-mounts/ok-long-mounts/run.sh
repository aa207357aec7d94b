docker run -d --restart=on-failure:5 \
  --mount type=bind,src=/srv/runner,dst=/srv/runner \
  --mount type=bind,source=/var/run/docker.sock,target=/var/run/docker.sock \
  --mount type=bind,source=/var/lib/docker/containers,target=/var/lib/docker/containers,readonly \
  --mount "type=bind,source=$HOME/.docker/config.json,target=/root/.docker/config.json,ro" \
  --mount type=tmpfs,target=/scratch --tmpfs /run/lock \
  -eACCOUNT_UUID={0b6e1b2c-3d4f-4a5b-8c6d-7e8f9a0b1c2d} -e RUNNER_UUID={b0ae87b8-423b-5c24-9a95-84ddad9cdfae} \
  -e OAUTH_CLIENT_ID=hT4kW8qZ2nXc6VbM9rLp3YsDfGjKa7Ue -e OAUTH_CLIENT_SECRET=ATOAZk3vQ9xT7bLw2RmY8nHc5JdPfAgUe6Ks \
  -e WORKING_DIRECTORY=/srv/runner/work \
  -e PAUSE_IMAGE=123456789012.dkr.ecr.eu-west-1.amazonaws.com/pause:3.8 \
  docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner
