package dockerconfig

// hideSecrets hides every secret in the excerpts of the text.
func (f *File) hideSecrets() {}
