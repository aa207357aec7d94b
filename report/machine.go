package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"runner-preflight/checks"
	"runner-preflight/checks/source"
)

// longestField is how many characters of one field are written where readers cut at that: Bitbucket Pipelines does.
const longestField = 2000

// ansi matches what colors a terminal or moves its cursor.
var ansi = regexp.MustCompile(`\x1b(\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_])`)

// oneLine is a text from anywhere, in one line without anything unseen. Secrets are looked for on both sides of what is
// taken out, as it may have stood within one.
func oneLine(text string) string {
	text = ansi.ReplaceAllString(clean(text), "")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r':
			return ' '
		case r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0:
			return -1
		}
		return r
	}, text)
	return clean(source.Printable(text))
}

// cut shortens a text to one field, and says so.
func cut(text string) string { return cutAt(text, longestField) }

// cutAt shortens a text to so many characters, and says so.
func cutAt(text string, most int) string {
	const mark = "… (cut)"
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-utf8.RuneCountInString(mark)]) + mark
}

// entry is a finding with where it stands in a report and what it comes down to.
type entry struct {
	checks.Finding
	check checks.Check
	// by are the causes that explain it; empty for what has to be mended itself.
	by []Ref
	// print tells the finding from all others of the report, and is the same in the next report.
	print string
}

// findings are those of a report by check, in its order.
func findings(r Report) [][]entry {
	by := map[place][]Ref{}
	for _, cause := range r.Causes {
		for _, at := range cause.own {
			by[at] = cause.By
		}
	}
	seen := map[string]int{}
	all := make([][]entry, len(r.Results))
	for i, result := range r.Results {
		for j, f := range result.Findings {
			one := entry{Finding: f, check: result.Check, by: by[place{i, j}]}
			one.print = fingerprint(one)
			if seen[one.print]++; seen[one.print] > 1 {
				one.print = fmt.Sprintf("%s:%d", one.print, seen[one.print])
			}
			all[i] = append(all[i], one)
		}
	}
	return all
}

// problems are the warnings, errors and failures of a report, in its order.
func problems(r Report) []entry {
	return slices.DeleteFunc(slices.Concat(findings(r)...), func(f entry) bool { return !f.trouble() })
}

// fingerprint knows neither the line nor the message, which may hold times, nor what is secret.
func fingerprint(f entry) string {
	sum := sha256.New()
	for _, part := range append([]string{
		f.check.Name, f.id(), clean(f.Subject), clean(f.Root), clean(f.Location.Position().Path),
	}, f.Runners...) {
		fmt.Fprintf(sum, "%q\n", part)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// trouble tells whether something was found that counts: a skip may name a problem too, as the reason.
func (f entry) trouble() bool { return f.Status >= checks.Warn && f.Problem != nil && f.Ignored == nil }

// ignoredAs is why a finding is ignored, and where that stands.
func (f entry) ignoredAs() string {
	text := ignoredReason(f.Finding)
	if f.Ignored.Until != "" {
		text += " (until " + f.Ignored.Until + ")"
	}
	return oneLine(text + " (" + f.Ignored.Location.Position().String() + ")")
}

// id is that of the finding's problem; empty on a pass and a skip.
func (f entry) id() string {
	if f.Problem == nil {
		return ""
	}
	return f.Problem.ID
}

// say is the finding's message; what could not be established is entry apart from what was found.
func (f entry) say() string {
	if f.Status == checks.Error {
		return "could not be established: " + oneLine(f.Message)
	}
	return oneLine(f.Message) + knownSuffix(f.Known)
}

// about is what the finding says, with its subject where neither a place nor the message names it.
func (f entry) about() string {
	subject := oneLine(f.Subject)
	if isFile(f.Location) || subject == "" || strings.Contains(f.Message, f.Subject) {
		return f.say()
	}
	return subject + ": " + f.say()
}

// remedy says in lines what to do: first mend what explains the finding, else the hint, and commands to paste; and from
// where the image was looked at.
func (f entry) remedy() []string {
	var lines []string
	for _, ref := range f.by {
		lines = append(lines, "explained by "+ref.Problem+" ("+oneLine(ref.Root)+"): mend that first")
	}
	if f.Hint != "" {
		lines = append(lines, "mend: "+oneLine(f.Hint))
	}
	for _, command := range f.Commands {
		for _, line := range strings.Split(command, "\n") {
			lines = append(lines, "$ "+oneLine(line))
		}
	}
	if seen := vantage(f.Finding); seen != "" {
		lines = append(lines, "vantage: "+seen)
	}
	return append(lines, "more: "+tool+" explain "+f.id())
}

// where is the finding's place in words; empty for nowhere.
func (f entry) where() string { return oneLine(f.Location.Position().String()) }

// vantage is from where an image was looked at: "this process", "docker daemon", "both"; empty for what is about no image.
func vantage(f checks.Finding) string {
	for _, e := range f.Evidence {
		if e.Name == "vantage" {
			return oneLine(fmt.Sprint(e.Value))
		}
	}
	return ""
}
