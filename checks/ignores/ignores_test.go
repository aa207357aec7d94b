package ignores

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"runner-preflight/checks/source"
)

// covered are the lines, from 1, of which an ignore covers the first character; "all" is the file.
func covered(file *source.File, i Ignore) string {
	if i.Reach.Whole {
		return "all"
	}
	var lines []string
	for n := range bytes.Count(file.Text, []byte("\n")) + 1 {
		start, _ := file.Line(n + 1)
		if i.Reach.Covers(file.At(start, start)) {
			lines = append(lines, fmt.Sprint(n+1))
		}
	}
	return strings.Join(lines, " ")
}

func TestReach(t *testing.T) {
	const c = "# runner-preflight: ignore=a why"
	for name, test := range map[string]struct {
		style Style
		text  string
		want  string
	}{
		"above a line":                  {Script, "x\n" + c + "\ny\nz", "3"},
		"above a line, Windows":         {Script, "x\r\n" + c + "\r\ny \\\r\n  z\r\nz", "3 4"},
		"above joined lines":            {Script, "x\n" + c + "\ny \\\n  1 \\\n  2\nz", "3 4 5"},
		"blanks behind the backslash":   {Script, "x\n" + c + "\ny \\  \n  1\nz", "3 4"},
		"a comment between the lines":   {Script, "x\n" + c + "\ny \\\n  # no\n  1 \\\n 2\nz", "3 4 5 6"},
		"on another comment":            {Script, "x\n" + c + "\n# more\ny\nz", "4"},
		"above a blank line":            {Script, "x\n" + c + "\n\ny", ""},
		"at the end":                    {Script, "x\n" + c, ""},
		"end of line":                   {Script, "x\ny " + c + "\nz", "2"},
		"end of the last joined line":   {Script, "x\ny \\\n z " + c + "\nz", "3"},
		"indented":                      {Script, "x\n\t" + c + "\n\ty\nz", "3"},
		"head":                          {Script, "#!/bin/sh\n\n" + c + "\nx", "all"},
		"head behind a byte order mark": {Script, "\ufeff" + c + "\nx", "all"},
		"head of nothing else":          {EnvFile, c, "all"},
		"head of YAML":                  {YAML, "%YAML 1.2\n---\n" + c + "\na: b", "all"},
		"dashes are no head of scripts": {Script, "---\n" + c + "\na", "3"},
		"a block":                       {YAML, "a:\n" + c + "\nb:\n  c: 1\n\n  d:\n    e: 1\n# x\nf: 1", "3 4 5 6 7"},
		"a list below its key":          {YAML, "a:\n" + c + "\nb:\n- c: 1\n  d: 1\n- e\nf: 1", "3 4 5 6"},
		"an item":                       {YAML, "a:\n  " + c + "\n  - b: 1\n    c: 1\n  - d: 1", "3 4"},
		"end of a key's line":           {YAML, "a:\nb: " + c + "\n  c: 1", "2"},
		"semicolon":                     {Unit, "[Unit]\n;" + c[1:] + "\nExecStart=a \\\n b\nc", "3 4"},
		"inside of a unit's command":    {Unit, "a\nb \\\n" + c + "\n c \\\n d\ne", "4 5"},
	} {
		file := source.New("f", []byte(test.text))
		found, mistakes := Comments(file, test.style, nil)
		if len(found) != 1 || len(mistakes) > 0 {
			t.Errorf("%s: %+v %+v", name, found, mistakes)
			continue
		}
		if got := covered(file, found[0]); got != test.want {
			t.Errorf("%s covers the lines %q, want %q", name, got, test.want)
		}
		if !strings.Contains(found[0].Place.Text(), "runner-preflight: ignore=a why") || found[0].Reason != "why" {
			t.Errorf("%s: %q because of %q", name, found[0].Place.Text(), found[0].Reason)
		}
	}
}

// A command of several lines without backslashes is covered as a whole too: the reader of commands knows where it ends.
func TestReachOfCommands(t *testing.T) {
	text := "x\n# runner-preflight: ignore=a why\nrun $(\n  1\n  2)\ny\n"
	file := source.New("f", []byte(text))
	start, end := strings.Index(text, "run $"), strings.Index(text, "\ny")
	found, _ := Comments(file, Script, []source.Span{file.At(start, end), file.Whole(), {}, file.At(0, 1)})
	if got := covered(file, found[0]); got != "3 4 5" {
		t.Errorf("the lines %s are covered", got)
	}
	if found[0].Reach.Covers(file.Whole()) {
		t.Error("the file as a whole is covered by a part of it")
	}
}

func TestReasons(t *testing.T) {
	for rest, want := range map[string]string{
		" known, see ABC-12":       "known, see ABC-12",
		"\twhy \t so ":             "why so",
		" -- why":                  "why",
		" : ":                      "",
		"":                         "",
		" until=2027-01-31 why":    "why",
		" why until=2027-01-31":    "why",
		" until=2027-01-31":        "",
		" why until=2027-01-31 so": "why so",
		" a=b why":                 "a=b why",
		" 漢字\x1b[2J\u202e\xff":     "漢字\uFFFD[2J\uFFFD\uFFFD",
		" https://tracker.example.com/browse/ABC-1234567890": "https://tracker.example.com/browse/ABC-1234567890",
		" token=" + "s3cr3t":                             "token=********",
		" ghp_" + "0123456789abcdefABCDEF0123456789abcd": "********",
		" https://ci:s3cr3t@registry.example.com/":       "https://********@registry.example.com/",
		" " + strings.Repeat("wort ", 100):               strings.TrimRight(strings.Repeat("wort ", 32), "") + "…",
	} {
		file := source.New("f", []byte("x # runner-preflight: ignore=a"+rest))
		found, mistakes := Comments(file, Script, nil)
		if len(found) != 1 || len(mistakes) > 0 {
			t.Errorf("%q: %+v %+v", rest, found, mistakes)
			continue
		}
		if found[0].Reason != want {
			t.Errorf("%q: the reason is %q, want %q", rest, found[0].Reason, want)
		}
		if strings.Contains(rest, "until") == found[0].Until.IsZero() {
			t.Errorf("%q: until %v", rest, found[0].Until)
		}
	}
}

func TestDays(t *testing.T) {
	day := Day{Time: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)}
	for now, want := range map[string]bool{
		"2027-01-30T23:00:00Z": false, "2027-01-31T23:59:59Z": false, "2027-02-01T00:00:00Z": true,
		"2027-02-01T01:00:00+02:00": false, "2027-01-31T23:00:00-02:00": true,
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil || day.Over(at) != want {
			t.Errorf("at %s it is over: %v, %v", now, !want, err)
		}
	}
	if (Day{}).Over(time.Now()) {
		t.Error("no end is over")
	}
}

func TestGlob(t *testing.T) {
	for _, test := range []struct {
		pattern, path string
		want          bool
	}{
		{"run.sh", "run.sh", true},
		{"./run.sh", "run.sh", true},
		{"run.sh", "deploy/run.sh", false},
		{"run.sh", "runxsh", false},
		{"*.sh", "run.sh", true},
		{"*.sh", "deploy/run.sh", false},
		{"*/run.sh", "deploy/run.sh", true},
		{"*/run.sh", "a/deploy/run.sh", false},
		{"**/run.sh", "run.sh", true},
		{"**/run.sh", "a/b/run.sh", true},
		{"**/run.sh", "a/b/xrun.sh", false},
		{"deploy/**", "deploy/a/b", true},
		{"deploy/**", "deployed/a", false},
		{"deploy/**/run.sh", "deploy/run.sh", true},
		{"deploy/**/run.sh", "deploy/a/b/run.sh", true},
		{"r?n.sh", "run.sh", true},
		{"a?b", "a/b", false},
		{"**", "", true},
		{"**", "/etc/x\ny", true},
		{"[a]{b}(c)+", "[a]{b}(c)+", true},
		{"漢*", "漢字", true},
		{"", "", true},
		{"\xff", "\xff", false},
	} {
		if got := NewGlob(test.pattern).Match(test.path); got != test.want {
			t.Errorf("%q matches %q: %v", test.pattern, test.path, got)
		}
	}
}

// The schema takes what the parser takes without a word, and refuses what it has a word for, but for the names of
// problems, which it does not know.
func TestSchema(t *testing.T) {
	compiled := compile(t)
	paths, err := filepath.Glob("../../testdata/ignores-valid/*/" + FileName)
	if err != nil || len(paths) == 0 {
		t.Fatal("no samples", err)
	}
	texts := map[string][]byte{
		"empty": nil, "null": []byte("---\n"), "number": []byte("12\n"), "key": []byte("{ignore: []}"), "scalar": []byte("ignores: x"),
		"time":   []byte("ignores: [{problem: a, path: b, reason: c, until: 2027-01-31T00:00:00Z}]"),
		"bool":   []byte("ignores: [{problem: a, path: b, reason: yes, subject: true}]"),
		"quotes": []byte(`ignores: [{problem: 'a', "path": "b", reason: "c", until: "2027-01-31"}]`),
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = data
	}
	for name, text := range texts {
		found, mistakes := ParseFile(FileName, text)
		good := len(mistakes) == 0
		for _, ignore := range found {
			good = good && ignore.Reason != "" && !strings.Contains(ignore.Names[0].ID, "_")
		}
		var node yaml.Node
		if yaml.Unmarshal(text, &node) != nil || bytes.Contains(text, []byte("\n---\n")) {
			if good {
				t.Errorf("%s is no document, and nobody says so", name)
			}
			continue
		}
		twice := strings.Contains(string(text), "reason: a\n  reason: b") // no schema sees that
		if err := compiled.Validate(plainJSON(&node)); (err == nil) != good && !twice {
			t.Errorf("%s: the schema says %v, the parser %+v", name, err, mistakes)
		}
	}
}

// plainJSON is a document as an editor shows it to the schema: a date without quotes is text there.
func plainJSON(node *yaml.Node) any {
	switch node.Kind {
	case yaml.DocumentNode:
		return plainJSON(node.Content[0])
	case yaml.AliasNode:
		return plainJSON(node.Alias)
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range node.Content {
			list = append(list, plainJSON(item))
		}
		return list
	case yaml.MappingNode:
		object := map[string]any{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			object[node.Content[i].Value] = plainJSON(node.Content[i+1])
		}
		return object
	}
	var value any
	if tag := node.ShortTag(); tag == "!!str" || tag == "!!timestamp" || node.Decode(&value) != nil {
		return node.Value
	}
	text, err := json.Marshal(value)
	if err != nil {
		return node.Value
	}
	value, _ = jsonschema.UnmarshalJSON(bytes.NewReader(text))
	return value
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
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

// Places are those of what is named, whatever stands around it.
func TestPlaces(t *testing.T) {
	text := "\ufeff# 漢字\nignores:\n- {problem: \"a\", path: 'b', until: nie, reason: 漢}\n- problem: c\n  path: |\n    d\n  reason: >\n    x\n    y\n- x: 1\n"
	found, mistakes := ParseFile("f", []byte(text))
	var got []string
	for _, m := range mistakes {
		got = append(got, fmt.Sprintf("%s %q", m.Place.Position(), m.Place.Text()))
	}
	for _, i := range found {
		got = append(got, fmt.Sprintf("%s %q %q", i.Place.Position(), i.Place.Text(), i.Reason))
	}
	want := []string{`f:3:36 "nie"`, `f:10:3 "x"`, `f:4:12 "c" "x y"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whatever is in a file, reading it takes time in proportion to its size, and little memory.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	const c = "# runner-preflight: ignore=a,b,c why\n"
	again := func(text string, size int) string { return strings.Repeat(text, size/len(text)+1) }
	const size = 1 << 20
	deep := ""
	for i := range 1000 {
		deep += strings.Repeat(" ", i) + c + strings.Repeat(" ", i) + "a:\n"
	}
	for name, text := range map[string]string{
		"one line":           "x " + again("# runner-preflight: ignore=a why ", 10<<20),
		"one line of blanks": "x\n" + again(" ", size) + c + "x",
		"no comment":         again("runner-preflight ", size),
		"blanks between":     again("runner-preflight          ", size),
		"comments":           "x\n" + again(c, size) + "y",
		"in a command":       "x\n" + again("a \\\n"+c, size) + "y",
		"above a long line":  "x\n" + again(c+"y\n", size/2) + again("z", size/2),
		"many names":         "x # runner-preflight: ignore=" + again("a,", size),
		"nested blocks":      deep + again(strings.Repeat(" ", 1100)+"x\n", size),
		"shallow blocks":     "x\n" + strings.Repeat(c+"a:\n", 900) + again(" x\n", size),
		"joined":             "x\n" + strings.Repeat(c+"a \\\n", 900) + again(" x\\\n", size),
		"until":              "x # runner-preflight: ignore=a" + again(" until=2027-01-31", size),
		"hashes":             again("#", size) + " runner-preflight: ignore=a",
	} {
		for _, style := range []Style{Script, YAML} {
			started := time.Now()
			found, mistakes := Comments(source.New("f", []byte(text)), style, nil)
			if took := time.Since(started); took > 30*time.Second {
				t.Errorf("%s takes %v in style %d", name, took, style)
			}
			if len(found)+len(mistakes) > mostIgnores+1 {
				t.Errorf("%s has %d ignores", name, len(found))
			}
		}
		started := time.Now()
		Alone("f", []byte(text))
		if took := time.Since(started); took > 30*time.Second {
			t.Errorf("%s takes %v", name, took)
		}
	}
	for name, text := range map[string]string{
		"brackets": again("[", maxFile-10), "braces": again("{a: ", maxFile-10), "anchors": again("- &a [*a]\n", maxFile-10), "dashes": again("- ", maxFile-10),
		"tokens":  "ignores: [{problem: a, path: b, reason: \"" + again("token=://", maxFile-100) + "\"}]",
		"aliases": "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nignores: [*c,*c,*c,*c]",
		"entries": "ignores:\n" + again("- {problem: a, path: '**a**b**c**', reason: x}\n", maxFile-100),
	} {
		started := time.Now()
		found, _ := ParseFile("f", []byte(text))
		if took := time.Since(started); took > 30*time.Second || len(found) > mostIgnores {
			t.Errorf("%s takes %v and has %d", name, took, len(found))
		}
	}
}

// Of a file that no reader has searched for secrets nothing is shown but the comments.
func TestAloneHidesTheRest(t *testing.T) {
	file := Alone("f", []byte("PASSWORD hunter2 # runner-preflight: ignore=a why\nhunter2\n# runner-preflight: ignore=b why\nhunter2"))
	found, _ := Comments(file, Script, nil)
	if len(found) != 2 {
		t.Fatal(found)
	}
	for _, place := range []source.Span{found[0].Place, found[1].Place, file.At(0, 1), file.At(len(file.Text)-1, len(file.Text))} {
		if text := place.Excerpt().Text; strings.Contains(text, "hunter") {
			t.Errorf("%q shows it", text)
		}
	}
}

func FuzzComments(f *testing.F) {
	for _, text := range []string{
		"x # runner-preflight: ignore=a,b until=2027-01-31 why", "#!/bin/sh\n# runner-preflight: ignore=a\nx \\\n y",
		"; runner-preflight:ignore=\n", "a:\n # runner-preflight: ignore=a x\n - b\n", "\ufeff#runner-preflight ignore=x\r\n",
	} {
		f.Add(text, 0)
		f.Add(text, 3)
	}
	f.Fuzz(func(t *testing.T, text string, style int) {
		file := source.New("f", []byte(text))
		found, mistakes := Comments(file, Style(style&3), []source.Span{file.At(0, len(text)), file.At(len(text)/2, len(text))})
		wellPlaced(t, file, found, mistakes)
		for _, i := range found {
			if r := i.Reach; !r.Whole && (r.Start > r.End || r.End > len(text)) {
				t.Errorf("it covers %+v", r)
			}
		}
		Alone("f", []byte(text))
	})
}

func FuzzParseFile(f *testing.F) {
	paths, err := filepath.Glob("../../testdata/ignores-valid/*/" + FileName)
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		found, mistakes := ParseFile("f", data)
		file := source.New("f", bytes.TrimPrefix(data, []byte("\ufeff")))
		wellPlaced(t, file, found, mistakes)
		for _, i := range found {
			i.Path.Match("deploy/run.sh")
		}
	})
}

func wellPlaced(t *testing.T, file *source.File, found []Ignore, mistakes []Mistake) {
	t.Helper()
	check := func(place source.Span) {
		if place.Start >= 0 && (place.Start > place.End || place.End > len(file.Text)) {
			t.Errorf("a place is outside of the text: %d to %d of %d", place.Start, place.End, len(file.Text))
		}
		place.Excerpt()
	}
	for _, m := range mistakes {
		check(m.Place)
		if m.Detail == "" || m.Hint == "" && len(m.Choices) == 0 {
			t.Errorf("a mistake without words: %+v", m)
		}
	}
	for _, i := range found {
		check(i.Place)
		if len(i.Names) == 0 || i.Reason != source.Printable(i.Reason) || len([]rune(i.Reason)) > longestReason+1 {
			t.Errorf("%+v", i)
		}
		for _, name := range i.Names {
			check(name.Place)
			if !i.External && name.Place.Text() != name.ID {
				t.Errorf("%q stands where %q is", name.Place.Text(), name.ID)
			}
			name.Shown()
		}
	}
}

// What is not understood may be anything: nothing that is said or shown of it holds what stands there.
func TestNothingSecretIsShown(t *testing.T) {
	const canary = "cAnAry7Qx"
	for _, text := range []string{
		"ignores: [{problem: a, path: b, pasword: '@'}]",
		"ignores: [{pasword: '@', problem: a, path: b}, {path: x, reson: y}]",
		"ignores: [{pasword: [x,\n @], reson: @, problem: [a, @]}]",
		"ignores:\n- pasword: >\n    @\n  reson: @",
		"ignores:\n- reason: {a: @}\n  path: b\n  problem: a",
		"ignores:\n- '@'\n- @x\n- [@]",
		"ignores: '@'",
		"secret: x\nignore: @",
		"ignores: [{problem: a, path: b, reason: 'the token: @'}]",
		"ignores: [{problem: a, path: b, reason: \"https://ci:@@example.com/\"}]",
		"'@'",
		"- '@'",
		"ignores:\n- problem: a\n  reason: '@\n",
		"ignores: [\n- problem: *x\n  pasword: @ }",
		"{password: @",
		"a: 1\n---\n@",
	} {
		text = strings.ReplaceAll(text, "@@", canary+"@")
		text = strings.ReplaceAll(text, "@", canary)
		text = strings.ReplaceAll(text, canary+canary, canary+"@")
		found, mistakes := ParseFile("f", []byte(text))
		var said []string
		for _, m := range mistakes {
			said = append(said, m.Detail, m.Hint, m.Word, m.Place.Excerpt().Text)
		}
		for _, i := range found {
			said = append(said, i.Reason, i.Place.Excerpt().Text, i.Names[0].Shown(), i.Subject)
		}
		for _, line := range said {
			if strings.Contains(line, canary) {
				t.Errorf("%q: %q", text, line)
			}
		}
		if len(said) == 0 {
			t.Errorf("%q: nothing is said", text)
		}
	}
}
