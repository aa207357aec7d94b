package report

import (
	"os/exec"
	"strings"
	"testing"

	"runner-preflight/checks"
)

// strict tells whether the schema of the strict dialect takes a text.
func strict(t *testing.T, text string) bool {
	t.Helper()
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("xmllint is not installed (libxml2-utils)")
	}
	command := exec.Command(xmllint, "--noout", "--nonet", "--schema", "testdata/junit.xsd", "-")
	command.Stdin = strings.NewReader(text)
	return command.Run() == nil
}

// TestJUnitSchema holds the schema to what strict readers refuse.
func TestJUnitSchema(t *testing.T) {
	good := written(t, JUnit, baselined("fail A", "warn B", "error C", "skip D", "pass E"))
	if !strict(t, good) {
		t.Fatal(good)
	}
	for _, change := range [][2]string{
		{"<testcase ", `<testcase file="run.sh" `},
		{"<testcase ", `<testcase line="1" `},
		{"<testsuites>", `<testsuites tests="5">`},
		{"</system-out>", "</system-out><warning/>"},
		{"<system-err></system-err>", ""},
		{"<properties>", "<system-err></system-err><properties>"},
		{`T00:00:00"`, `T00:00:00Z"`},
		{`time="0.000"`, `time="1.2s"`},
		{`time="0.000"`, `time="1e-3"`},
		{`hostname="localhost"`, ""},
		{`environment A"`, `environment E"`},
		{`environment A"`, `environment  A"`},
		{`message="env-missing: A`, `message="` + strings.Repeat("a", 2001)},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Errorf("nothing like %s in\n%s", change[0], good)
		} else if strict(t, bad) {
			t.Errorf("the schema takes %.80s", change[1])
		}
	}
}

// TestJUnitOddNames has subjects that are empty, long and alike, and made of blanks: cases stay apart, and cut.
func TestJUnitOddNames(t *testing.T) {
	long := strings.Repeat("ä", 3000)
	lines := []string{"fail ", "pass ", "pass  ", "fail a  b", "fail a b", "fail " + long + "1", "fail " + long + "2", "error " + long, "skip " + long}
	for _, text := range hostileTexts() {
		lines = append(lines, "fail "+text, "skip "+text)
	}
	text := written(t, JUnit, baselined(lines...))
	if !strict(t, text) {
		t.Errorf("the schema refuses %s", text)
	}
	readJUnit(t, text)
	if strings.Count(text, "<testcase ") != len(lines) {
		t.Error("cases are missing")
	}
}

// TestJUnitNothing is a file with one suite, as some readers refuse one without.
func TestJUnitNothing(t *testing.T) {
	text := written(t, JUnit, New(Run{Host: &checks.Host{}}))
	if !strict(t, text) || strings.Count(text, "<testsuite ") != 1 {
		t.Error(text)
	}
}
