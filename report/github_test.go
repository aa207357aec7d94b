package report

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"runner-preflight/checks"
)

// readGitHub reads commands as the runner does: properties up to the next "::", values unescaped. The summary has the
// counts; of the problems as many are there as are shown.
func readGitHub(t *testing.T, text string) (s seen, annotated map[string]int) {
	t.Helper()
	annotated = map[string]int{}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		if strings.Contains(line, "##[") {
			t.Errorf("a command of the old form: %q", line)
		}
		command, rest, isCommand := strings.Cut(strings.TrimPrefix(line, "::"), " ")
		if !strings.HasPrefix(strings.TrimLeft(line, " \t"), "::") {
			if i < len(lines)-1 && !strings.HasPrefix(line, "skipped: ") {
				t.Errorf("a line is neither command nor skip: %q", line)
			}
			continue
		}
		properties, data, found := strings.Cut(rest, "::")
		if !isCommand || !found || command != "error" && command != "warning" && command != "notice" {
			t.Errorf("no command: %q", line)
		}
		if command == "notice" {
			continue
		}
		annotated[command]++
		values := map[string]string{}
		for _, property := range strings.Split(properties, ",") {
			name, value, _ := strings.Cut(property, "=")
			values[name] = value
		}
		id, _, _ := strings.Cut(values["title"], "%3A")
		s.IDs = append(s.IDs, id)
		if !regexp.MustCompile(`^([^%]|%25|%0A|%0D|%3A|%2C)*$`).MatchString(data + properties) {
			t.Errorf("something is not escaped: %q", line)
		}
	}
	for _, match := range regexp.MustCompile(`([0-9,]+) (passed|failed|not established|warnings?|skipped)`).FindAllStringSubmatch(lines[len(lines)-1], -1) {
		n, _ := strconv.Atoi(strings.ReplaceAll(match[1], ",", ""))
		counts := map[string]*int{
			"passed": &s.Pass, "failed": &s.Fail, "not established": &s.Error, "warning": &s.Warn, "warnings": &s.Warn, "skipped": &s.Skip,
		}
		*counts[match[2]] = n
	}
	return s, annotated
}

func TestGitHubTellsTheSame(t *testing.T) {
	for name, r := range machineSamples() {
		text := written(t, GitHub, r)
		got, annotated := readGitHub(t, text)
		want := seenIn(r)
		if fmt.Sprint(got.Pass, got.Warn, got.Error, got.Fail, got.Skip) != fmt.Sprint(want.Pass, want.Warn, want.Error, want.Fail, want.Skip) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		if annotated["error"] != min(want.Fail, 10) || annotated["warning"] != min(want.Warn+want.Error, 10) {
			t.Errorf("%s has annotations %v", name, annotated)
		}
		if hides := strings.Contains(text, "not among the annotations"); hides != (len(got.IDs) < len(want.IDs)) {
			t.Errorf("%s says of what is hidden: %v", name, hides)
		}
		if strings.Contains(text, "::warning") && strings.LastIndex(text, "\n::error") > strings.Index(text, "::warning") {
			t.Errorf("%s has an error behind a warning", name)
		}
	}
}

// The escapes are those of the runner's own library (actions/toolkit, command.ts).
func TestGitHubEscapes(t *testing.T) {
	f := checks.Failed(store, "a:b,c", "100% of a:b,c\r\n::error::x ##[error]y", "h").At(at("a,b:c%.sh", "x", "x"))
	got := written(t, GitHub, New(Run{Results: []checks.Result{result(configStore, 0, f)}}))
	want := "::error file=a%2Cb%3Ac%25.sh,line=1,endLine=1,col=1,endColumn=1,title=credential-store%3A A credential store holds the passwords" +
		"::100%25 of a:b,c  ::error::x # #[error]y%0Amend: h%0Amore: runner-preflight explain credential-store\nrunner-preflight: 1 failed\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
