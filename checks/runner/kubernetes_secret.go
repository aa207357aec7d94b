package runner

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"runner-preflight/checks/source"
)

// kubeStore is a Secret or a ConfigMap.
type kubeStore struct {
	kubeObject
	name, typ Text
	entries   []*kubeEntry
}

// kubeEntry is one key of a Secret or a ConfigMap.
type kubeEntry struct {
	store *kubeStore
	name  string
	// key is what the entry is called, raw what is written for it; encoded says that this is base64.
	key, raw node
	encoded  bool
	// used says that a runner gets it.
	used bool

	// The rest is known once it was decoded.
	done bool
	// content is what it holds, with places where that is written; nil if that is not known, and then reason says why.
	content *source.File
	reason  string
	// faults are what is wrong with it.
	faults []Mistake
}

// store takes the Secrets and ConfigMaps of a file.
func (s *kubeSet) store(k *kubeFile) {
	for _, o := range k.objects {
		if o.kind != "Secret" && o.kind != "ConfigMap" {
			continue
		}
		store := &kubeStore{kubeObject: o, name: k.value(o.at("metadata", "name")), typ: k.value(o.at("type"))}
		for _, section := range []struct {
			name    string
			encoded bool
		}{{"data", o.kind == "Secret"}, {"binaryData", true}, {"stringData", false}} {
			for _, m := range o.at(section.name).members() {
				store.put(&kubeEntry{store: store, name: m.key.Value, key: m.key, raw: m.value, encoded: section.encoded})
			}
		}
		id := o.kind + "/" + store.name.Value
		s.stores[id] = append(s.stores[id], store)
	}
}

// put adds an entry, in the place of an earlier one of that name: what stringData says counts.
func (s *kubeStore) put(e *kubeEntry) {
	for i, earlier := range s.entries {
		if earlier.name == e.name {
			s.entries[i] = e
			return
		}
		if i > 1000 {
			return
		}
	}
	s.entries = append(s.entries, e)
}

func (s *kubeStore) entry(key string) *kubeEntry {
	for _, e := range s.entries {
		if e.name == key {
			return e
		}
	}
	return nil
}

func (s *kubeStore) keys() []string {
	keys := make([]string, len(s.entries))
	for i, e := range s.entries {
		keys[i] = e.name
	}
	return keys
}

// find is the object of a name that a pod gets: in its namespace, as far as that is said, in its own file before one of
// the same folder before others.
func (s *kubeSet) find(kind string, name Text, from kubeObject) *kubeStore {
	var best *kubeStore
	most := -1
	for _, store := range s.stores[kind+"/"+name.Value] {
		rank := 0
		switch {
		case name.Value == "":
			continue
		case store.namespace == from.namespace:
			rank += 4
		case store.namespace != "" && from.namespace != "":
			continue
		}
		switch {
		case store.file == from.file:
			rank += 2
		case path.Dir(store.file.Path) == path.Dir(from.file.Path):
			rank++
		}
		if rank > most {
			best, most = store, rank
		}
	}
	return best
}

// missingKey is the mistake of a key that an object does not have.
func missingKey(object, key string, keys []string, at node, optional bool) Mistake {
	m := Mistake{Kind: SecretKeyMissing, Place: at.place(), Loses: !optional}
	m.Detail = fmt.Sprintf("the %s has no key %q", source.Printable(object), source.Printable(key))
	least := 1 + len(key)/3
	for _, k := range keys {
		if d := distance(strings.ToLower(key), strings.ToLower(k)); len(k) < 80 && d <= least {
			m.Near, least = source.Printable(k), d-1
		}
	}
	if m.Near == "" && len(keys) > 0 {
		m.Detail += "; it has " + source.Printable(strings.Join(keys[:min(len(keys), 5)], ", "))
	}
	return m
}

// elsewhere matches what a tool puts a value in place of: encrypted text, and references into a vault.
var elsewhere = regexp.MustCompile(`^(?:ENC\[|<path:|ref\+|vault:|\$\{|\$[A-Za-z_(]|AgA|op://|projects/)|^(?:__|@@|%%|\(\()\w`)

// decode finds out what an entry holds.
func (e *kubeEntry) decode() {
	if e.done {
		return
	}
	e.done = true
	k := e.store.file
	if !e.raw.isScalar() {
		e.reason = "it is no text"
		e.fault(Unreadable, e.raw.place(), "in YAML braces begin a mapping: put the value in quotes")
		return
	}
	if f := k.field(e.raw); f.unresolved() != "" {
		e.reason = f.unresolved()
		return
	}
	if what := untyped(e.raw); what != "" && !e.raw.isNull() && k.helm == nil {
		m := textWanted(e.raw, what)
		e.faults = append(e.faults, m)
	}
	written := e.raw.embedded()
	e.content = written
	switch value := strings.TrimSpace(e.raw.scalar()); {
	case !e.encoded:
	case elsewhere.MatchString(value):
		e.content, e.reason = nil, "another tool puts the value there"
	case placeholder(value) != "":
	default:
		e.decodeBase64(written)
	}
	if e.content != nil && e.config() {
		e.decodeAgain()
	}
}

func (e *kubeEntry) fault(kind string, place source.Span, detail string) {
	e.faults = append(e.faults, Mistake{Kind: kind, Place: place, Detail: detail, Loses: true})
}

// decodeBase64 does what kubectl does. What is no base64 is taken for what was meant.
func (e *kubeEntry) decodeBase64(written *source.File) {
	plain, err := base64.StdEncoding.DecodeString(string(written.Text))
	switch {
	case err != nil:
		e.fault(UnencodedSecret, e.place(), e.unencoded(written.Text))
	case !utf8.Valid(plain) || bytes.IndexByte(plain, 0) >= 0:
		e.binary()
	default:
		e.content = written.Embed(plain, []source.Piece{{Start: 0, Outer: written.At(0, len(written.Text))}})
	}
}

// unencoded says what is wrong with a text that is no base64.
func (e *kubeEntry) unencoded(text []byte) string {
	what := "is no base64"
	switch trimmed := bytes.TrimSpace(text); {
	case bytes.HasPrefix(trimmed, []byte("{")):
		what = "stands there as it is, and not in base64"
	case bytes.ContainsAny(trimmed, " \t"):
		what = "has blanks in it, and base64 has none"
	case bytes.ContainsAny(trimmed, "-_") && !bytes.ContainsAny(trimmed, "{}:."):
		what = "is not in the alphabet of base64"
	case len(trimmed)%4 != 0:
		what = "is no base64, or base64 that was cut short"
	}
	return fmt.Sprintf("the value of %s %s: kubectl refuses it", source.Printable(e.name), what)
}

// binary deals with bytes that are no text: a variable, or a config.json, was written without being encoded. Files may
// hold anything.
func (e *kubeEntry) binary() {
	if e.config() || kubeText.MatchString(e.name) {
		e.fault(UnencodedSecret, e.place(), fmt.Sprintf(
			"the value of %s was written as it is: it happens to look like base64, and decodes to rubbish",
			source.Printable(e.name)))
		return
	}
	e.content, e.reason = nil, "it decodes to bytes that are no text"
}

// kubeText matches the keys under which the runner's own values are kept.
var kubeText = regexp.MustCompile(`(?i)oauth|client_?-?(?:id|secret)|_?uuid|_IMAGE$|WORKING_DIRECTORY`)

// decodeAgain undoes a second encoding: a config.json begins with a brace, and base64 never does.
func (e *kubeEntry) decodeAgain() {
	text := bytes.TrimSpace(e.content.Text)
	if len(text) == 0 || text[0] == '{' {
		return
	}
	plain, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil || !bytes.HasPrefix(bytes.TrimSpace(plain), []byte("{")) {
		return
	}
	detail := "is encoded twice: the runner gets base64 in the place of JSON"
	if !e.encoded {
		detail = "is base64 under stringData, which is taken as it stands: the runner gets base64 in the place of JSON"
	}
	e.fault(DoubleEncodedSecret, e.place(), fmt.Sprintf("the value of %s %s", source.Printable(e.name), detail))
	e.content = e.content.Embed(plain, []source.Piece{{Start: 0, Outer: e.content.At(0, len(e.content.Text))}})
}

// config tells whether an entry is a config.json by its name.
func (e *kubeEntry) config() bool { return e.name == ".dockerconfigjson" || e.name == "config.json" }

// place is what is written for the entry.
func (e *kubeEntry) place() source.Span { return e.raw.place() }

// file is what an entry holds, nil if that is not known.
func (e *kubeEntry) file() *source.File {
	e.decode()
	return e.content
}

// value is what an entry holds, as a variable gets it at the place of a reference.
func (e *kubeEntry) value(use source.Span) field {
	if e.decode(); e.content == nil {
		return unknownField(use, "it is in the "+source.Printable(e.store.kind+" "+e.store.name.Value)+": "+e.reason)
	}
	if len(e.content.Text) == 0 {
		return field{{at: []source.Span{use, e.place()}}}
	}
	place := e.content.At(0, len(e.content.Text))
	return field{{text: string(e.content.Text), at: []source.Span{use, place}, verbatim: true}}
}

// finish adds to the reading of a file what its Secrets say of themselves.
func (s *kubeStore) finish(r *Reading) {
	needed := map[string]string{
		"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg",
	}[s.typ.Value]
	if needed != "" && s.entry(needed) == nil && s.file.helm == nil {
		m := missingKey("Secret "+s.name.Value, needed, s.keys(), s.at("type"), false)
		r.Faults = append(r.Faults, m)
	}
	object := s.kind + " " + s.name.Value
	for _, e := range s.entries {
		own := s.kind == "Secret" && (e.name == needed || kubeOAuth.MatchString(e.name))
		isConfig := e.config() && (needed != "" || e.used || holdsAuths(e.file()))
		if own || e.used || isConfig {
			e.decode()
			r.Faults = append(r.Faults, e.faults...)
		}
		if isConfig && e.content != nil && (e.used || !s.file.set.pulling[s.name.Value]) {
			r.Configs = append(r.Configs, Projected{
				Path: s.name.Value, Place: e.place(), File: e.content, Object: object, Key: e.name,
			})
			if s.kind == "Secret" && len(e.content.Text) > 0 {
				r.Secrets = append(r.Secrets, e.place())
			}
		} else if s.kind == "Secret" {
			s.file.hideStored(e.raw, e.content)
		}
	}
}

var kubeOAuth = regexp.MustCompile(`(?i)oauth.?client`)

func holdsAuths(file *source.File) bool {
	return file != nil && bytes.Contains(file.Text, []byte(`"auths"`))
}

// hideSecrets hides what Secrets hold in base64, whatever it is.
func (k *kubeFile) hideSecrets() {
	for _, o := range k.objects {
		if o.kind != "Secret" {
			continue
		}
		for _, m := range o.at("data").members() {
			k.hideStored(m.value, nil)
		}
		for _, m := range o.at("stringData").members() {
			if m.key.Value != ".dockerconfigjson" && m.key.Value != "config.json" {
				k.hideStored(m.value, nil)
			}
		}
	}
}

// hideStored hides a value of a Secret, and other places at which it stands, encoded or decoded.
func (k *kubeFile) hideStored(value node, content *source.File) {
	if !value.isScalar() || value.isNull() || value.Value == "" || notSecret.MatchString(value.Value) {
		return
	}
	place := value.place().Outermost()
	if end := value.text.file; place.End-place.Start < len(value.Value)/2 { // where it ends is not known
		place.End = end.At(len(end.Text), len(end.Text)).Outermost().Start
	}
	place.File.Hide(place.Start, place.End)
	texts := []string{value.Value}
	if content != nil {
		texts = append(texts, string(content.Text))
	}
	if plain, err := base64.StdEncoding.DecodeString(value.Value); err == nil {
		texts = append(texts, string(plain))
	}
	for _, text := range texts {
		if text = strings.TrimSpace(text); len(text) >= 8 && len(text) < 4096 && !strings.Contains(text, "\n") {
			k.HideEvery(text)
		}
	}
}

// sortedKeys are the names under which objects are kept, in order.
func (s *kubeSet) sortedKeys() []string {
	keys := make([]string, 0, len(s.stores))
	for key := range s.stores {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
