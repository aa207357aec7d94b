package dockerconfig

// DockerCredentials is what docker's CLI on the same host would find.
type DockerCredentials struct {
	// Key is the entry's key, empty when there is none.
	Key string
	// Username and Password are what the registry gets; Password is never printed.
	Username, Password string
	// Helper is the suffix of the credential helper that would be asked (docker-credential-SUFFIX); Key and the
	// credentials are then empty.
	Helper string
	// Entry is the entry that matched; nil when none did, or a helper is asked.
	Entry *Member
	// IdentityToken says that the entry has an identity token, which goes before the password.
	IdentityToken bool
}

// ForDocker looks an image's credentials up as docker's CLI does. A nil file is a missing one.
func (f *File) ForDocker(image string) DockerCredentials { return DockerCredentials{} }
