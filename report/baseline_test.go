package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"runner-preflight/checks"
	"runner-preflight/checks/source"
)

// baselined is a report of one runner, run.sh, of one check with these findings, each "STATUS SUBJECT".
func baselined(lines ...string) Report {
	return New(Run{
		Version: "1", Host: &checks.Host{Runners: []*checks.Runner{{Name: "run.sh"}}},
		Results: []checks.Result{baselinedResult(definition, lines...)},
	})
}

func baselinedResult(check checks.Check, lines ...string) checks.Result {
	result := checks.Result{Check: check}
	for i, line := range lines {
		status, subject, _ := strings.Cut(line, " ")
		file := source.New("run.sh", []byte(strings.Repeat("\n", 99)))
		f := checks.Failed(envMissing, subject, fmt.Sprintf("%s, found at %d", subject, i), "mend it").At(file.At(i, i))
		switch status {
		case "warn":
			f = f.As(checks.Warn)
		case "error":
			f = f.As(checks.Error)
		case "pass":
			f = checks.Passed(subject, "right")
		case "skip":
			f = checks.Skipped(subject, "not given")
		}
		result.Findings = append(result.Findings, f.For("run.sh"))
		result.Status = max(result.Status, f.Status)
	}
	return result
}

func everything(t *testing.T, only, skip []string) checks.Selection {
	t.Helper()
	all := []checks.Check{definition, resolves}
	for i := range all {
		all[i].Problems = []*checks.Problem{envMissing}
	}
	selection, err := checks.Select(all, only, skip)
	if err != nil {
		t.Fatal(err)
	}
	return selection
}

// baselineOf reads what JSON writes of a report.
func baselineOf(t *testing.T, r Report) Baseline {
	t.Helper()
	b, err := ReadBaseline([]byte(written(t, JSON, r)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBaseline(t *testing.T) {
	for name, c := range map[string]struct {
		before, after       []string
		known, added        int
		mended              string
		exit, exitOnWarning int
	}{
		"the same":              {[]string{"fail A", "warn B"}, []string{"fail A", "warn B"}, 2, 0, "", 0, 0},
		"moved":                 {[]string{"fail A", "warn B"}, []string{"pass C", "warn B", "fail A"}, 2, 0, "", 0, 0},
		"new failure":           {[]string{"fail A"}, []string{"fail A", "fail B"}, 1, 1, "", 1, 1},
		"new warning":           {[]string{"fail A"}, []string{"fail A", "warn B"}, 1, 1, "", 0, 1},
		"mended":                {[]string{"fail A", "fail B"}, []string{"pass A", "fail B"}, 1, 0, "A", 0, 0},
		"got worse":             {[]string{"warn A"}, []string{"fail A"}, 0, 1, "", 1, 1},
		"got better":            {[]string{"fail A"}, []string{"warn A"}, 1, 0, "", 0, 0},
		"one of two alike":      {[]string{"fail A", "fail A"}, []string{"fail A", "pass B"}, 1, 0, "A", 0, 0},
		"one more alike":        {[]string{"fail A"}, []string{"fail A", "fail A"}, 1, 1, "", 1, 1},
		"not established":       {[]string{"error A"}, []string{"error A"}, 0, 0, "", 3, 3},
		"then established":      {[]string{"error A"}, []string{"fail A"}, 0, 1, "", 1, 1},
		"no longer established": {[]string{"fail A"}, []string{"error A"}, 0, 0, "", 3, 3},
		"nothing established":   {[]string{"fail A"}, []string{"error B"}, 0, 0, "", 3, 3},
		"known beside an error": {[]string{"fail A", "error B"}, []string{"fail A", "error B"}, 1, 0, "", 3, 3},
		"skipped":               {[]string{"fail A"}, []string{"skip A", "pass B"}, 0, 0, "", 0, 0},
		"all skipped":           {[]string{"fail A"}, []string{"skip images"}, 0, 0, "", 3, 3},
		"empty baseline":        {[]string{"pass A"}, []string{"fail A"}, 0, 1, "", 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			before := baselined(c.before...)
			r := baselined(c.after...).Against(baselineOf(t, before), everything(t, nil, nil))
			var mended []string
			for _, f := range r.Baseline.Mended {
				mended = append(mended, f.Subject)
			}
			if r.Baseline.Known != c.known || r.Baseline.New != c.added || strings.Join(mended, " ") != c.mended {
				t.Errorf("%+v", r.Baseline)
			}
			if got := r.ExitCode(checks.Fail); got != c.exit {
				t.Errorf("exit code %d, want %d", got, c.exit)
			}
			if got := r.ExitCode(checks.Warn); got != c.exitOnWarning {
				t.Errorf("exit code %d with --fail-on warn, want %d", got, c.exitOnWarning)
			}
			document, err := jsonschema.UnmarshalJSON(strings.NewReader(written(t, JSON, r)))
			if err != nil {
				t.Fatal(err)
			}
			if err := compiledSchema(t).Validate(document); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBaselineNotLookedFor names nothing as mended that nobody looked for.
func TestBaselineNotLookedFor(t *testing.T) {
	b := baselineOf(t, baselined("fail A"))
	other := baselined("pass A")
	other.Runners[0].Name = "other.sh"
	interrupted := baselined("pass A")
	interrupted.Interrupted = true
	without := New(Run{
		Version: "1", Host: &checks.Host{Runners: []*checks.Runner{{Name: "run.sh"}}},
		Results: []checks.Result{baselinedResult(resolves, "pass A")},
	})
	for name, r := range map[string]Report{
		"another runner": other.Against(b, everything(t, nil, nil)), "interrupted": interrupted.Against(b, everything(t, nil, nil)),
		"another check":   without.Against(b, everything(t, []string{resolves.Name}, nil)),
		"problem skipped": baselined("pass A").Against(b, everything(t, nil, []string{envMissing.ID})),
	} {
		if len(r.Baseline.Mended) > 0 {
			t.Errorf("%s: %+v", name, r.Baseline)
		}
	}
}

// TestBaselineInFormats shows what is known, marked, in each format, and changes nothing of the former report.
func TestBaselineInFormats(t *testing.T) {
	plain := baselined("fail A", "fail B")
	r := plain.Against(baselineOf(t, baselined("fail A", "fail C")), everything(t, nil, nil))
	if plain.Results[0].Findings[0].Known {
		t.Error("the report itself was changed")
	}
	for name, want := range map[string][]string{
		"text": {
			"1 known finding (in the baseline), 1 new, 1 mended", "mended: env-missing (C)", "env-missing (known)  run.sh:1:1",
			"env-missing  run.sh:2:1",
		},
		"json":        {`"known": true`, `"new": 1`, `"message": "A, found at 0"`},
		"sarif":       {`"baselineState": "unchanged"`, `"baselineState": "new"`},
		"junit":       {`<skipped message="env-missing: A, found at 0 (known)">`, `failures="1"`},
		"markdown":    {"`env-missing` (known)", "1 known finding", "Mended: env-missing"},
		"github":      {"A, found at 0 (known)", "1 known finding (in the baseline), 1 new, 1 mended"},
		"codequality": {"A, found at 0 (known)"},
	} {
		text := written(t, Formats(TextOptions{})[name], r)
		for _, part := range want {
			if !strings.Contains(text, part) {
				t.Errorf("%s lacks %q:\n%s", name, part, text)
			}
		}
		if strings.Contains(written(t, Formats(TextOptions{})[name], plain), "(known)") {
			t.Errorf("%s marks what has no baseline", name)
		}
	}
	_, annotations := readInsights(t, r)
	if annotations[0].Result != "IGNORED" || annotations[1].Result != "FAILED" {
		t.Errorf("%+v", annotations)
	}
}

func TestNoBaseline(t *testing.T) {
	good := written(t, JSON, baselined("fail A"))
	for text, want := range map[string]string{
		"":                                     "no JSON report",
		"null":                                 "no JSON report",
		"[]":                                   "no JSON report",
		"{}":                                   "no JSON report",
		good[:len(good)/2]:                     "no JSON report",
		`{"auths": {}}`:                        "no JSON report",
		written(t, SARIF, baselined("fail A")): "no JSON report",
		strings.Replace(good, `"schema_version": 1`, `"schema_version": 2`, 1):                                "schema_version 2, and this version reads 1",
		strings.Replace(good, `"schema_version": 1`, `"schema_version": "1"`, 1):                              `schema_version "1"`,
		strings.Replace(good, `"name": "runner-preflight"`, `"name": "another"`, 1):                           "no JSON report",
		strings.Replace(good, `"checks"`, `"hosts"`, 1):                                                       "no JSON report",
		strings.Replace(good, `"fingerprint"`, `"print"`, 1):                                                  "no fingerprints",
		strings.Replace(good, `"status": "fail",`+"\n          \"p", `"status": "bad",`+"\n          \"p", 1): "no JSON report",
	} {
		if _, err := ReadBaseline([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %s", text, err, want)
		}
	}
}

// TestBaselineHostile shows what stands in a baseline like any other text, whoever wrote it.
func TestBaselineHostile(t *testing.T) {
	for _, text := range append(hostileTexts(), "\x1b[31m\u202e", "https://u:"+canary+"@example.com") {
		subject, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		in := strings.ReplaceAll(written(t, JSON, baselined("fail A", "fail C")), `"subject": "C"`, `"subject": `+string(subject))
		b, err := ReadBaseline([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		r := baselined("fail A").Against(b, everything(t, nil, nil))
		if len(r.Baseline.Mended) != 1 {
			t.Errorf("%q: %+v", text, r.Baseline)
		}
		for name, format := range Formats(TextOptions{Unicode: true}) {
			if out := written(t, format, r); strings.ContainsAny(out, "\x1b\u202e") || strings.Contains(out, canary) {
				t.Errorf("%s shows %q", name, text)
			}
		}
	}
}

// FuzzBaseline checks that no text makes the reader, or the comparison, panic.
func FuzzBaseline(f *testing.F) {
	var good strings.Builder
	if err := JSON(&good, baselined("fail A", "warn B", "error C")); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(good.String()))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := ReadBaseline(text)
		if err != nil {
			return
		}
		r := baselined("fail A", "warn B").Against(b, everything(t, nil, nil))
		if err := Text(TextOptions{})(io.Discard, r); err != nil {
			t.Error(err)
		}
	})
}
