export ACCOUNT_UUID={x}
export RUNNER_UUID={y}
export OAUTH_CLIENT_SECRET=canary-exported
