package report

import (
	"bytes"
	_ "embed" // for schema.json
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
	"unicode"

	"runner-preflight/checks"
	"runner-preflight/checks/source"
)

// schemaVersion changes when a member of the JSON report changes its meaning or goes; new ones do not count.
const schemaVersion = 1

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of what JSON writes.
func Schema() []byte { return bytes.Clone(schema) }

// JSON writes the report as one JSON object that schema.json describes.
func JSON(w io.Writer, r Report) error { return writeJSON(w, jsonReport(r)) }

func writeJSON(w io.Writer, value any) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("writing the JSON report: %w", err)
	}
	_, err := w.Write(escapeUnseen(out.Bytes()))
	return err
}

// escapeUnseen spells what would act on a terminal, or hide text, as \uXXXX. In JSON that stands in strings alone.
func escapeUnseen(text []byte) []byte {
	unseen := func(r rune) bool {
		return r >= 0x7f && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) && r <= 0xffff
	}
	if bytes.IndexFunc(text, unseen) < 0 {
		return text
	}
	var out bytes.Buffer
	for _, r := range string(text) {
		if unseen(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.Bytes()
}

type reportJSON struct {
	SchemaVersion int           `json:"schema_version"`
	Tool          toolJSON      `json:"tool"`
	StartedAt     string        `json:"started_at"`
	DurationMS    int64         `json:"duration_ms"`
	Interrupted   bool          `json:"interrupted"`
	Baseline      *baselineJSON `json:"baseline,omitempty"`
	Runners       []runnerJSON  `json:"runners"`
	Summary       summaryJSON   `json:"summary"`
	Causes        []causeJSON   `json:"causes"`
	Checks        []checkJSON   `json:"checks"`
}

type toolJSON struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

type runnerJSON struct {
	Name       string      `json:"name"`
	Config     *string     `json:"config"`
	Definition *string     `json:"definition"`
	Platform   *string     `json:"platform"`
	Images     []imageJSON `json:"images"`
	Endpoints  []string    `json:"endpoints"`
}

type imageJSON struct {
	Role       string                 `json:"role"`
	Reference  *string                `json:"reference"`
	Unresolved string                 `json:"unresolved,omitempty"`
	Origin     string                 `json:"origin"`
	Runner     *runnerCredentialsJSON `json:"runner_credentials"`
	Docker     *dockerCredentialsJSON `json:"docker_credentials"`
}

type runnerCredentialsJSON struct {
	Key      *string `json:"key"`
	Username *string `json:"username,omitempty"`
	Reason   string  `json:"reason,omitempty"`
}

type dockerCredentialsJSON struct {
	Key      *string `json:"key"`
	Username *string `json:"username"`
	Helper   *string `json:"helper"`
}

type summaryJSON struct {
	Status string `json:"status"`
	Pass   int    `json:"pass"`
	Warn   int    `json:"warn"`
	Error  int    `json:"error"`
	Fail   int    `json:"fail"`
	Skip   int    `json:"skip"`
	// Ignored findings are in none of the others.
	Ignored int `json:"ignored"`
}

type causeJSON struct {
	Problem     string        `json:"problem"`
	Root        string        `json:"root"`
	Status      string        `json:"status"`
	Title       string        `json:"title"`
	Findings    int           `json:"findings"`
	Runners     []string      `json:"runners"`
	Hint        string        `json:"hint"`
	Commands    []string      `json:"commands"`
	Location    *locationJSON `json:"location"`
	Explains    []subjectJSON `json:"explains"`
	ExplainedBy []refJSON     `json:"explained_by"`
}

// baselineJSON is how the report compares with a former one.
type baselineJSON struct {
	Known  int          `json:"known"`
	New    int          `json:"new"`
	Mended []mendedJSON `json:"mended"`
}

type mendedJSON struct {
	Check       string `json:"check"`
	Problem     string `json:"problem"`
	Subject     string `json:"subject"`
	Fingerprint string `json:"fingerprint"`
}

func jsonBaseline(c *Comparison) *baselineJSON {
	if c == nil {
		return nil
	}
	out := &baselineJSON{c.Known, c.New, []mendedJSON{}}
	for _, f := range c.Mended {
		out.Mended = append(out.Mended, mendedJSON{clean(f.Check), clean(f.Problem), clean(f.Subject), clean(f.Fingerprint)})
	}
	return out
}

type subjectJSON struct {
	Problem string `json:"problem"`
	Subject string `json:"subject"`
}

type refJSON struct {
	Problem string `json:"problem"`
	Root    string `json:"root"`
}

type checkJSON struct {
	Name       string        `json:"name"`
	Group      string        `json:"group"`
	Title      string        `json:"title"`
	Status     string        `json:"status"`
	DurationMS int64         `json:"duration_ms"`
	Findings   []findingJSON `json:"findings"`
}

type findingJSON struct {
	Status   string        `json:"status"`
	Problem  *string       `json:"problem"`
	Runners  []string      `json:"runners"`
	Subject  string        `json:"subject"`
	Message  string        `json:"message"`
	Hint     string        `json:"hint"`
	Commands []string      `json:"commands"`
	Location *locationJSON `json:"location"`
	Evidence evidenceJSON  `json:"evidence"`
	// Connection and Pull are of findings about a host and an image alone.
	Connection *connectionJSON `json:"connection,omitempty"`
	Pull       *pullJSON       `json:"pull,omitempty"`
	Ignored    *ignoredJSON    `json:"ignored,omitempty"`
	// Fingerprint is the same in the next report, and that of all formats.
	Fingerprint string `json:"fingerprint"`
	Known       bool   `json:"known,omitempty"`
}

type ignoredJSON struct {
	Reason   string        `json:"reason"`
	Location *locationJSON `json:"location"`
	Until    *string       `json:"until"`
}

type locationJSON struct {
	Path   string `json:"path"`
	Line   *int   `json:"line"`
	Column *int   `json:"column"`
}

// evidenceJSON is an object whose members keep their order.
type evidenceJSON []checks.Evidence

func jsonReport(r Report) reportJSON {
	s := r.Summary
	out := reportJSON{
		SchemaVersion: schemaVersion, Tool: toolJSON{tool, r.Version},
		StartedAt: r.Started.UTC().Format(time.RFC3339), DurationMS: r.Duration.Milliseconds(),
		Interrupted: r.Interrupted, Baseline: jsonBaseline(r.Baseline),
		Summary: summaryJSON{s.Status.String(), s.Pass, s.Warn, s.Error, s.Fail, s.Skip, s.Ignored},
		Runners: []runnerJSON{}, Causes: []causeJSON{}, Checks: []checkJSON{},
	}
	names := []string{}
	for _, runner := range r.Runners {
		out.Runners = append(out.Runners, jsonRunner(runner))
		names = append(names, runner.Name)
	}
	for _, cause := range r.Causes {
		out.Causes = append(out.Causes, jsonCause(cause, names))
	}
	for i, all := range findings(r) {
		out.Checks = append(out.Checks, jsonCheck(r.Results[i], all, names))
	}
	return out
}

func jsonRunner(r Runner) runnerJSON {
	out := runnerJSON{
		r.Name, orNull(r.Config), orNull(r.Definition), orNull(r.Platform),
		[]imageJSON{},
		list(r.Endpoints),
	}
	for _, image := range r.Images {
		shown := imageJSON{
			Role: image.Role, Reference: orNull(image.Reference), Unresolved: image.Unresolved,
			Origin: image.Origin,
		}
		if c := image.Runner; c != nil {
			shown.Runner = &runnerCredentialsJSON{Key: orNull(c.Key), Reason: c.Reason}
			if c.Reason == "" {
				shown.Runner.Username = &c.Username
			}
		}
		if c := image.Docker; c != nil {
			shown.Docker = &dockerCredentialsJSON{orNull(c.Key), orNull(c.Username), orNull(c.Helper)}
		}
		out.Images = append(out.Images, shown)
	}
	return out
}

func jsonCause(c Cause, names []string) causeJSON {
	out := causeJSON{
		Problem: c.Problem.ID, Root: clean(c.Root), Status: c.Status.String(), Title: c.Problem.Title,
		Findings: c.Size(), Runners: orAll(c.Runners, names), Hint: clean(c.Hint), Commands: list(c.Commands),
		Location: jsonLocation(c.Location()), Explains: []subjectJSON{}, ExplainedBy: []refJSON{},
	}
	for _, f := range c.Explained {
		out.Explains = append(out.Explains, subjectJSON{f.Problem.ID, clean(f.Subject)})
	}
	for _, ref := range c.By {
		out.ExplainedBy = append(out.ExplainedBy, refJSON{ref.Problem, clean(ref.Root)})
	}
	return out
}

func jsonCheck(r checks.Result, all []entry, names []string) checkJSON {
	out := checkJSON{
		r.Check.Name, r.Check.Group(), r.Check.Title, r.Status.String(), r.Duration.Milliseconds(),
		[]findingJSON{},
	}
	for _, f := range all {
		shown := findingJSON{
			Status: f.Status.String(), Runners: orAll(f.Runners, names), Subject: clean(f.Subject),
			Message: clean(f.Message), Hint: clean(f.Hint), Commands: list(f.Commands),
			Location: jsonLocation(f.Location), Evidence: f.Evidence, Fingerprint: f.print, Known: f.Known,
			Connection: jsonConnection(f.Connection), Pull: jsonPull(f.Pull),
		}
		if f.Problem != nil {
			shown.Problem = &f.Problem.ID
		}
		if i := f.Ignored; i != nil {
			shown.Ignored = &ignoredJSON{clean(i.Reason), jsonLocation(i.Location), orNull(i.Until)}
		}
		out.Findings = append(out.Findings, shown)
	}
	return out
}

// jsonLocation is null for nowhere; a place that is a file as a whole has no line.
func jsonLocation(place source.Span) *locationJSON {
	p := place.Position()
	switch {
	case p.Path == "":
		return nil
	case p.Line == 0:
		return &locationJSON{Path: clean(p.Path)}
	}
	return &locationJSON{clean(p.Path), &p.Line, &p.Column}
}

// MarshalJSON writes an object. Of members with one name, the further ones are numbered.
func (e evidenceJSON) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	seen := map[string]int{}
	out.WriteByte('{')
	for i, piece := range e {
		if i > 0 {
			out.WriteByte(',')
		}
		name := piece.Name
		if seen[piece.Name]++; seen[piece.Name] > 1 {
			name = fmt.Sprintf("%s#%d", name, seen[piece.Name])
		}
		out.Write(encoded(name))
		out.WriteByte(':')
		out.Write(encoded(plain(piece.Value)))
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// encoded is a value as JSON; what JSON cannot say is spelled out as text.
func encoded(value any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		out.Reset()
		return encoded(fmt.Sprint(value))
	}
	return bytes.TrimSpace(out.Bytes())
}

// plain turns what evidence holds into what JSON has: durations into milliseconds, whatever speaks for itself into
// its words.
func plain(value any) any {
	switch v := value.(type) {
	case nil:
		return nil
	case time.Duration:
		return v.Milliseconds()
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case string:
		return clean(v)
	case error:
		return clean(v.Error())
	case fmt.Stringer:
		return clean(v.String())
	}
	if v := reflect.ValueOf(value); v.Kind() == reflect.Slice {
		items := make([]any, v.Len())
		for i := range items {
			items[i] = plain(v.Index(i).Interface())
		}
		return items
	}
	return value
}

// clean masks what may be a password in a URL, whoever wrote it: the last line of defence.
func clean(text string) string { return source.WithoutPassword(strings.ToValidUTF8(text, "\uFFFD")) }

// list is a list that is never null.
func list(all []string) []string {
	out := make([]string, 0, len(all))
	for _, text := range all {
		out = append(out, clean(text))
	}
	return out
}

// orAll names all runners where none is named.
func orAll(runners, all []string) []string {
	if len(runners) == 0 {
		return all
	}
	return list(runners)
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
