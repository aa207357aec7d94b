package checks

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"runner-preflight/checks/dockerconfig"
	"runner-preflight/checks/source"
)

var configJSON = Check{
	Name:  "config-json",
	Title: "config.json is JSON that the runner and docker understand",
	Doc: "Parses config.json as strictly as the runner's reader does, and looks at keys and types: what is " +
		"misspelled or of the wrong type is ignored in silence by one of the two readers, or makes it give the " +
		"whole file up.",
	Problems: []*Problem{
		invalidJSON, invalidEncoding, trailingData, duplicateKey, wrongType, misspelledKey,
		authsMissing, malformedAuths,
	},
	Run: runConfigJSON,
}

const measured = "measured with docker-java, which the runner very probably uses"

var invalidJSON = &Problem{
	ID:    "invalid-json",
	Title: "config.json is not valid JSON",
	Doc: "The runner's reader refuses the whole file at the first mistake, with \"Failed to parse docker " +
		"config.json\", so that no image gets credentials. docker's CLI warns and goes on with what it read " +
		"until then, so that a docker pull that works proves nothing. JSON has no comments, no comma before a " +
		"closing bracket, no single quotes, and \\ only before one of the characters that it escapes. Mend the " +
		"place that is shown; jq . config.json says whether it parses.",
	Source:   "RFC 8259; " + measured,
	Explains: unsent(),
	Prints: []Print{
		{printsUnparsed, 1},
	},
}

var invalidEncoding = &Problem{
	ID:    "invalid-encoding",
	Title: "config.json is not plain UTF-8",
	Doc: "Bytes that are not UTF-8 (a password in Latin-1) and non-breaking spaces between tokens (text copied " +
		"from a web page) make the runner's reader refuse the whole file. A byte order mark and UTF-16, which " +
		"PowerShell's > writes, are read by the runner and refused by docker's CLI. Save the file as UTF-8 " +
		"without a byte order mark.",
	Source:   "RFC 8259, section 8.1; " + measured + "; docker's CLI read with Go's encoding/json",
	Explains: unsent(),
	Prints: []Print{
		{printsUnparsed, 4},
	},
}

var trailingData = &Problem{
	ID:    "trailing-data",
	Title: "There is more text after the end of config.json",
	Doc: "Both readers stop at the closing brace and ignore what follows: a second object, the rest of an " +
		"older file. Entries in it do not count. Merge it into the first object, or delete it.",
	Source: measured,
}

var duplicateKey = &Problem{
	ID:    "duplicate-key",
	Title: "A key stands twice in one object",
	Doc: "Of two equal keys the runner's reader takes the last and forgets the first with all that is in it. " +
		"docker's CLI merges two auths objects, so that docker pull finds entries which the runner has lost. " +
		"Keep one of the two.",
	Source:   measured + "; docker's CLI read with Go's encoding/json",
	Explains: unsent(),
}

var wrongType = &Problem{
	ID:    "wrong-type",
	Title: "A value in config.json has the wrong type",
	Doc: "docker's CLI gives up reading the file at a value of the wrong type, even at one that has nothing to " +
		"do with credentials, while the runner's reader ignores fields that it does not know. In an entry it " +
		"is worse: the runner passes the value on, and docker's daemon drops credentials in which a field is " +
		"no string, and pulls without any. Put it in quotes.",
	Source:   "docker's CLI, cli/config/configfile; " + measured,
	Explains: unsent(),
}

var misspelledKey = &Problem{
	ID:    "misspelled-key",
	Title: "A key of config.json is misspelled",
	Doc: "The runner's reader takes keys letter by letter and ignores those that it does not know, in silence; " +
		"docker's CLI ignores case, so that Auths works there and not here. The keys are auths, credsStore and " +
		"credHelpers, and in an entry auth, username and password.",
	Source:   measured + "; docker's CLI, cli/config/configfile",
	Explains: append(unsent(), "empty-entry"),
}

var authsMissing = &Problem{
	ID:    "auths-missing",
	Title: "An entry stands outside of auths",
	Doc: "Entries belong into the object auths: {\"auths\": {\"registry.example.com\": {\"auth\": \"…\"}}}. " +
		"The older format, without that object, is read from a file called .dockercfg alone; in config.json " +
		"both readers ignore such entries in silence, and those under a key that they do not know.",
	Source:   measured,
	Explains: unsent(),
	Prints: []Print{
		{printsNoCredentials, 8},
	},
}

var malformedAuths = &Problem{
	ID:    "malformed-auths",
	Title: "auths or an entry in it has the wrong type",
	Doc: "auths is an object whose keys are registries and whose values are objects: {\"auths\": " +
		"{\"registry.example.com\": {\"auth\": \"…\"}}}. An array, a string or null in either place makes the " +
		"runner's reader refuse the whole file (null as auths: read no entry), so that no image gets " +
		"credentials, whichever entry it is.",
	Source:   measured,
	Explains: unsent(),
	Prints: []Print{
		{printsUnparsed, 2},
	},
}

func runConfigJSON(ctx context.Context, h *Host) []Finding {
	return eachConfig(ctx, h, (*configUse).unread, jsonFindings)
}

func jsonFindings(u *configUse) []Finding {
	if u.File.Syntax != nil {
		return []Finding{syntaxFinding(u)}
	}
	findings := encodingFindings(u)
	findings = append(findings, duplicateFindings(u)...)
	findings = append(findings, topLevelFindings(u)...)
	findings = append(findings, typeFindings(u)...)
	found := alike{path: u.Path}
	for e := range u.entries(withFault(misshapen, misspelled, mistyped)) {
		found.addAll(e, entryFindings(u, e))
	}
	findings = append(findings, found.all()...)
	if trailing := u.File.Trailing; trailing.File != nil {
		findings = append(findings, Warned(trailingData, u.Path, "there is more text after the closing "+
			"bracket, which is ignored",
			"merge it into the first object, or delete it").At(trailing))
	}
	if findings == nil {
		findings = []Finding{Passed(u.Path, fmt.Sprintf("valid JSON with "+
			"%s", counted(len(u.notes), "entry", "entries")))}
	}
	return findings
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// syntaxFinding says where the text stops being JSON, by the mistake's name.
func syntaxFinding(u *configUse) Finding {
	syntax := u.File.Syntax
	const refused = "; the runner's reader refuses the whole file"
	f := Failed(invalidJSON, u.Path, syntax.Message+refused, syntaxHint(syntax.Kind)+restart)
	switch syntax.Kind {
	case dockerconfig.InvalidUTF8:
		f = Failed(invalidEncoding, u.Path, syntax.Message+refused, "save the file as UTF-8"+restart).
			Try(recode("LATIN1", u.Path))
	case dockerconfig.NonBreakingSpace:
		f = Failed(invalidEncoding, u.Path, syntax.Message+refused, "replace it by a plain blank"+restart)
	}
	return u.wholeFile(f.At(syntax.Place))
}

// syntaxHint says how each mistake is mended.
func syntaxHint(kind dockerconfig.SyntaxKind) string {
	hints := map[dockerconfig.SyntaxKind]string{
		dockerconfig.TrailingComma:     "delete the comma",
		dockerconfig.ExtraComma:        "delete the comma",
		dockerconfig.MissingComma:      "put a comma here",
		dockerconfig.MissingColon:      "put a colon between the key and its value",
		dockerconfig.MissingValue:      "put a value behind the colon, or delete the key",
		dockerconfig.Comment:           "delete the comment",
		dockerconfig.SingleQuotes:      `write " instead of '`,
		dockerconfig.TypographicQuotes: `write plain " quotes`,
		dockerconfig.UnquotedKey:       "put the key in quotes",
		dockerconfig.UnquotedValue:     "put the value in quotes",
		dockerconfig.UnclosedBracket:   "close the bracket",
		dockerconfig.ExtraBracket:      "delete the bracket, or find the one that should open it",
		dockerconfig.UnclosedString:    `close the string with "`,
		dockerconfig.Backslash:         `write \\ for a backslash`,
		dockerconfig.ControlCharacter:  "take it out; a line break that belongs into a string is written \\n",
		dockerconfig.NotJSON:           `write {"auths": {"REGISTRY": {"auth": "…"}}}`,
		dockerconfig.Base64:            "decode it with base64 -d",
		dockerconfig.MergeConflict:     "resolve the conflict: keep one side, and delete the marks",
		dockerconfig.YAML:              "write it as JSON",
		dockerconfig.MissingBrace:      "put the whole in { and }",
	}
	if hint, known := hints[kind]; known {
		return hint
	}
	return "mend the JSON here"
}

// recode writes a file anew as UTF-8.
func recode(from, path string) string {
	file := shellWord(path)
	return fmt.Sprintf("iconv -f %s -t UTF-8 %s > %s.new && mv %s.new %s", from, file, file, file, file)
}

func encodingFindings(u *configUse) []Finding {
	if u.File.Encoding == dockerconfig.UTF8 {
		return nil
	}
	from, start := strings.TrimSuffix(string(u.File.Encoding), "LE"), u.File.Source.At(0, 0)
	from = strings.TrimSuffix(from, "BE")
	command := recode(from, u.Path)
	if u.File.Encoding == dockerconfig.UTF8BOM {
		command = `sed -i '1s/^\xEF\xBB\xBF//' ` + shellWord(u.Path)
	}
	return []Finding{Warned(invalidEncoding, u.Path,
		fmt.Sprintf("the file is %s: the runner reads it, docker's CLI does not", u.File.Encoding),
		"save the file as UTF-8 without a byte order mark").At(start).Try(command)}
}

// duplicateFindings reports keys that stand twice, at the second.
func duplicateFindings(u *configUse) []Finding {
	if len(u.File.Duplicates) == 0 {
		return nil
	}
	found := alike{path: u.Path}
	auths, _ := u.File.Member("auths")
	kept := sync.OnceValue(u.hostsOfEntries)
	for _, d := range u.File.Duplicates {
		key := d.Second.Key
		f := Warned(duplicateKey, key, fmt.Sprintf("%s stands twice in one object; the runner takes the last "+
			"of them", quoted(key)),
			"keep one of the two").At(d.Second.KeyPlace())
		if isRoot(u, d.Object) && key == "auths" {
			if lost := lostEntries(u, d, kept()); len(lost) > 0 {
				f = f.As(Fail).Touching(u.references()...)
				f.Message = fmt.Sprintf("a second auths: the runner forgets the first, with its entry for %s; "+
					"docker's CLI merges the two",
					listed(lost))
				f.Hint = "move the entries of both into one auths" + restart
			}
		}
		if sameValue(auths.Value, d.Object) {
			f = f.Touching(Entry(key))
		}
		found.add(f)
	}
	return found.all()
}

func sameValue(a, b dockerconfig.Value) bool { return a.Place() == b.Place() }

func isRoot(u *configUse, v dockerconfig.Value) bool { return sameValue(u.File.Root, v) }

// hostsOfEntries are the hosts that the runner's reader takes the entries' keys for.
func (u *configUse) hostsOfEntries() map[string]bool {
	hosts := make(map[string]bool, u.File.Len())
	for _, key := range u.File.Keys() {
		hosts[keyHost(key)] = true
	}
	return hosts
}

// lostEntries are the keys of a first auths that a needed registry would get, and gets nothing instead, as its host is
// not kept.
func lostEntries(u *configUse, d dockerconfig.Duplicate, kept map[string]bool) []string {
	wanted := map[string]bool{}
	for _, image := range u.needs {
		wanted[readerHost(image.Reference)] = true
	}
	var lost []string
	for m := range d.First.Value.Members() {
		host := keyHost(m.Key)
		if !kept[host] && (u.every && !isVendorRegistry(host) || wanted[host]) {
			lost = append(lost, shown(m.Key))
		}
	}
	return lost
}

// entryFindings reports what is wrong with the form of an entry; the other checks then leave it alone.
func entryFindings(u *configUse, e authEntry) []Finding {
	switch e.fault {
	case misshapen:
		return []Finding{misshapenEntry(u, e)}
	case misspelled:
		m, meant, _ := misspelledField(e.Entry)
		hint := "write " + quoted(meant)
		if strings.HasSuffix(meant, "token") {
			hint = `write "auth", the base64 of USER:PASSWORD, in its place: tokens are not supported`
		}
		return []Finding{e.about(Failed(misspelledKey, m.Key,
			fmt.Sprintf("%s in the entry %s is no key that the runner knows", quoted(m.Key), quoted(e.Key)),
			hint+restart).At(m.KeyPlace()))}
	case mistyped:
		return []Finding{mistypedEntry(u, e)}
	}
	return nil
}

func misshapenEntry(u *configUse, e authEntry) Finding {
	const example = `write "REGISTRY": {"auth": "…"}`
	if e.Value.Kind == dockerconfig.Object {
		return Failed(malformedAuths, e.name(), "auths stands in auths once more: the runner takes it for the "+
			"entry of a registry",
			"take one of the two away"+restart).At(e.KeyPlace()).Touching(Entry(e.Key)).Touching(u.references()...)
	}
	message := fmt.Sprintf("the entry %s is %s, not an object: the runner's reader refuses the whole "+
		"file", quoted(e.Key), e.Value.Kind)
	hint := "write the entry as " + strings.TrimPrefix(strings.Replace(example, "REGISTRY", e.name(), 1), "write ")
	if slices.Contains(fieldNames(), e.Key) {
		message = fmt.Sprintf("%s stands in auths itself, where the name of a registry belongs: the runner's "+
			"reader refuses the whole file",
			quoted(e.Key))
		hint = example
	}
	f := Failed(malformedAuths, e.name(), message, source.Printable(hint)+restart).At(e.Value.Place())
	return u.wholeFile(f.Touching(Entry(e.Key)))
}

func mistypedEntry(u *configUse, e authEntry) Finding {
	m := mistypedField(e.Entry)
	message := fmt.Sprintf("%s in the entry %s is %s, not a string", quoted(m.Key), quoted(e.Key), m.Value.Kind)
	f := Failed(wrongType, m.Key, message+": docker's daemon drops the credentials, docker's CLI the file",
		"put the value in quotes"+restart).At(m.Value.Place())
	whole := m.Value.Kind == dockerconfig.Object || m.Value.Kind == dockerconfig.Array
	if whole || m.Key == "auth" && e.decoded.Err != nil {
		f.Message = message + ": the runner's reader refuses the whole file"
		return u.wholeFile(f.Touching(Entry(e.Key)))
	}
	return e.about(f)
}

// topLevelFindings judges the members of the file itself.
func topLevelFindings(u *configUse) []Finding {
	root := u.File.Root
	if root.Kind != dockerconfig.Object {
		if root.Kind == dockerconfig.Null {
			return nil
		}
		return []Finding{u.wholeFile(Failed(malformedAuths, u.Path,
			fmt.Sprintf("the file holds %s where an object belongs: the runner's reader refuses it", root.Kind),
			`write {"auths": {"REGISTRY": {"auth": "…"}}}`+restart).At(root.Place()))}
	}
	var findings []Finding
	misspelledAuths := false
	for m := range root.Members() {
		if meant := meantTop(m); meant != "" {
			misspelledAuths = misspelledAuths || meant == "auths"
			findings = append(findings, misspelledTop(u, m, meant))
			continue
		}
		if m.Key == "auths" {
			findings = append(findings, authsType(u, m)...)
		}
	}
	if !misspelledAuths {
		findings = append(findings, strayEntries(u)...)
	}
	return findings
}

// topNames are the keys of the file that decide about credentials.
func topNames() []string { return []string{"auths", "credsStore", "credHelpers"} }

// meantTop is the key that a member's key was meant to be; "" when it is one, or nothing like one, or its value is
// nothing that such a key has.
func meantTop(m dockerconfig.Member) string {
	if slices.Contains(topNames(), m.Key) {
		return ""
	}
	meant := nearTop(m.Key)
	switch isObject := m.Value.Kind == dockerconfig.Object; {
	case meant == "auths" && !isObject, meant == "credHelpers" && !isObject:
		return ""
	case meant == "credsStore" && m.Value.Kind != dockerconfig.String:
		return ""
	case meant == "auths" && hasFields(m.Value):
		return ""
	}
	return meant
}

func nearTop(key string) string {
	const longest = 40
	if len(key) > longest {
		return ""
	}
	plain := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(key))
	switch plain {
	case "credentialstore", "credentialsstore", "credstores", "credentialstores":
		return "credsStore"
	case "credentialhelpers", "credentialhelper", "credshelpers", "credentialshelpers", "credshelper":
		return "credHelpers"
	}
	for _, name := range topNames() {
		if lower := strings.ToLower(name); plain == lower || Nearest(plain, []string{lower}) != "" {
			return name
		}
	}
	return ""
}

func misspelledTop(u *configUse, m dockerconfig.Member, meant string) Finding {
	f := Failed(misspelledKey, m.Key, fmt.Sprintf("%s is no key that the runner knows", quoted(m.Key)),
		"write "+quoted(meant)+restart).At(m.KeyPlace()).Touching(u.references()...)
	if strings.EqualFold(m.Key, meant) {
		f.Message += "; docker's CLI ignores case and takes it"
	}
	switch {
	case meant != "auths":
		f.Hint = "take it out: the runner uses no stores and no helpers; write the entries into auths" + restart
		f = f.Try(encodeCommand).Touching(u.bareEntries()...)
		if u.served() {
			f = f.As(Warn)
			f.Message += "; every registry that is needed has an entry of its own"
		}
	case !u.every && len(u.images) == 0:
		f = f.As(Warn)
		f.Message += "; no image of this runner needs credentials"
	}
	return f
}

func hasFields(v dockerconfig.Value) bool {
	for m := range v.Members() {
		if slices.Contains(fieldNames(), m.Key) && m.Value.Kind != dockerconfig.Object {
			return true
		}
	}
	return false
}

// strayEntries reports entries at the top level: at the first, as all have one cause.
func strayEntries(u *configUse) []Finding {
	var stray []dockerconfig.Member
	var keys []string
	for m := range u.File.Root.Members() {
		bareAuth := m.Key == "auth" && m.Value.Kind == dockerconfig.String
		known := slices.Contains(dockersObjects(), strings.ToLower(m.Key))
		if bareAuth || m.Value.Kind == dockerconfig.Object && !known && hasFields(m.Value) {
			stray, keys = append(stray, m), append(keys, m.Key)
		}
	}
	if len(stray) == 0 {
		return wrappedEntries(u)
	}
	message := fmt.Sprintf("%s stands at the top level, not in auths: the runner does not see it", quoted(keys[0]))
	if len(keys) > 1 {
		message = fmt.Sprintf("%d entries stand at the top level, not in auths: the runner does not see "+
			"them", len(keys))
	}
	hint := `put it into "auths": { }`
	if len(keys) > 1 {
		hint = `put them into "auths": { }`
	}
	if keys[0] == "auth" {
		hint = `write {"auths": {"REGISTRY": {"auth": "…"}}}`
	}
	f := Failed(authsMissing, keys[0], message, hint+restart).At(stray[0].KeyPlace()).
		Touching(u.references()...)
	if !u.every && !strayNeeded(u, keys) {
		f = f.As(Warn)
		f.Message += "; no image of this runner needs it"
	}
	return []Finding{f}
}

// wrappedEntries reports entries, or auths itself, one level too deep: under a key that no reader knows.
func wrappedEntries(u *configUse) []Finding {
	for m := range u.File.Root.Members() {
		if slices.Contains(dockersObjects(), strings.ToLower(m.Key)) {
			continue
		}
		for inner := range m.Value.Members() {
			message, hint := "", `write "auths"`
			switch {
			case inner.Key == ".dockerconfigjson" && inner.Value.Kind == dockerconfig.String:
				message = "the file is a Kubernetes secret, and config.json is what is in it"
				hint = "write what .dockerconfigjson holds, decoded, as config.json"
			case inner.Key == "auths" && inner.Value.Kind == dockerconfig.Object:
				message = fmt.Sprintf("auths stands inside of %s, where the runner does not look", quoted(m.Key))
				hint = "put auths at the top level"
			case inner.Value.Kind == dockerconfig.Object && holdsCredentials(inner.Value):
				message = fmt.Sprintf("entries stand in %s, not in auths: the runner does not see them", quoted(m.Key))
			default:
				continue
			}
			f := Failed(authsMissing, m.Key, message, hint+restart).At(m.KeyPlace()).Touching(u.references()...)
			if u.served() {
				f = f.As(Warn)
				f.Message += "; every registry that is needed has an entry of its own"
			}
			return []Finding{f}
		}
	}
	return nil
}

// holdsCredentials tells an entry by its auth, or by its user name and password.
func holdsCredentials(v dockerconfig.Value) bool {
	auth, _ := v.Member("auth")
	user, _ := v.Member("username")
	password, _ := v.Member("password")
	return isText(&auth) || isText(&user) && isText(&password)
}

// dockersObjects are the members of the file, in lower case, that hold objects.
func dockersObjects() []string {
	return []string{"auths", "httpheaders", "credhelpers", "aliases", "features", "plugins", "proxies"}
}

func strayNeeded(u *configUse, keys []string) bool {
	for _, image := range u.needs {
		host := readerHost(image.Reference)
		if slices.ContainsFunc(keys, func(key string) bool { return keyHost(key) == host || key == "auth" }) {
			return true
		}
	}
	return false
}

// typeFindings reports values at which docker's CLI gives the file up, those in entries left out: the runner stumbles
// over them too.
func typeFindings(u *configUse) []Finding {
	var findings []Finding
	for _, w := range u.File.WrongTypes() {
		top, _, nested := strings.Cut(w.Path, ".")
		if strings.EqualFold(top, "auths") && (!nested || w.Member.Key != "email") || w.Path == "" {
			continue
		}
		findings = append(findings, Warned(wrongType, source.Printable(w.Path),
			fmt.Sprintf("%s is to be %s, and is %s: docker's CLI drops the file, the runner reads on",
				quoted(w.Path), w.Want, w.Member.Value.Kind), "mend the type, or delete the key").
			At(w.Member.Value.Place()))
	}
	return findings
}

func authsType(u *configUse, m dockerconfig.Member) []Finding {
	const hint = `write "auths": {"REGISTRY": {"auth": "…"}}` + restart
	switch m.Value.Kind {
	case dockerconfig.Object:
		return nil
	case dockerconfig.Null:
		f := Failed(malformedAuths, m.Key, "auths is null: the runner reads no "+
			"entry", hint).Touching(u.references()...)
		if !u.every && len(u.images) == 0 {
			f = f.As(Warn)
			f.Message += "; no image of this runner needs credentials"
		}
		return []Finding{f.At(m.Value.Place())}
	}
	return []Finding{u.wholeFile(Failed(malformedAuths, m.Key,
		fmt.Sprintf("auths is %s, not an object: the runner's reader refuses the whole file", m.Value.Kind), hint).
		At(m.Value.Place()))}
}
