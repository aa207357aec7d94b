package report

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"runner-preflight/checks"
	"runner-preflight/checks/network"
)

// htmlSamples are the reports that pages are tested with: those of the machine formats, and two for the pictures.
func htmlSamples() map[string]Report {
	all := machineSamples()
	for name, results := range map[string][]checks.Result{
		"many-hosts": manyHosts(), "hostile-ways": hostileWays(),
	} {
		all[name] = New(Run{
			Version: "0.1.0", Started: all["clean"].Started, Duration: 3 * time.Second, Host: oneRunner(), Results: results,
		})
	}
	return all
}

func parsed(t testing.TB, text string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// elements are those of a page, in its order.
func elements(root *html.Node) []*html.Node {
	var all []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			all = append(all, n)
		}
	}
	return all
}

func attribute(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func textOf(n *html.Node) string {
	var out strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			out.WriteString(d.Data)
		}
	}
	return out.String()
}

// withClass are the elements of a class.
func withClass(root *html.Node, class string) []*html.Node {
	return slices.DeleteFunc(elements(root), func(n *html.Node) bool {
		classes, _ := attribute(n, "class")
		return !slices.Contains(strings.Fields(classes), class)
	})
}

// readHTML counts the findings of the page, and compares what its head says of them.
func readHTML(t *testing.T, r Report, text string) seen {
	t.Helper()
	root := parsed(t, text)
	var all seen
	counts := map[string]*int{
		"pass": &all.Pass, "warn": &all.Warn, "error": &all.Error, "fail": &all.Fail, "skip": &all.Skip,
		"ignored": &all.Ignored,
	}
	for _, n := range withClass(root, "finding") {
		state, _ := attribute(n, "data-state")
		*counts[state]++
		if id, found := attribute(n, "data-problem"); found {
			all.IDs = append(all.IDs, id)
		}
	}
	var told []string
	for _, n := range withClass(root, "counts") {
		told = strings.Fields(textOf(n))
	}
	for state, n := range counts {
		if i := slices.Index(told, strings.ToUpper(state)); state == "ignored" && *n == 0 {
			if i >= 0 {
				t.Error("the head tells of ignored findings, and there are none")
			}
		} else if i < 0 || told[i+1] != checks.Thousands(*n) {
			t.Errorf("the head says %q, and there are %d with %s", told, *n, state)
		}
	}
	tops := len(slices.DeleteFunc(slices.Clone(r.Causes), func(c Cause) bool { return len(c.By) > 0 }))
	if got := len(withClass(root, "cause")) + len(withClass(root, "brief")); got != tops {
		t.Errorf("the page has %d causes, the report %d", got, tops)
	}
	return all
}

var ownCode = regexp.MustCompile(`(?s)(<style>).*?(</style>)|(<script>).*?(</script>)|'sha256-[^']*'|&#39;sha256-.*?&#39;`)

// The goldens leave out the style and the script, which have files of their own.
func TestHTMLGoldens(t *testing.T) {
	for _, name := range []string{"clean", "failing", "ways", "nothing"} {
		got := ownCode.ReplaceAllString(written(t, HTML, samples()[name]), "$1$2$3$4")
		golden(t, filepath.Join("testdata", name+".html"), got)
	}
}

// A page is one file: nothing in it can load, send or run anything but its own style and script.
func TestHTMLIsSelfContained(t *testing.T) {
	for name, r := range htmlSamples() {
		text := written(t, HTML, r)
		code := map[string][]string{}
		for _, n := range elements(parsed(t, text)) {
			switch n.Data {
			case "style", "script":
				code[n.Data] = append(code[n.Data], textOf(n))
			case "img", "iframe", "object", "embed", "link", "base", "form", "video", "audio", "source", "image", "animate", "set":
				t.Errorf("%s has the element %s", name, n.Data)
			}
			for _, a := range n.Attr {
				switch key := strings.ToLower(a.Key); {
				case key == "href" && !strings.HasPrefix(a.Val, "#"),
					key == "src", key == "style", key == "action", strings.HasPrefix(key, "on"),
					key == "http-equiv" && a.Val != "Content-Security-Policy":
					t.Errorf("%s has the attribute %s=%q", name, a.Key, a.Val)
				case n.Data == "meta" && key == "content" && strings.Contains(a.Val, "default-src"):
					if a.Val != htmlPolicy() || strings.Contains(a.Val, "unsafe") {
						t.Errorf("%s has the policy %s", name, a.Val)
					}
				}
			}
		}
		if len(code["style"]) != 1 || len(code["script"]) != 1 || code["style"][0] != htmlStyle || code["script"][0] != htmlScript {
			t.Errorf("%s has other code than its own", name)
		}
	}
	if strings.Contains(htmlStyle+htmlScript, "://") || strings.Contains(htmlStyle, "@import") {
		t.Error("the page's code names another host")
	}
}

// Links lead somewhere, names are there once, headings go down step by step, and no picture is without its words.
func TestHTMLIsWellMade(t *testing.T) {
	for name, r := range htmlSamples() {
		ids, level := map[string]bool{}, 0
		all := elements(parsed(t, written(t, HTML, r)))
		for _, n := range all {
			if id, found := attribute(n, "id"); found {
				if ids[id] || id == "" {
					t.Errorf("%s has the ID %q twice", name, id)
				}
				ids[id] = true
			}
		}
		for _, n := range all {
			for _, key := range []string{"href", "aria-labelledby"} {
				to, found := attribute(n, key)
				if to, _ = strings.CutPrefix(to, "#"); found && !ids[to] {
					t.Errorf("%s: %s=%q leads nowhere", name, key, to)
				}
			}
			if len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
				next := int(n.Data[1] - '0')
				if next > level+1 {
					t.Errorf("%s: h%d follows h%d", name, next, level)
				}
				level = next
			}
			if class, _ := attribute(n, "class"); class == "bar" {
				words := withClass(n.Parent, "times")
				if len(words) != 1 || strings.TrimSpace(textOf(words[0])) == "" {
					t.Errorf("%s: a bar has no words", name)
				}
			}
		}
	}
}

// Without its script nothing of the page is hidden but what the script is for.
func TestHTMLHidesNothing(t *testing.T) {
	for name, r := range htmlSamples() {
		for _, n := range elements(parsed(t, written(t, HTML, r))) {
			id, _ := attribute(n, "id")
			if _, hidden := attribute(n, "hidden"); hidden && id != "filter" {
				t.Errorf("%s hides <%s id=%q>", name, n.Data, id)
			}
			if _, open := attribute(n, "open"); n.Data == "details" && !open {
				t.Errorf("%s folds something", name)
			}
		}
	}
}

func TestHTMLStaysSmall(t *testing.T) {
	for name, most := range map[string]int{"clean": 30_000, "many-hosts": 250_000, "thousand": 1_000_000} {
		if size := len(written(t, HTML, htmlSamples()[name])); size > most {
			t.Errorf("%s has %d bytes, more than %d", name, size, most)
		}
	}
}

// What hostile hosts and files hold is text, and is not on the page as anything else.
func TestHTMLTakesHostileTextAsText(t *testing.T) {
	for name, r := range htmlSamples() {
		text := written(t, HTML, r)
		if found := leaked(text, canary); found != nil {
			t.Errorf("%s holds %q", name, found)
		}
		if i := strings.IndexFunc(text, func(r rune) bool {
			return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e
		}); i >= 0 {
			t.Errorf("%s has a control character at %q", name, text[i:min(i+20, len(text))])
		}
		if strings.Contains(text, "<script>alert") || strings.Contains(text, "ZgotmplZ") {
			t.Errorf("%s lets a text out, or swallows it", name)
		}
	}
	text := textOf(parsed(t, written(t, HTML, htmlSamples()["hostile-ways"])))
	if !strings.Contains(text, `"><script>alert(1)</script><img src=x`) {
		t.Error("the hostile text is not to be read")
	}
}

// The bars of a way follow each other on the axis, and none leaves it.
func TestHTMLBars(t *testing.T) {
	number := func(text string) float64 {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for name, r := range htmlSamples() {
		drawn := htmlWayOf(r)
		if drawn == nil {
			continue
		}
		for _, row := range drawn.Rows {
			end := 0.0
			for _, bar := range row.Bars {
				if x := number(bar.X); x < end-0.02 {
					t.Errorf("%s: %s has a bar at %v, and one that ends at %v", name, row.Address, x, end)
				}
				end = number(bar.X) + number(bar.Width)
			}
			if end > 100.02 || end < 0 || row.Mark != nil && number(row.Mark.From)+number(row.Mark.Width) > 100.02 {
				t.Errorf("%s: %s leaves the axis", name, row.Address)
			}
			if (row.Broken != "") != (row.Mark != nil) {
				t.Errorf("%s: %s ends in %q and has the mark %v", name, row.Address, row.Broken, row.Mark)
			}
		}
	}
}

func TestHTMLAxis(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		answered, vain time.Duration
		end, step      time.Duration
	}{
		{0, 0, ms, ms / 5},
		{300 * time.Microsecond, 0, ms, ms / 5},
		{2 * ms, 0, 2 * ms, ms / 2},
		{92 * ms, 5 * time.Second, 100 * ms, 20 * ms},
		{143 * ms, 0, 150 * ms, 50 * ms},
		{0, 3002 * ms, 4000 * ms, 1000 * ms},
		{time.Hour, 0, 4_000_000 * ms, 1_000_000 * ms},
	} {
		rows := []htmlWayRow{
			{connection: &checks.Connection{Phases: []network.Step{{Phase: network.PhaseTCP, Duration: test.answered}}}},
			{connection: &checks.Connection{
				Phases: []network.Step{{Phase: network.PhaseTCP, Duration: test.vain}}, Broken: network.PhaseTCP,
			}},
		}
		end, step := axis(rows)
		if end != test.end || step != test.step {
			t.Errorf("%v: the axis ends at %v in steps of %v, want %v, %v", test.answered, end, step, test.end, test.step)
		}
	}
}

func FuzzHTML(f *testing.F) {
	f.Add("a", "b", "c")
	for _, result := range append(hostile(), hostileWays()...) {
		for _, one := range result.Findings {
			f.Add(one.Subject, one.Message, one.Hint)
		}
	}
	known := map[string]int{}
	for _, name := range []string{"failing", "ways", "thousand"} {
		for element := range tags(f, samples()[name]) {
			known[element]++
		}
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		connection := way(a, b, c, step(network.PhaseDNS, len(a)), step(network.PhaseTCP, len(b)))
		image := pulled(a, 1)
		image.Registry, image.Platform, image.Blobs[0].Host = b, c, a
		got := tags(t, New(Run{Version: "0.1.0", Host: oneRunner(), Results: []checks.Result{result(reachable, 0,
			checks.Failed(timeout, a, b, c).On(c).Try(a).With(b, c).Over(connection).Pulling(image).At(at(a, b+"\n"+c, b)))}}))
		for element := range got {
			if known[element] == 0 {
				t.Errorf("%q, %q, %q make a <%s>", a, b, c, element)
			}
		}
		if got["script"] != 1 || got["style"] != 1 {
			t.Errorf("%q, %q, %q make code", a, b, c)
		}
	})
}

// tags counts the elements of a report's page.
func tags(t testing.TB, r Report) map[string]int {
	t.Helper()
	var out bytes.Buffer
	if err := HTML(&out, r); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, n := range elements(parsed(t, out.String())) {
		counts[n.Data]++
	}
	return counts
}

func TestBytesInWords(t *testing.T) {
	var got []string
	for _, n := range []int64{-1, 0, 999, 1000, 4211, 12_345_678, 999_499, 999_600, 1 << 40, 1 << 62} {
		got = append(got, bytesInWords(n))
	}
	const want = "[0 B 0 B 999 B 1 kB 4.21 kB 12.3 MB 999 kB 1 MB 1.1 TB 4.61e+06 TB]"
	if fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
