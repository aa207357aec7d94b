package checks

// What the tests of this package and those of whole hosts share.
var (
	HostOf = hostOf
	Line   = line
	Update = update
)
