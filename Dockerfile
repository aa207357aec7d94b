# The tool as an image, to be run in the place of the runner's with the runner's own command line (see README.md):
#   CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o runner-preflight . && docker build -t runner-preflight .
FROM scratch
COPY runner-preflight /
# Where the runner's own image has its home, and so looks for .docker/config.json.
ENV HOME=/root
ENTRYPOINT ["/runner-preflight"]
