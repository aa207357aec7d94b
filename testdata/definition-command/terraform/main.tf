terraform {
  required_providers {
    docker = {
      source  = "kreuzwerker/docker"
      version = "~> 3.0"
    }
  }
}

resource "docker_image" "runner" {
  name = "docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:5"
}

resource "docker_container" "runner" {
  name    = "bitbucket-runner"
  image   = docker_image.runner.image_id
  restart = "unless-stopped"
  env = [
    "ACCOUNT_UUID={${var.account_uuid}}",
    "RUNNER_UUID={${var.runner_uuid}}",
    "OAUTH_CLIENT_ID=${var.oauth_client_id}",
    "OAUTH_CLIENT_SECRET=${var.oauth_client_secret}",
    "WORKING_DIRECTORY=/tmp",
  ]
  volumes {
    host_path      = "/tmp"
    container_path = "/tmp"
  }
}
