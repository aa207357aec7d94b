package runner

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"runner-preflight/checks/source"
)

// startsContainer is the index behind "run" or "container run" when the words behind docker's name are such a
// command, else -1.
func startsContainer(words []field) int {
	for i := 0; i < len(words); i++ {
		switch v := words[i].value(); {
		case v == "container":
		case v == "run" || v == "create":
			return i + 1
		case slices.Contains([]string{
			"-H", "--host", "-c", "--context", "--config", "-l", "--log-level", "--tlscacert",
			"--tlscert", "--tlskey", "--connection", "--url", "--identity", "--root", "--runroot", "--storage-driver",
			"-n", "--namespace", "--address",
		}, v):
			i++
		case !strings.HasPrefix(v, "-"):
			return -1
		}
	}
	return -1
}

// reader takes the words of a docker run apart.
type reader struct {
	grammar
	d     *Definition
	words []field
	at    int
	// env are the assignments of -e in order; files what came from env files.
	env   []Variable
	files []Variable
	sh    *shell
	scope *scope
	// behind says that the image has been passed.
	behind bool
}

func (r *reader) mistake(kind string, place source.Span, detail, near string) {
	r.d.Mistakes = append(r.d.Mistakes, Mistake{kind, place, detail, true, near})
}

// read fills the definition from the words that follow "run".
func (r *reader) read() {
	r.options()
	if r.at < len(r.words) {
		if word := r.words[r.at]; word.value() == "" && word.unresolved() == "" {
			r.mistake(ImageMissing, word.outerPlace(), "an empty word stands where the image should be", "")
		}
		r.d.Image = r.words[r.at].text()
		r.at++
		r.arguments()
	} else if len(r.d.Unread) == 0 {
		r.mistake(ImageMissing, r.lastPlace(), "the command ends without an image", "")
	}
	r.d.Environment = slices.Concat(r.files, r.env)
}

// lastPlace is the last thing of the command: where an image should follow.
func (r *reader) lastPlace() source.Span {
	if n := len(r.d.Options); n > 0 {
		return r.d.Options[n-1].Place
	}
	return r.d.Place
}

// options reads up to the image.
func (r *reader) options() {
	for r.at < len(r.words) {
		word := r.words[r.at]
		v := word.value()
		switch {
		case word.many() && r.moreOptions():
			r.d.Unread = append(r.d.Unread, word.text())
			r.at++
		case splat.MatchString(v):
			unread := word.text()
			unread.Unresolved = cmp.Or(unread.Unresolved, v+" are options that PowerShell puts there")
			r.d.Unread = append(r.d.Unread, unread)
			r.at++
		case v == "--":
			r.at++
			return
		case dashes(v) > 0:
			r.option()
		default:
			n := r.stray()
			if n == 0 {
				return
			}
			r.at += n
		}
	}
}

// splat matches a variable of PowerShell that stands for any number of words; no image begins so.
var splat = regexp.MustCompile(`^@[A-Za-z_]\w*$`)

// moreOptions tells whether the word here, which is not known, stands among options rather than for the image.
func (r *reader) moreOptions() bool {
	rest := r.words[r.at+1:]
	if len(rest) == 0 {
		name := strings.ToUpper(r.words[r.at].value())
		return optionsName.MatchString(name)
	}
	return dashes(rest[0].value()) > 0 || looksLikeImage(rest[0].value()) || rest[0].opaque()
}

// optionsName matches what people call a variable that holds options; "$@" may hold some too.
var optionsName = regexp.MustCompile(`OPT|ARG|FLAG|@`)

// looksLikeImage tells whether a word has the form of a reference with a repository and a name.
func looksLikeImage(v string) bool {
	return IsRunnerImage(v) || referenceForm.MatchString(v)
}

var referenceForm = regexp.MustCompile(`^[A-Za-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)+([:@][\w.:-]+)?$`)

// stray counts the words here of which docker takes the first for the image though another one clearly is it: what
// a blank too many leaves. It reports them once.
func (r *reader) stray() int {
	n := 0
	for ; n < 3 && r.at+n < len(r.words); n++ {
		word := r.words[r.at+n]
		if n > 0 && (dashes(word.value()) > 0 || IsRunnerImage(word.value())) {
			break
		}
		if looksLikeImage(word.value()) || word.unresolved() != "" {
			return 0
		}
	}
	rest := r.words[min(r.at+n, len(r.words)):]
	if !slices.ContainsFunc(rest, func(w field) bool { return IsRunnerImage(w.value()) }) {
		return 0
	}
	r.mistake(OptionAfterImage, span(r.words[r.at]), "this word is no option and no value of one, so docker takes "+
		"it for the image and all that follows for the image's arguments", "")
	r.hideStray(n)
	return n
}

// hideStray hides the stray words here where a variable with a secret's name is before them: they are its value, or the
// rest of it.
func (r *reader) hideStray(n int) {
	name, _, _ := strings.Cut(r.words[max(r.at-1, 0)].value(), "=")
	if r.at == 0 || !secretName(name) {
		return
	}
	for _, word := range r.words[r.at : r.at+n] {
		place := span(word)
		hide(place.File, place.Start, place.End)
	}
}

// typographic are the dashes that word processors and web pages make of "-" and "--", and "-" itself.
const typographic = "-\u2010\u2011\u2013\u2014\u2212"

// dashes counts the dashes before an option's name: 0 if it is none. Typographic dashes count, as they are pasted
// for two, or before one letter for one.
func dashes(v string) int {
	for _, dash := range []string{"\u2013", "\u2014", "\u2212", "\u2010", "\u2011"} {
		if rest, ok := strings.CutPrefix(v, dash); ok {
			name, _, _ := strings.Cut(strings.TrimLeft(rest, typographic), "=")
			return min(len(name), 2)
		}
	}
	switch {
	case strings.HasPrefix(v, "--") && len(v) > 2:
		return 2
	case strings.HasPrefix(v, "-") && len(v) > 1:
		return 1
	}
	return 0
}

// option reads one word of options and the value that belongs to it.
func (r *reader) option() {
	word := r.words[r.at]
	v, shape := word.value(), word.shape()
	plain := strings.TrimLeft(v, typographic)
	skip := len(v) - len(plain)
	name, _, joined := strings.Cut(shape[skip:], "=")
	pasted := v[0] != '-'
	long := dashes(v) == 2 && (skip == 2 || pasted)
	switch {
	case long && r.knows(name) && !pasted:
		r.take(name, v[:skip+len(name)], skip+len(name), joined, true, "")
	case long, r.pastedLong(name):
		r.unknown(name, skip, joined)
	case pasted:
		r.typographicShort(skip, plain)
	default:
		r.cluster(word, v)
	}
}

// pastedLong tells whether a name behind one dash is a long option that lacks its second dash.
func (r *reader) pastedLong(name string) bool {
	return r.knows(name) && (len(name) > 2 || name == "rm")
}

func (r *reader) typographicShort(skip int, plain string) {
	letter := plain[0]
	long, known := r.short[letter]
	if !known {
		r.unknown(plain, skip, false)
		return
	}
	r.report(r.words[r.at], skip+1, "-"+string(letter), "a typographic dash is no dash to docker")
	r.take(long, r.words[r.at].value()[:skip+1], skip+1, len(plain) > 1, false, "-"+string(letter))
}

// unknown reads a long option that docker does not know, as the one that was probably meant.
func (r *reader) unknown(name string, skip int, joined bool) {
	word := r.words[r.at]
	near := r.nearest(name)
	detail := "docker does not know it"
	switch {
	case word.value()[0] != '-':
		detail = "a typographic dash is no dash to docker"
	case skip == 1 && near != "":
		detail = "with one dash it is a row of one-letter options"
	}
	nearName := ""
	if near != "" {
		nearName = "--" + near
	}
	r.report(word, skip+len(name), nearName, detail)
	written := word.value()[:skip+len(name)]
	if near != "" {
		r.take(near, written, skip+len(name), joined, true, nearName)
		return
	}
	o := Option{Name: named(word.slice(0, len(written)), written), Place: span(word)}
	r.at++
	switch {
	case joined:
		o.Value = word.slice(min(len(written)+1, len(word.value())), len(word.value())).text()
	case r.swallowed():
		o.Value = r.words[r.at].text()
		r.at++
	}
	r.add(o)
}

func (r *reader) report(word field, length int, near, detail string) {
	if r.behind {
		return
	}
	place, _ := word.slice(0, length).place()
	r.mistake(UnknownOption, place, detail, near)
}

// swallowed tells whether the word here is rather the value of the unknown option before it than the image.
func (r *reader) swallowed() bool {
	if r.at+1 >= len(r.words) {
		return false
	}
	next, after := r.words[r.at].value(), r.words[r.at+1].value()
	return dashes(next) == 0 && !looksLikeImage(next) && (dashes(after) > 0 || looksLikeImage(after))
}

// cluster reads one-letter options: -it, -eNAME=value, -d=false.
func (r *reader) cluster(word field, v string) {
	for i := 1; i < len(v); i++ {
		long, known := r.short[v[i]]
		switch {
		case !known:
			from := i
			if i == 1 {
				from = 0
			}
			r.report(word.slice(from, i+1), i+1-from, "", "docker knows no option -"+source.Printable(v[i:i+1]))
			r.add(Option{Name: word.text(), Place: span(word)})
			r.at++
			return
		case r.valued[long]:
			rest := i + 1
			r.take(long, "-"+v[i:i+1], rest, rest < len(v), false, "")
			return
		case i+1 < len(v) && v[i+1] == '=':
			r.take(long, "-"+v[i:i+1], i+1, true, false, "")
			return
		default:
			r.add(Option{Name: named(word.slice(i, i+1), "-"+v[i:i+1]), Long: long, Place: span(word), Known: true})
		}
	}
	r.at++
}

func named(f field, name string) Text {
	t := f.text()
	t.Value = name
	return t
}

func span(f field) source.Span { place, _ := f.place(); return place }

// take reads the value of the option here, which is the rest of the word from byte at (joined) or the next word.
func (r *reader) take(long, name string, at int, joined, isLong bool, near string) {
	word := r.words[r.at]
	r.at++
	option := Option{
		Name: named(word.slice(0, at), name), Long: long, Place: span(word), Near: near,
		Known: near == "" && r.knows(long),
	}
	if !isLong {
		option.Name.Place = span(word.slice(max(0, at-1), at))
	}
	var value field
	switch {
	case joined:
		if strings.HasPrefix(word.value()[at:], "=") {
			at++
		}
		value = word.slice(at, len(word.value()))
	case !r.valued[long]:
		r.add(option)
		return
	case r.at < len(r.words):
		value = r.words[r.at]
		r.at++
		if place := span(value); place.File == option.Place.File && place.End > option.Place.End {
			option.Place.End = place.End
		}
	default:
		r.add(option)
		return
	}
	option.Value = value.text()
	r.add(option)
	if !r.behind {
		r.use(long, option, value, joined)
	}
}

func (r *reader) add(o Option) {
	if r.behind {
		if o.Known {
			r.d.Misplaced = append(r.d.Misplaced, o)
		}
		return
	}
	r.d.Options = append(r.d.Options, o)
}

// use takes over what an option says.
func (r *reader) use(long string, o Option, value field, joined bool) {
	switch long {
	case "env":
		r.variable(value)
	case "env-file":
		r.envFile(value)
	case "volume":
		r.d.Mounts = append(r.d.Mounts, volumeMount(value, o, joined))
	case "mount":
		if m, ok := optionMount(value, o, joined); ok {
			r.d.Mounts = append(r.d.Mounts, m)
		}
	case "volumes-from":
		if t := value.text(); t.Unresolved == "" {
			r.d.borrow(t, t.Value)
		} else {
			r.d.Unread = append(r.d.Unread, t)
		}
	}
}

// variable reads the value of -e.
func (r *reader) variable(value field) {
	v := Variable{Place: span(value)}
	at := strings.IndexByte(value.shape(), '=')
	if at >= 0 {
		v.Name, v.Value = value.slice(0, at).text(), value.slice(at+1, len(value.value())).text()
		r.env = append(r.env, v)
		return
	}
	v.Name, v.NoValue = value.text(), true
	if value.unresolved() != "" {
		r.d.Unread = append(r.d.Unread, v.Name)
		return
	}
	v.Value = r.inherited(v.Name)
	r.env = append(r.env, v)
}

// inherited is what docker finds in its own environment.
func (r *reader) inherited(name Text) Text {
	b, ok := r.scope.vars[name.Value]
	switch {
	case ok && b.exported && b.value != nil:
		t := b.value.text()
		t.Use = name.Place
		return t
	case ok && b.value != nil:
		return Text{Place: name.Place, Unresolved: fmt.Sprintf(
			"-e %s passes on what is exported, and the script assigns it without exporting it", name.Value)}
	}
	return Text{Place: name.Place, Unresolved: fmt.Sprintf("-e %s takes it from the environment of docker", name.Value)}
}

// arguments reads what stands behind the image.
func (r *reader) arguments() {
	for _, word := range r.words[r.at:] {
		r.d.Arguments = append(r.d.Arguments, word.text())
	}
	r.joined()
	r.misplaced()
}

// misplaced finds docker's options among the words behind the image.
func (r *reader) misplaced() {
	if r.ownCommand() {
		return
	}
	r.behind = true
	for r.at < len(r.words) {
		if v := r.words[r.at].value(); dashes(v) == 0 || v[0] != '-' {
			r.at++
			continue
		}
		r.option()
	}
	for _, o := range r.d.Misplaced {
		r.mistake(OptionAfterImage, o.Place, "what follows the image is handed to the runner, not to docker", "")
	}
}

// joined reports a backslash behind the image that makes the next command a part of this one.
func (r *reader) joined() {
	image, next := r.words[r.at-1].outerEnd(), source.Span{}
	if r.at < len(r.words) {
		next = r.words[r.at][0].at[0]
	}
	if next.File == nil || next.File != image.File || next.Start <= image.Start || dashes(r.words[r.at].value()) > 0 {
		return
	}
	between := string(next.File.Text[image.Start:next.Start])
	if i := strings.IndexByte(between, '\\'); i >= 0 && strings.HasSuffix(between, "\n") {
		at := image.Start + i
		r.mistake(BrokenContinuation, next.File.At(at, at+1),
			"the backslash joins the next line to the command, and its words are handed to the runner", "")
	}
}

// ownCommand tells whether what follows the image is a command of its own, whose options are not docker's.
func (r *reader) ownCommand() bool {
	replaced := slices.ContainsFunc(r.d.Options, func(o Option) bool { return o.Long == "entrypoint" })
	if replaced || r.at >= len(r.words) {
		return true
	}
	v := r.words[r.at].value()
	return dashes(v) == 0 || v == "-c" || v == "-h" || v == "--help"
}

// IsRunnerImage tells whether a reference names the runner's image, or what is meant for it.
func IsRunnerImage(reference string) bool {
	name := strings.ToLower(reference)
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	name, _, _ = strings.Cut(name, "@")
	name, _, _ = strings.Cut(name, ":")
	if len(name) > 80 {
		return false
	}
	return strings.Contains(name, "pipelines-runner") || strings.Contains(name, "pipeline-runner") ||
		strings.Contains(name, "bitbucket") && strings.Contains(name, "runner") ||
		distance(name, "bitbucket-pipelines-runner") <= 2
}

// isRunner tells whether a definition is one of a runner: by its image, or by the variables that it sets.
func isRunner(d *Definition) bool {
	if IsRunnerImage(d.Image.Value) {
		return true
	}
	own, shared := 0, 0
	for _, v := range d.Environment {
		switch v.Name.Value {
		case "ACCOUNT_UUID", "RUNNER_UUID", "REPOSITORY_UUID", "PAUSE_IMAGE", "AUTH_PROXY_IMAGE", "CLONE_IMAGE",
			"RUNTIME_PREREQUISITES_ENABLED":
			own++
		case "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "WORKING_DIRECTORY":
			shared++
		}
	}
	return own > 0 || shared > 1 || len(d.Environment) == 0 && unknownRunner(d)
}

// unknownRunner tells whether a definition whose image or variables are not known may well be a runner.
func unknownRunner(d *Definition) bool {
	text := d.Image.Value
	for _, file := range d.EnvFiles {
		text += " " + file.Path.Value
	}
	for _, o := range d.Options {
		if o.Long == "name" {
			text += " " + o.Value.Value
		}
	}
	unknown := d.Image.Unresolved != "" || d.Image.Value == "" || !d.Complete()
	return unknown && strings.Contains(strings.ToLower(text), "runner") && d.mounts("/var/run/docker.sock")
}

func (d *Definition) mounts(target string) bool {
	return slices.ContainsFunc(d.Mounts, func(m Mount) bool { return m.Target.Value == target })
}
