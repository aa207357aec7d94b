package report

import (
	"time"

	"runner-preflight/checks"
)

type connectionJSON struct {
	Address string      `json:"address"`
	By      []string    `json:"by"`
	Why     []string    `json:"why"`
	Proxy   *string     `json:"proxy"`
	Phases  []phaseJSON `json:"phases"`
	Broken  *string     `json:"broken"`
}

type phaseJSON struct {
	Phase      string  `json:"phase"`
	DurationMS float64 `json:"duration_ms"`
}

type pullJSON struct {
	Reference string     `json:"reference"`
	Registry  string     `json:"registry"`
	Digest    *string    `json:"digest"`
	MediaType *string    `json:"media_type"`
	Platforms []string   `json:"platforms"`
	Platform  *string    `json:"platform"`
	Tokens    []string   `json:"token_services"`
	Blobs     []blobJSON `json:"blobs"`
}

type blobJSON struct {
	Digest  string  `json:"digest"`
	Size    int64   `json:"size"`
	Config  bool    `json:"config"`
	Host    *string `json:"host"`
	Problem *string `json:"problem"`
	Unasked *string `json:"unasked"`
}

func jsonConnection(c *checks.Connection) *connectionJSON {
	if c == nil {
		return nil
	}
	out := &connectionJSON{
		Address: clean(c.Address), By: list(c.By), Why: list(c.Why), Proxy: orNull(clean(c.Proxy)),
		Phases: []phaseJSON{}, Broken: orNull(string(c.Broken)),
	}
	for _, step := range c.Phases {
		out.Phases = append(out.Phases, phaseJSON{string(step.Phase), milliseconds(step.Duration)})
	}
	return out
}

// milliseconds is a duration down to the microsecond: on one host a phase may take less than a millisecond.
func milliseconds(d time.Duration) float64 {
	return float64(max(0, d.Microseconds())) / 1000
}

func jsonPull(p *checks.Pull) *pullJSON {
	if p == nil {
		return nil
	}
	out := &pullJSON{
		Reference: clean(p.Reference), Registry: clean(p.Registry), Digest: orNull(clean(p.Digest)),
		MediaType: orNull(clean(p.MediaType)), Platforms: list(p.Platforms), Platform: orNull(clean(p.Platform)),
		Tokens: list(p.Tokens), Blobs: []blobJSON{},
	}
	for _, b := range p.Blobs {
		out.Blobs = append(out.Blobs, blobJSON{
			clean(b.Digest), b.Size, b.Config, orNull(clean(b.Host)), orNull(b.Problem), orNull(clean(b.Unasked)),
		})
	}
	return out
}
