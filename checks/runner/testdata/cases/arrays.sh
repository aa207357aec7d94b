ARGS=(-e "ACCOUNT_UUID=a b" -v /tmp:/tmp)
[ -n "$REPO" ] && ARGS+=(-e REPOSITORY_UUID="$REPO")
docker run "${ARGS[@]}" "$@" atlassian/bitbucket-pipelines-runner
