resource "aws_instance" "runner" {
  ami       = "ami-1"
  user_data = <<-EOF
    #!/bin/bash
    docker run -d --name bbr \
      -e ACCOUNT_UUID={x} \
      -e RUNNER_UUID={${var.runner_uuid}} \
      -v ~/.docker:/root/.docker \
      acme/bitbucket-pipelines-runner
  EOF
}
