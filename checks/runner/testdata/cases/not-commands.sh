#!/bin/bash
# docker run -e ACCOUNT_UUID=comment atlassian/bitbucket-pipelines-runner
echo "docker run -e ACCOUNT_UUID=said atlassian/bitbucket-pipelines-runner"
echo docker run -e ACCOUNT_UUID=said atlassian/bitbucket-pipelines-runner
cat > /usr/local/bin/runner <<'RUN'
docker run -e ACCOUNT_UUID=written atlassian/bitbucket-pipelines-runner
RUN
docker run -d -e POSTGRES_PASSWORD=canary-postgres postgres:16
docker compose run runner
docker exec runner docker run x
