package main

import (
	"errors"

	"golang.org/x/sys/unix"

	"runner-preflight/checks"
)

// accessList is the attribute in which Linux keeps an access control list, which says more than a mode. Source: acl(5).
const accessList = "system.posix_acl_access"

// owner tells whom a file belongs to.
func owner(path string) (checks.Owner, error) {
	var said unix.Stat_t
	if err := unix.Stat(path, &said); err != nil {
		return checks.Owner{}, err
	}
	if _, err := unix.Getxattr(path, accessList, nil); err == nil {
		return checks.Owner{}, errors.ErrUnsupported
	}
	return checks.Owner{UID: said.Uid, GID: said.Gid}, nil
}

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
