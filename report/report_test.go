package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"runner-preflight/checks"
	"runner-preflight/checks/source"
)

var update = flag.Bool("update", false, "write the goldens and checks/README.md anew")

// variants are the formats of the goldens, by the ends of their names.
func variants() map[string]Format {
	return map[string]Format{
		"txt":         Text(TextOptions{Unicode: true}),
		"60.txt":      Text(TextOptions{Unicode: true, Width: 60}),
		"ascii.txt":   Text(TextOptions{}),
		"color.txt":   Text(TextOptions{Unicode: true, Color: true}),
		"quiet.txt":   Text(TextOptions{Unicode: true, Quiet: true}),
		"verbose.txt": Text(TextOptions{Unicode: true, Verbose: true}),
		"json":        JSON,
	}
}

func written(t *testing.T, format Format, r Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := format(&out, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestGoldens(t *testing.T) {
	for name, r := range samples() {
		for end, format := range variants() {
			if name == "thousand" && (end == "json" || end == "verbose.txt") {
				continue // nobody would read them: TestNothingIsCut counts instead
			}
			golden(t, filepath.Join("testdata", name+"."+end), written(t, format, r))
		}
	}
}

// What short texts cut must be whole where they say that it is.
func TestNothingIsCut(t *testing.T) {
	r := samples()["thousand"]
	for _, end := range []string{"json", "verbose.txt"} {
		got := written(t, variants()[end], r)
		found := regexp.MustCompile(`registry-\d{3}\.example\.com has an auth`).FindAllString(got, -1)
		if n := len(unique(found)); n != 1000 {
			t.Errorf("%s has %d of 1000 messages", end, n)
		}
		if strings.Contains(got, "all with") {
			t.Errorf("%s cuts something", end)
		}
	}
}

func TestOutputsAreText(t *testing.T) {
	for name, r := range samples() {
		for end, format := range variants() {
			got := written(t, format, r)
			if !utf8.ValidString(got) || !strings.HasSuffix(got, "\n") || strings.HasSuffix(got, "\n\n") {
				t.Errorf("%s.%s is not UTF-8 that ends in one line break", name, end)
			}
			for _, r := range got {
				control := r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r == 0x2028
				if control && (r != 0x1b || end != "color.txt") {
					t.Errorf("%s.%s has the character %U", name, end, r)
				}
			}
			beyond := func(r rune) bool { return r > 0x7e }
			if end == "ascii.txt" && name != "hostile" && strings.ContainsFunc(got, beyond) {
				t.Errorf("%s.%s is not ASCII", name, end)
			}
		}
	}
}

// escapes are what color adds: the text beneath it must be the same as without.
func TestColorAddsNothing(t *testing.T) {
	for name, r := range samples() {
		var bare strings.Builder
		for i, piece := range strings.Split(written(t, variants()["color.txt"], r), "\x1b[") {
			if i > 0 {
				_, piece, _ = strings.Cut(piece, "m")
			}
			bare.WriteString(piece)
		}
		if diff := cmp.Diff(written(t, variants()["txt"], r), bare.String()); diff != "" {
			t.Errorf("%s in color is another text (-plain +color):\n%s", name, diff)
		}
	}
}

// leaked returns the forms of a secret that a text holds: as it is, reversed in case, or in base64 at any of the
// three shifts.
func leaked(text, secret string) []string {
	forms := []string{secret}
	for shift := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + secret))
		// What depends on the neighbours of the secret is cut off on both sides.
		forms = append(forms, encoded[(shift*8+5)/6:len(encoded)-2])
	}
	var found []string
	for _, form := range forms {
		if strings.Contains(text, form) {
			found = append(found, form)
		}
	}
	return found
}

func TestNoSecrets(t *testing.T) {
	if leaked("x"+canary, canary) == nil ||
		leaked(base64.StdEncoding.EncodeToString([]byte("ci:"+canary+"\n")), canary) == nil {
		t.Fatal("the test would not find a leak")
	}
	for name, r := range samples() {
		for end, format := range variants() {
			if found := leaked(written(t, format, r), canary); found != nil {
				t.Errorf("%s.%s holds %q", name, end, found)
			}
		}
	}
}

func TestJSONIsAsItsSchemaSays(t *testing.T) {
	compiled := compiledSchema(t)
	for name, r := range samples() {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(written(t, JSON, r)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := compiled.Validate(document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The schema must refuse what would break a reader.
func TestSchemaCatchesMistakes(t *testing.T) {
	compiled := compiledSchema(t)
	good := written(t, JSON, samples()["failing"])
	for _, change := range [][2]string{
		{`"schema_version": 1`, `"schema_version": 2`},
		{`"started_at": "2026-11-24T12:37:05Z"`, `"started_at": "2026-11-24T13:37:05+01:00"`},
		{`"duration_ms": 412`, `"duration_ms": 0.412`},
		{`"duration_ms": 412`, `"duration": 412`},
		{`"line": 2`, `"line": 0`},
		{`"problem": "credential-store"`, `"problem": null`},
		{`"status": "fail"`, `"status": "failed"`},
		{`"commands": []`, `"commands": null`},
		{`"evidence": {}`, `"evidence": null`},
		{`"endpoints": [`, `"endpoints": [1,`},
		{`"reason": "no-file"`, `"reason": "none"`},
		{`"role": "PAUSE_IMAGE"`, `"role": "pause"`},
		{`"platform": "linux/amd64"`, `"platform": ""`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Errorf("%s is not in the sample", change[0])
			continue
		}
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if err != nil {
			t.Fatal(err)
		}
		if compiled.Validate(document) == nil {
			t.Errorf("the schema takes %s", change[1])
		}
	}
}

func compiledSchema(t *testing.T) *jsonschema.Schema { return schemaOf(t, Schema()) }

func schemaOf(t *testing.T, schema []byte) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("schema.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func TestEvidenceKeepsItsOrder(t *testing.T) {
	f := checks.Finding{}.With("zebra", 1).With("ant", "<a>&\u2028").With("zebra", []string{"x"}).
		With("bad", func() {})
	text, err := json.Marshal(evidenceJSON(f.Evidence))
	if err != nil {
		t.Fatal(err)
	}
	keys := []int{}
	for _, key := range []string{`"zebra":1`, `"ant":`, `"zebra#2":["x"]`, `"bad":"0x`} {
		keys = append(keys, strings.Index(string(text), key))
	}
	if keys[0] < 0 || keys[0] > keys[1] || keys[1] > keys[2] || keys[2] > keys[3] {
		t.Errorf("got %s", text)
	}
}

// The table is that of the contract: 1 findings at the threshold, 3 nothing established and no such finding, else 0.
func TestExitCode(t *testing.T) {
	pass, skip := checks.Passed("s", "m"), checks.Skipped("s", "m")
	warn, fail := checks.Warned(exposed, "s", "m", "h"), checks.Failed(store, "s", "m", "h")
	undone := checks.Erred(unknown, "s", "m", "h")
	tests := []struct {
		findings       []checks.Finding
		interrupted    bool
		atWarn, atFail int
	}{
		{nil, false, 3, 3},
		{[]checks.Finding{skip}, false, 3, 3},
		{[]checks.Finding{skip, skip}, false, 3, 3},
		{[]checks.Finding{pass}, false, 0, 0},
		{[]checks.Finding{pass, skip}, false, 0, 0},
		{[]checks.Finding{warn}, false, 1, 0},
		{[]checks.Finding{warn, skip}, false, 1, 0},
		{[]checks.Finding{fail, pass}, false, 1, 1},
		{[]checks.Finding{undone, pass}, false, 3, 3},
		{[]checks.Finding{undone, warn}, false, 1, 3},
		{[]checks.Finding{undone, fail}, false, 1, 1},
		{[]checks.Finding{pass}, true, 3, 3},
		{[]checks.Finding{fail}, true, 1, 1},
	}
	for _, test := range tests {
		r := New(Run{
			Results:     []checks.Result{result(configFile, 0, test.findings...)},
			Interrupted: test.interrupted,
		})
		if got := [2]int{r.ExitCode(checks.Warn), r.ExitCode(checks.Fail)}; got != [2]int{test.atWarn, test.atFail} {
			t.Errorf("%v, interrupted %v: got %v, want %v", test.findings, test.interrupted, got, test)
		}
	}
}

// TestPrintedPlace has people told the command that prints a text which is no file, in every format that names such places,
// and machines the name that never changes: the fingerprint knows that alone.
func TestPrintedPlace(t *testing.T) {
	at := func(printedBy string) Report {
		file := source.New("<container runner-1>", []byte("[\n    {\n        \"PAUSE_IMAGE=x\"\n"))
		file.PrintedBy = printedBy
		check := checks.All()[0]
		f := checks.Failed(check.Problems[0], "subject", "message", "hint").At(file.At(17, 22)).For("<container runner-1>")
		return New(Run{Host: &checks.Host{}, Results: []checks.Result{{Check: check, Findings: []checks.Finding{f}}}})
	}
	printed, named := at("docker inspect runner-1"), at("")
	if a, b := fingerprint(problems(printed)[0]), fingerprint(problems(named)[0]); a != b {
		t.Errorf("the fingerprint is %s, and %s without the command", a, b)
	}
	for name, format := range Formats(TextOptions{}) {
		got := written(t, format, printed)
		tells := strings.Contains(got, "docker inspect runner-1:3:10")
		people := !slices.Contains([]string{"json", "sarif", "codequality", "github"}, name)
		if tells != people || people && regexp.MustCompile(`runner-1(>|&gt;):3:10`).MatchString(got) {
			t.Errorf("%s: tells the command: %t\n%s", name, tells, got)
		}
	}
}
