package dockerconfig

// Reason says why the runner sends nothing usable for an image.
type Reason string

// The reasons, as the JSON report spells them.
const (
	// NoEntry: no entry matches, and nothing else is configured for the host.
	NoEntry Reason = "no-entry"
	// NoFile: there is no config.json.
	NoFile Reason = "no-file"
	// EmptyEntry: the entry has neither user nor password nor token.
	EmptyEntry Reason = "empty-entry"
	// EmptyCredentials: the user or the password is empty: the daemon goes anonymous.
	EmptyCredentials Reason = "empty-credentials"
	// Store: no entry or an empty one, and credsStore is set.
	Store Reason = "store"
	// Helper: no entry or an empty one, and credHelpers names the registry.
	Helper Reason = "helper"
	// DroppedHeader: a field of the entry is no string, so that the daemon drops all of it.
	DroppedHeader Reason = "dropped-header"
	// InvalidReference: the reader throws at the image (see RunnerHost).
	InvalidReference Reason = "invalid-reference"
	// FileRejected: the reader refuses the whole file (see File.Rejection).
	FileRejected Reason = "file-rejected"
)

// RunnerCredentials is what the runner's reader finds for an image.
type RunnerCredentials struct {
	// Key is the key of the entry that matched; empty when none did.
	Key string
	// Username and Password are what the registry gets; Password is never printed.
	Username, Password string
	// Reason says why nothing usable is sent; empty when a user name and a password are.
	Reason Reason
	// Entry is the entry that matched; nil when none did.
	Entry *Entry
	// ServerAddress is what the daemon is told that the credentials are for: the entry's key, unless the entry
	// has a `serveraddress` of its own.
	ServerAddress string
	// IdentityToken and RegistryToken say that such a token is sent too: the daemon prefers it to the password.
	IdentityToken, RegistryToken bool
}

// ForRunner looks an image's credentials up as the runner does. A nil file is a missing one.
func (f *File) ForRunner(image string) RunnerCredentials { return RunnerCredentials{Reason: NoFile} }
