package main

import (
	"golang.org/x/sys/unix"

	"runner-preflight/checks"
)

// space asks a file system how much room it has. Source: statfs(2).
func space(path string) (checks.Space, error) {
	var said unix.Statfs_t
	if err := unix.Statfs(path, &said); err != nil {
		return checks.Space{}, err
	}
	size := uint64(max(0, said.Bsize))
	return checks.Space{
		Total: said.Blocks * size, Free: said.Bavail * size,
		Nodes: said.Files, FreeNodes: said.Ffree,
	}, nil
}
