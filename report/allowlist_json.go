package report

import (
	"bytes"
	_ "embed" // for allowlist.schema.json
	"io"

	"runner-preflight/checks"
)

//go:embed allowlist.schema.json
var allowlistSchema []byte

// AllowlistSchema is the JSON Schema (draft 2020-12) of what AllowlistJSON writes.
func AllowlistSchema() []byte { return bytes.Clone(allowlistSchema) }

type allowlistJSON struct {
	SchemaVersion int           `json:"schema_version"`
	Tool          toolJSON      `json:"tool"`
	Runners       []string      `json:"runners"`
	Against       *string       `json:"against"`
	Complete      bool          `json:"complete"`
	Gaps          []gapJSON     `json:"gaps"`
	Hosts         []allowedJSON `json:"hosts"`
}

type gapJSON struct {
	Registry *string  `json:"registry"`
	Images   []string `json:"images"`
	Runners  []string `json:"runners"`
	Offline  bool     `json:"offline"`
	Reason   string   `json:"reason"`
}

type allowedJSON struct {
	Address  string     `json:"address"`
	Host     string     `json:"host"`
	Port     int        `json:"port"`
	Protocol string     `json:"protocol"`
	Required bool       `json:"required"`
	Proxy    bool       `json:"proxy"`
	Needs    []needJSON `json:"needs"`
}

type needJSON struct {
	Who      string   `json:"who"`
	Why      string   `json:"why"`
	Images   []string `json:"images"`
	Runners  []string `json:"runners"`
	Required bool     `json:"required"`
	Via      *hopJSON `json:"via"`
}

type hopJSON struct {
	Address  string `json:"address"`
	Variable string `json:"variable"`
}

// AllowlistJSON writes one JSON object that allowlist.schema.json describes.
func AllowlistJSON(w io.Writer, l Allowlist) error {
	out := allowlistJSON{
		SchemaVersion: schemaVersion, Tool: toolJSON{tool, clean(l.Version)}, Runners: list(l.Runners),
		Against: orNull(clean(l.Against)), Complete: len(l.Gaps) == 0, Gaps: []gapJSON{}, Hosts: []allowedJSON{},
	}
	for _, g := range l.Gaps {
		out.Gaps = append(out.Gaps, gapJSON{orNull(g.Address), list(g.Images), list(g.Runners), g.Offline, clean(g.Reason)})
	}
	for _, a := range l.Hosts {
		out.Hosts = append(out.Hosts, allowedOf(a))
	}
	return writeJSON(w, out)
}

func allowedOf(a checks.Allowed) allowedJSON {
	out := allowedJSON{
		Address: a.Address(), Host: a.Host, Port: a.Port, Protocol: "tcp", Required: !a.Optional(), Proxy: a.Proxy,
	}
	for _, n := range a.Needs {
		need := needJSON{
			Who: string(n.Who), Why: clean(n.Why), Images: list(n.Images), Runners: list(n.Runners),
			Required: !n.Optional,
		}
		if n.Via != "" {
			need.Via = &hopJSON{n.Via, clean(n.Variable)}
		}
		out.Needs = append(out.Needs, need)
	}
	return out
}
