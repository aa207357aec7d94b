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
