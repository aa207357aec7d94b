package report

import (
	"encoding/xml"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"runner-preflight/checks"
	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

// machines are the formats that other programs read, by the ends of their goldens.
func machines() map[string]Format {
	return map[string]Format{
		"junit.xml": JUnit, "sarif": SARIF, "github": GitHub, "md": Markdown, "codequality.json": CodeQuality,
		"html": HTML,
	}
}

// goldenMachines are the reports whose goldens people read; TestMachinesTellTheSame reads all of them back.
var goldenMachines = []string{"clean", "failing"}

// machineSamples are the samples, and two more with a definition to which findings without a file belong.
func machineSamples() map[string]Report {
	all := samples()
	all["anchored"] = anchored()
	return all
}

// anchored has findings about an image, about its registry, about another host, and about another runner.
func anchored() Report {
	const text = "docker run \\\n  -e X='😀' -e PAUSE_IMAGE=registry.example.com/my-pause:latest \\\n  runner:1\n"
	place := func(what string) source.Span { return at("deploy/run.sh", text, what) }
	host := &checks.Host{Runners: []*checks.Runner{{
		Name: "deploy/run.sh", Definition: &runner.Definition{File: source.New("deploy/run.sh", []byte(text))},
		Images: []checks.Image{
			{Role: checks.RolePause, Reference: pause, Origin: checks.OriginDefinition, Place: place(pause)},
			{Role: checks.RoleRunner, Reference: "runner:1", Origin: checks.OriginDefinition, Place: place("runner:1")},
		},
	}, {Name: "<environment>"}}}
	return New(Run{Version: "0.1.0", Host: host, Results: []checks.Result{result(
		reachable, 0,
		silent("registry.example.com:443", checks.HostPort("registry.example.com:443")).For("deploy/run.sh"),
		silent("bitbucket.org:443").For("deploy/run.sh"),
		missingAt("PAUSE_IMAGE", pause).For("deploy/run.sh"),
		silent("bitbucket.org:443").For("<environment>"),
		checks.Failed(envMissing, "RUNNER_UUID", "it is the output of a command (cat)", "h").As(checks.Skip),
		checks.Failed(envMissing, "OAUTH_CLIENT_ID", "it is set elsewhere", "h").As(checks.Pass),
	)}})
}

// seen is what a format says: how many findings of each status, and the problems in the order of the report.
type seen struct {
	Pass, Warn, Error, Fail, Skip, Ignored int
	IDs                                    []string
}

func seenIn(r Report) seen {
	s := seen{r.Summary.Pass, r.Summary.Warn, r.Summary.Error, r.Summary.Fail, r.Summary.Skip, r.Summary.Ignored, nil}
	for _, f := range problems(r) {
		s.IDs = append(s.IDs, f.id())
	}
	return s
}

func TestMachineGoldens(t *testing.T) {
	for _, name := range goldenMachines {
		for end, format := range machines() {
			if end == "html" {
				continue // see TestHTMLGoldens
			}
			golden(t, filepath.Join("testdata", name+"."+end), written(t, format, samples()[name]))
		}
	}
}

// Each format is read back by another program's parser, and must say what the report says.
func TestMachinesTellTheSame(t *testing.T) {
	readers := map[string]func(*testing.T, Report, string) seen{
		"junit.xml":        func(t *testing.T, _ Report, text string) seen { return readJUnit(t, text) },
		"sarif":            func(t *testing.T, _ Report, text string) seen { return readSARIF(t, text) },
		"codequality.json": readCodeQuality,
		"html":             readHTML,
	}
	for name, r := range machineSamples() {
		for end, read := range readers {
			got, want := read(t, r, written(t, machines()[end], r)), seenIn(r)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s of %s tells something else (-report +format):\n%s", end, name, diff)
			}
		}
	}
}

func TestMachinesAreSafe(t *testing.T) {
	for name, r := range machineSamples() {
		for end, format := range machines() {
			got := written(t, format, r)
			if !utf8.ValidString(got) || !strings.HasSuffix(got, "\n") || strings.HasPrefix(got, "\ufeff") {
				t.Errorf("%s of %s is not UTF-8 that ends in a line break", end, name)
			}
			if found := leaked(got, canary); found != nil {
				t.Errorf("%s of %s holds %q", end, name, found)
			}
			bad := func(r rune) bool {
				return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e
			}
			if i := strings.IndexFunc(got, bad); i >= 0 {
				t.Errorf("%s of %s has a control character at %q", end, name, got[i:min(i+20, len(got))])
			}
			if got != written(t, format, r) {
				t.Errorf("%s of %s differs from run to run", end, name)
			}
		}
	}
}

// element is any element of XML, as the parser has it.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
	Text     string     `xml:",chardata"`
}

func (e element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (e element) names() []string {
	var names []string
	for _, child := range e.Children {
		names = append(names, child.XMLName.Local)
	}
	return names
}

// readJUnit counts the children, and compares what the suites say of them.
func readJUnit(t *testing.T, text string) seen {
	t.Helper()
	lintXML(t, text)
	var root element
	if err := xml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatal(err)
	}
	var all seen
	for i, suite := range root.Children {
		s := readSuite(t, suite)
		want := fmt.Sprint(i, s.Pass+s.Warn+s.Fail+s.Error+s.Skip+s.Ignored, s.Fail, s.Error, s.Skip+s.Ignored)
		got := strings.Join([]string{suite.attr("id"), suite.attr("tests"), suite.attr("failures"), suite.attr("errors"), suite.attr("skipped")}, " ")
		if got != want {
			t.Errorf("a suite counts %s, its children are %s", got, want)
		}
		all = seen{
			all.Pass + s.Pass, all.Warn + s.Warn, all.Error + s.Error, all.Fail + s.Fail, all.Skip + s.Skip,
			all.Ignored + s.Ignored, append(all.IDs, s.IDs...),
		}
	}
	return all
}

func readSuite(t *testing.T, suite element) seen {
	t.Helper()
	names := suite.names()
	// The order is what the strict schemas ask for.
	if n := len(names); n < 3 || names[0] != "properties" || names[n-2] != "system-out" || names[n-1] != "system-err" {
		t.Errorf("a suite is made of %v", names)
	}
	var s seen
	taken := map[string]bool{}
	warnings := map[string]string{}
	for _, line := range strings.Split(suite.Children[len(names)-2].Text, "\n") {
		if rest, found := strings.CutPrefix(line, "WARN "); found {
			parts := strings.SplitN(rest, ": ", 3)
			warnings[parts[0]] = parts[1]
		}
	}
	for _, c := range suite.Children[1 : len(names)-2] {
		name := c.attr("classname") + " " + c.attr("name")
		if taken[name] || c.attr("time") == "" {
			t.Errorf("a testcase is there twice or has no time: %s", name)
		}
		taken[name] = true
		for _, field := range append(c.Children, c) {
			for _, value := range []string{field.Text, field.attr("name"), field.attr("message")} {
				if utf8.RuneCountInString(value) > longestField {
					t.Errorf("%s has %d characters", field.XMLName.Local, utf8.RuneCountInString(value))
				}
			}
		}
		switch kinds := strings.Join(c.names(), " "); {
		case kinds == "failure":
			s.Fail++
			s.IDs = append(s.IDs, c.Children[0].attr("type"))
		case kinds == "error":
			s.Error++
			s.IDs = append(s.IDs, c.Children[0].attr("type"))
		case kinds == "skipped" && strings.HasPrefix(c.Children[0].attr("message"), "ignored: "):
			s.Ignored++
		case kinds == "skipped":
			s.Skip++
		case warnings[c.attr("name")] != "":
			s.Warn++
			s.IDs = append(s.IDs, warnings[c.attr("name")])
		default:
			s.Pass++
		}
	}
	return s
}

// lintXML asks libxml2, which notices what Go's decoder does not, as an attribute that is there twice.
func lintXML(t *testing.T, text string) {
	t.Helper()
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		return
	}
	command := exec.Command(xmllint, "--noout", "--nonet", "--schema", "testdata/junit.xsd", "-")
	command.Stdin = strings.NewReader(text)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("xmllint: %v\n%s", err, out)
	}
}

// A name must be the same in each run, or the history of the test is lost.
func TestJUnitNamesAreStable(t *testing.T) {
	for subject, want := range map[string]string{
		"PAUSE_IMAGE":                         "image-resolves PAUSE_IMAGE",
		"bitbucket.org:443":                   "image-resolves bitbucket.org:443",
		"registry.example.com:5000/a/b:1.2.3": "image-resolves registry.example.com:5000/a/b",
		"registry.example.com:5000/a/b":       "image-resolves registry.example.com:5000/a/b",
		"a/b:1@sha256:0123":                   "image-resolves a/b",
		"a@sha256:0123":                       "image-resolves a",
		"https://index.docker.io/v1/":         "image-resolves https://index.docker.io/v1/",
	} {
		f := entry{Finding: checks.Passed(subject, "12 ms"), check: resolves}
		if got := junitName(f, false); got != want {
			t.Errorf("%s is called %q, want %q", subject, got, want)
		}
	}
}

func TestFingerprintsAreUniqueAndStable(t *testing.T) {
	for name, r := range machineSamples() {
		var prints []string
		for _, f := range problems(r) {
			prints = append(prints, f.print)
		}
		if slices.Sort(prints); len(slices.Compact(prints)) != len(problems(r)) {
			t.Errorf("%s has a fingerprint twice", name)
		}
	}
	print := func(text, message string) string {
		f := checks.Failed(store, "credsStore", message, "h").At(at("config.json", text, `"credsStore"`))
		return problems(New(Run{Results: []checks.Result{result(configStore, 0, f)}}))[0].print
	}
	if print(configText, "after 3 ms") != print("\n\n"+configText, "after 4 ms") {
		t.Error("a line more changes the fingerprint")
	}
}
