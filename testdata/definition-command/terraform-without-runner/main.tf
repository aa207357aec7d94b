resource "docker_container" "cache" {
  name  = "cache"
  image = "redis:7"
}
