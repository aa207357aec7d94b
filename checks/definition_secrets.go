package checks

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"runner-preflight/checks/runner"
	"runner-preflight/checks/source"
)

var definitionSecrets = Check{
	Name:  "definition-secrets",
	Title: "What Secrets and ConfigMaps hold reaches the runner as it was meant",
	Doc: "Follows the references of a Kubernetes manifest into the Secrets and ConfigMaps that were given with it: " +
		"that the keys are there, that what stands under `data` is base64 once and not twice, and that no line " +
		"break was encoded with a value.",
	Problems: []*Problem{secretKeyMissing, unencodedSecret, doubleEncodedSecret, secretLineBreak},
	Run: func(_ context.Context, h *Host) []Finding {
		var stored []Finding
		for _, reading := range h.Readings {
			for _, fault := range reading.Faults {
				stored = append(stored, storedFault(reading, fault)...)
			}
		}
		told := func(f Finding) bool {
			passed := f.Status == Pass && len(stored) > 0
			return passed || slices.ContainsFunc(stored, func(s Finding) bool { return lacksForAll(s, f) })
		}
		findings := append(slices.DeleteFunc(perRunner(h, judgeSecrets), told), stored...)
		if len(findings) == 0 {
			return []Finding{Skipped("secrets", "no Kubernetes manifest was given")}
		}
		return findings
	},
}

var secretKeyMissing = &Problem{
	ID:    "secret-key-missing",
	Title: "A Secret or a ConfigMap lacks a key",
	Doc: "A container whose `secretKeyRef` or `configMapKeyRef` names a key that is not there does not start " +
		"(CreateContainerConfigError), nor does a pod whose volume asks for one with `items`. With `optional: true` " +
		"it starts without the value. A Secret of type kubernetes.io/dockerconfigjson without the key " +
		"`.dockerconfigjson` is refused.",
	Source: "Kubernetes documentation, Secrets: optional Secrets; restrictions of types",
	Explains: []string{
		"env-missing", "config-unmounted", "config-misnamed", "config-mount-target", "credentials-missing", "config-missing",
	},
}

var unencodedSecret = &Problem{
	ID:    "unencoded-secret",
	Title: "A value in a Secret is not encoded",
	Doc: "What stands under `data` of a Secret is base64, and kubectl refuses anything else (illegal base64 data). What " +
		"happens to look like base64, as 32 letters and digits do, is taken for it: the runner gets rubbish. Encode " +
		"the value (`printf %s VALUE | base64`), or write it as it is under `stringData`.",
	Source:   "Kubernetes documentation, Secrets",
	Explains: append(unsent(), "malformed-uuid", "env-placeholder", "invalid-json", "invalid-encoding"),
}

var doubleEncodedSecret = &Problem{
	ID:    "double-encoded-secret",
	Title: "A value in a Secret is encoded twice",
	Doc: "Kubernetes decodes what stands under `data` once, and what stands under `stringData` never: base64 of base64, or " +
		"base64 under `stringData`, reaches the runner as base64. `kubectl create secret` encodes by itself: give it " +
		"the plain value.",
	Source:   "Kubernetes documentation, Secrets; that a value was meant otherwise is inferred from what it decodes to",
	Explains: append(unsent(), "malformed-uuid", "invalid-json", "invalid-reference"),
}

var secretLineBreak = &Problem{
	ID:    "secret-line-break",
	Title: "A value ends in a line break",
	Doc: "`echo` ends its output with a line break, and base64 encodes it with the rest; a block of YAML (`|`) ends in one " +
		"too. The runner gets it as part of the value, and Bitbucket knows no such secret, UUID or image. Encode with " +
		"`printf %s` (or `echo -n`), and write a ConfigMap's value in quotes or behind `|-`.",
	Source:   "measured: nothing on the way from a Secret to a variable trims",
	Explains: pullFailures("malformed-uuid", "invalid-reference", "working-directory-unmounted", "working-directory-mismatch"),
}

// judgeSecrets judges what one runner takes from Secrets and ConfigMaps.
func judgeSecrets(r *Runner) []Finding {
	d := r.Definition
	if d == nil || d.Dialect != runner.Kubernetes {
		return nil
	}
	var findings []Finding
	for _, m := range d.Mistakes {
		if m.Kind == runner.SecretKeyMissing {
			findings = append(findings, lacksKey(r, m))
		}
	}
	for _, v := range effectiveVariables(d) {
		if v.Value.Unresolved == "" && slices.Contains(knownVariables(), v.Name.Value) {
			findings = append(findings, garbledValue(r, v)...)
		}
	}
	if len(findings) == 0 {
		findings = append(findings, Passed(r.Name, "what the runner takes from Secrets and ConfigMaps is whole"))
	}
	return findings
}

// lacksKey reports a key that is asked for and is not there.
func lacksKey(r *Runner, m runner.Mistake) Finding {
	hint := "write a key that it has, or give it this one"
	if m.Near != "" {
		hint = "write " + m.Near
	}
	subject := m.Place.Text()
	f := Failed(secretKeyMissing, subject, "the pod does not start: "+m.Detail, hint)
	if !m.Loses {
		f.Message = "the pod goes without it: " + m.Detail
		f = f.As(Warn)
	}
	for _, v := range r.Definition.Environment {
		if v.Value.Place == m.Place {
			f = f.Touching(Variable(v.Name.Value))
		}
	}
	return f.At(m.Place).On(r.Name).Touching(Path(r.Name)).Touching(overrideReferences(r)...)
}

// garbledValue reports a value that was encoded once too often, or with a line break.
func garbledValue(r *Runner, v runner.Variable) []Finding {
	name, value := v.Name.Value, v.Value.Value
	about := func(f Finding) []Finding {
		f = f.At(v.Value.Place).Touching(Variable(name), Path(r.Name))
		if slices.Contains(overrideVariables(), name) {
			f = f.Touching(Reference(value))
		}
		return []Finding{f}
	}
	switch trimmed := strings.TrimRight(value, "\r\n"); {
	case trimmed == "" || name == "JAVA_OPTS":
		return nil
	case encodedText(strings.TrimSpace(value)):
		return about(Failed(doubleEncodedSecret, name, name+" is still base64 when it reaches the runner",
			"encode the plain value once, or write it under stringData").Try(encodeValue))
	case trimmed != value && inBase64(v.Value.Place):
		return about(Failed(secretLineBreak, name, name+" ends in a line break, which was encoded with it",
			"encode it again without the line break").Try(encodeValue))
	case trimmed != value:
		return about(Failed(secretLineBreak, name, name+" ends in a line break, and the runner gets that too",
			"write the value in quotes, on one line"))
	}
	return nil
}

// encodeValue prints what stands under data of a Secret.
const encodeValue = `printf %s 'VALUE' | base64 | tr -d '\n'`

// inBase64 tells whether a value is written in another form than the runner gets it.
func inBase64(place source.Span) bool {
	return place.File != nil && place.Outermost().Text() != place.Text() && !strings.Contains(place.Outermost().Text(), "\n")
}

// encodedText tells base64 of a text from a text that looks like base64, as 32 letters and digits do: that decodes to
// bytes which are none.
func encodedText(value string) bool {
	if len(value) < 12 || len(value)%4 != 0 {
		return false
	}
	plain, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return false
	}
	for _, b := range strings.TrimRight(string(plain), "\r\n") {
		if b < 0x20 || b > 0x7e {
			return false
		}
	}
	return true
}

// lacksForAll tells whether a key that a reference does not find is missing from the Secret by its type, so that nothing
// finds it.
func lacksForAll(stored, f Finding) bool {
	_, whole, _ := strings.Cut(stored.Message, ": ")
	return stored.Problem == secretKeyMissing && f.Problem == secretKeyMissing && strings.HasSuffix(f.Message, whole)
}

// storedFault reports what is wrong with a value where it is kept.
func storedFault(reading FileReading, m runner.Mistake) []Finding {
	problem, hint := unencodedSecret, "encode it, or write it as it is under stringData"
	var commands []string
	switch m.Kind {
	case runner.UnencodedSecret:
		commands = []string{encodeValue}
	case runner.DoubleEncodedSecret:
		problem, hint = doubleEncodedSecret, "encode it once"
	case runner.SecretKeyMissing:
		problem, hint = secretKeyMissing, "name the key as the type wants it"
		m.Detail = "kubectl refuses a Secret of this type without its key: " + m.Detail
	default:
		return nil
	}
	return []Finding{Failed(problem, reading.Path, m.Detail, hint).At(m.Place).Touching(Path(reading.Path)).Try(commands...)}
}
