package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"runner-preflight/checks"
)

// The dialect is the strictest of those in use: its files are valid by the schema of Jenkins (junit-10.xsd) and by that
// of Ant. Both refuse file and line on a testcase, Ant's also attributes on testsuites and a time zone in timestamp.
type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	ID         int             `xml:"id,attr"`
	Package    string          `xml:"package,attr"`
	Name       string          `xml:"name,attr"`
	Hostname   string          `xml:"hostname,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
	Out        string          `xml:"system-out"`
	Err        string          `xml:"system-err"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Classname string        `xml:"classname,attr"`
	Name      string        `xml:"name,attr"`
	Time      string        `xml:"time,attr"`
	Skipped   *junitSkip    `xml:"skipped"`
	Error     *junitTrouble `xml:"error"`
	Failure   *junitTrouble `xml:"failure"`
}

type junitSkip struct {
	Message string `xml:"message,attr"`
}

type junitTrouble struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes the report as JUnit XML, as test tabs read it: a suite for each check, a case for each of its findings,
// passes too. A warning is a case that passes, with its text in the suite's output, as is what docker's daemon alone sees.
func JUnit(w io.Writer, r Report) error {
	var out junitSuites
	for i, all := range findings(r) {
		out.Suites = append(out.Suites, junitCheck(r, i, r.Results[i], all))
	}
	if len(out.Suites) == 0 { // a file without a suite is refused by some readers
		out.Suites = []junitSuite{junitEmpty(r)}
	}
	text, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the JUnit report: %w", err)
	}
	// Go writes line breaks as &#xA;, as attributes need it: there are none in these.
	_, err = io.WriteString(w, xml.Header+strings.ReplaceAll(string(text), "&#xA;", "\n")+"\n")
	return err
}

func junitEmpty(r Report) junitSuite {
	suite := junitCheck(r, 0, checks.Result{Check: checks.Check{Name: tool}}, nil)
	suite.Out = nothing(r)
	return suite
}

func junitCheck(r Report, id int, result checks.Result, all []entry) junitSuite {
	suite := junitSuite{
		ID: id, Package: tool, Name: result.Check.Name, Hostname: "localhost",
		Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05"), Tests: len(all), Time: seconds(result.Duration),
		Properties: []junitProperty{{"tool.version", r.Version}},
	}
	if r.Interrupted {
		suite.Properties = append(suite.Properties, junitProperty{"interrupted", "true"})
	}
	taken := map[string]int{}
	var said []string
	for _, f := range all {
		name := cutAt(junitName(f, len(r.Runners) > 1), longestField-len(" #1000000"))
		if taken[name]++; taken[name] > 1 {
			name = fmt.Sprintf("%s #%d", name, taken[name])
		}
		suite.add(f, name)
		if f.Status == checks.Pass && vantage(f.Finding) != "" {
			said = append(said, cut("PASS "+name+": "+oneLine(f.Message)+vantageSuffix(f.Finding))+"\n")
		}
		if f.Status == checks.Warn && f.Ignored == nil {
			said = append(said, cut("WARN "+name+": "+f.id()+": "+f.say()+"\n"+junitText(f))+"\n")
		}
	}
	suite.Out = strings.Join(said, "\n")
	return suite
}

// add appends a finding's case and counts it.
func (s *junitSuite) add(f entry, name string) {
	one := junitCase{Classname: tool + "." + f.check.Name, Name: name, Time: seconds(0)}
	trouble := func() *junitTrouble {
		return &junitTrouble{f.id(), cut(f.id() + ": " + f.say()), cut(junitText(f))}
	}
	switch {
	case f.Ignored != nil:
		one.Skipped = &junitSkip{cut("ignored: " + f.id() + ": " + f.ignoredAs())}
		s.Skipped++
	case f.Known:
		one.Skipped = &junitSkip{cut(f.id() + ": " + f.say())}
		s.Skipped++
	case f.Status == checks.Fail:
		one.Failure = trouble()
		s.Failures++
	case f.Status == checks.Error:
		one.Error = trouble()
		s.Errors++
	case f.Status == checks.Skip:
		one.Skipped = &junitSkip{cut(oneLine(f.Message))}
		s.Skipped++
	}
	s.Cases = append(s.Cases, one)
}

// junitName is the same in each run, whatever comes out: readers follow a test's history by it. It names the runners where
// there are several.
func junitName(f entry, several bool) string {
	name := f.check.Name + " " + withoutTag(oneLine(f.Subject))
	if several && len(f.Runners) > 0 {
		name += " (" + oneLine(strings.Join(f.Runners, ", ")) + ")"
	}
	return strings.Join(strings.Fields(name), " ") // some readers take it for a token, in which blanks are one
}

// withoutTag is an image without what changes with each release of it; anything else stays as it is.
func withoutTag(text string) string {
	repository, _, digest := strings.Cut(text, "@sha256:")
	slash, colon := strings.LastIndex(repository, "/"), strings.LastIndex(repository, ":")
	if slash > 0 && colon > slash && !strings.Contains(repository, "://") {
		return repository[:colon]
	}
	if digest {
		return repository
	}
	return text
}

// junitText is what stands below a case: the place, the remedy, and what explains it.
func junitText(f entry) string {
	lines := f.remedy()
	if where := f.where(); where != "" {
		lines = append([]string{"at " + where}, lines...)
	}
	return strings.Join(lines, "\n")
}

// seconds is a duration as XML schemas want it: decimal, with a point.
func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
