package report

import (
	"errors"
	"io/fs"

	"runner-preflight/checks"
	"runner-preflight/checks/dockerconfig"
	"runner-preflight/checks/source"
)

// Runner is one runner as it was judged.
type Runner struct {
	Name string
	// Config and Definition are paths as the user gave them; empty when there is none.
	Config, Definition string
	// Platform is OS/ARCH[/VARIANT]; empty when unknown.
	Platform string
	// Place is the definition as a whole; the zero Span when there is none.
	Place  source.Span
	Images []Image
	// Endpoints are host:port.
	Endpoints []string
}

// Image is one image of a runner, with what would be sent for it.
type Image struct {
	Role string
	// Reference is empty when Unresolved says why it is not known.
	Reference, Unresolved string
	Origin                string
	// Place is where the reference is written; the zero Span for a default or a flag.
	Place source.Span
	// Runner is what the runner would send; nil for its own image, which it does not pull, and when that is not known.
	Runner *Credentials
	// Docker is what docker's CLI would send; nil when that is not known.
	Docker *Credentials
}

// Credentials are whose they are and where they come from. No password is in them.
type Credentials struct {
	// Key is that of the entry of config.json; empty when there is none.
	Key string
	// Username is masked when it has the shape of a token.
	Username string
	// Helper is the credential helper that docker's CLI would ask.
	Helper string
	// Reason says why nothing is sent; empty when something is.
	Reason string
}

func runners(host *checks.Host) []Runner {
	if host == nil {
		return nil
	}
	var all []Runner
	for _, r := range host.Runners {
		all = append(all, runnerOf(r))
	}
	return all
}

func runnerOf(r *checks.Runner) Runner {
	out := Runner{Name: clean(r.Name), Platform: r.Platform}
	if r.Config != nil {
		out.Config = clean(r.Config.Path)
	}
	if r.Definition != nil && r.Definition.File != nil {
		out.Definition, out.Place = clean(r.Definition.File.Path), r.Definition.File.Whole()
	}
	file, known := credentialsFile(r.Config)
	for _, image := range r.Images {
		shown := Image{
			Role: string(image.Role), Reference: clean(image.Reference),
			Unresolved: image.Unresolved,
			Origin:     string(image.Origin), Place: image.Place,
		}
		if known && image.Reference != "" {
			shown.Docker = ofDocker(file.ForDocker(image.Reference))
			if image.Role != checks.RoleRunner {
				shown.Runner = ofRunner(file.ForRunner(image.Reference))
			}
		}
		out.Images = append(out.Images, shown)
	}
	for _, endpoint := range r.Endpoints {
		out.Endpoints = append(out.Endpoints, endpoint.Address())
	}
	out.Endpoints = unique(out.Endpoints)
	return out
}

// credentialsFile is what credentials are looked up in: nil for a config.json that is not there. What was not given,
// or cannot be read, is not known.
func credentialsFile(c *checks.Config) (file *dockerconfig.File, known bool) {
	switch {
	case c == nil:
		return nil, false
	case c.File != nil:
		return c.File, true
	}
	return nil, errors.Is(c.Err, fs.ErrNotExist) || errors.Is(c.Err, checks.ErrIsDirectory)
}

func ofRunner(c dockerconfig.RunnerCredentials) *Credentials {
	shown := &Credentials{Key: clean(c.Key), Reason: string(c.Reason)}
	if c.Reason == "" {
		shown.Username = source.Username(c.Username)
	}
	return shown
}

func ofDocker(c dockerconfig.DockerCredentials) *Credentials {
	return &Credentials{Key: clean(c.Key), Username: source.Username(c.Username), Helper: c.Helper}
}
