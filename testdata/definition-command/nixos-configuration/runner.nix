{ config, pkgs, ... }:

{
  virtualisation.docker.enable = true;
  virtualisation.oci-containers = {
    backend = "docker";
    containers.bitbucket-runner = {
      image = "docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner:5";
      environmentFiles = [ config.age.secrets.bitbucket-runner.path ];
      environment.WORKING_DIRECTORY = "/tmp";
      volumes = [ "/tmp:/tmp" "/var/run/docker.sock:/var/run/docker.sock" ];
    };
  };
}
