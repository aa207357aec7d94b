package engine

import (
	"context"
	"slices"
	"strings"

	"github.com/moby/moby/client"
)

// Info is what a daemon says of itself.
type Info struct {
	// Product is "Docker Engine" or what else serves docker's API: "Podman Engine".
	Product string
	// Version is the daemon's, APIVersion the highest and MinAPIVersion the lowest of docker's API that it speaks.
	Version, APIVersion, MinAPIVersion string
	// Platform is what it runs images for by itself, as OS/ARCH.
	Platform string
	// Kernel is its host's version, OperatingSystem its host's name for people.
	Kernel, OperatingSystem string
	// HTTPProxy, HTTPSProxy and NoProxy are those of its environment or settings. Passwords in them are secret.
	HTTPProxy, HTTPSProxy, NoProxy string
	// Mirrors are asked instead of Docker Hub.
	Mirrors []string
	// Insecure are the registries, and networks of registries, that it talks to in clear or whatever their certificate.
	Insecure []string
	// DataRoot is its folder of images and containers.
	DataRoot string
	// LogDriver, StorageDriver and CgroupVersion are those of containers by default.
	LogDriver, StorageDriver, CgroupVersion string
	// ContainerdStore says that images are kept by containerd.
	ContainerdStore bool
	// Memory is its host's, in bytes.
	Memory int64
	// Rootless, UserNamespaces and SELinux say what keeps a container from files of the host.
	Rootless, UserNamespaces, SELinux bool
}

// Info asks the daemon about itself. Its error is a *Failure.
func (e *Engine) Info(ctx context.Context) (Info, error) { return e.about(ctx) }

// Ping waits for the daemon to say that it is there, which it does without looking at anything, for as long as the context
// allows. Its error is a *Failure.
func (e *Engine) Ping(ctx context.Context) error {
	c, err := e.open()
	if err != nil {
		return failure(ctx, err)
	}
	if _, err := c.Ping(ctx, client.PingOptions{}); err != nil {
		return failure(ctx, err)
	}
	return nil
}

func (e *Engine) ask(ctx context.Context) (Info, error) {
	c, err := e.open()
	if err != nil {
		return Info{}, failure(ctx, err)
	}
	about, err := c.Info(ctx, client.InfoOptions{})
	if err != nil {
		return Info{}, failure(ctx, err)
	}
	version, err := c.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return Info{}, failure(ctx, err)
	}
	said := about.Info
	if said.ServerVersion == "" && said.DockerRootDir == "" && version.APIVersion == "" {
		return Info{}, &Failure{Kind: NotDocker, Detail: "what answers is no docker daemon"}
	}
	info := Info{
		Product: "Docker Engine", Version: version.Version, APIVersion: version.APIVersion,
		MinAPIVersion: version.MinAPIVersion, Platform: version.Os + "/" + architecture(version.Arch),
		Kernel: said.KernelVersion, OperatingSystem: said.OperatingSystem,
		HTTPProxy: said.HTTPProxy, HTTPSProxy: said.HTTPSProxy, NoProxy: said.NoProxy,
		DataRoot: said.DockerRootDir, LogDriver: said.LoggingDriver, StorageDriver: said.Driver,
		CgroupVersion: said.CgroupVersion, Memory: said.MemTotal,
		ContainerdStore: slices.ContainsFunc(said.DriverStatus, func(s [2]string) bool {
			return s[0] == "driver-type" && strings.HasPrefix(s[1], "io.containerd.snapshotter")
		}),
		Rootless:       secured(said.SecurityOptions, "rootless"),
		UserNamespaces: secured(said.SecurityOptions, "userns"),
		SELinux:        secured(said.SecurityOptions, "selinux"),
	}
	for _, component := range version.Components {
		if strings.Contains(component.Name, "Podman") {
			info.Product = component.Name
		}
	}
	if registries := said.RegistryConfig; registries != nil {
		info.Mirrors = registries.Mirrors
		for _, network := range registries.InsecureRegistryCIDRs {
			info.Insecure = append(info.Insecure, network.String())
		}
		for name, index := range registries.IndexConfigs {
			if !index.Secure {
				info.Insecure = append(info.Insecure, name)
			}
		}
		slices.Sort(info.Insecure)
	}
	return info, nil
}

// secured tells whether the daemon lists a security option: "name=rootless".
func secured(options []string, name string) bool {
	return slices.ContainsFunc(options, func(option string) bool {
		first, _, _ := strings.Cut(option, ",")
		return first == "name="+name
	})
}

// architecture is Go's name for an architecture, which is what images are named by.
func architecture(name string) string {
	switch name {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	}
	return name
}
