class profile::bitbucket_runner (Sensitive[String] $secret) {
  include docker
  docker::run { 'bitbucket-runner':
    image   => 'docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner',
    volumes => ['/tmp:/tmp', '/var/run/docker.sock:/var/run/docker.sock'],
    env     => ['ACCOUNT_UUID={0b6e1b2c-3d4f-4a5b-8c6d-7e8f9a0b1c2d}', 'WORKING_DIRECTORY=/tmp'],
  }
}
