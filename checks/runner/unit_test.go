package runner

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"runner-preflight/checks/source"
)

func nothingThere(string) ([]byte, error) { return nil, fs.ErrNotExist }

// argv is what systemd makes of the commands of a unit, in its own notation: [a][b], a line for each command.
func argv(t *testing.T, unit string, files map[string]string) string {
	t.Helper()
	inputs := []Input{{Path: "/home/ci/.config/systemd/user/t.service", Data: []byte(unit), Open: nothingThere}}
	for name, text := range files {
		inputs = append(inputs, Input{Path: name, Data: []byte(text), Open: nothingThere})
	}
	s := &set{open: nothingThere, inputs: inputs, parts: map[string]bool{}}
	u := recogniseUnit(source.New(inputs[0].Path, inputs[0].Data), inputs[0]).(unitFile)
	r := &unitReader{set: s, unitFile: u, shell: newShell(s)}
	r.whose()
	r.environment()
	var out strings.Builder
	for _, s := range r.list("Service", "ExecStart") {
		words, _ := r.name.words(s.value)
		for _, w := range expandUnit(words, r.scope)[1:] {
			out.WriteString("[" + w.value() + "]")
		}
		out.WriteString("\n")
	}
	return out.String()
}

// TestUnitWords compares the words of commands with what systemd 252 was seen to hand to a program. Where it removes a
// word because it knows no such variable, here the word stays as it is written, and is said not to be known.
func TestUnitWords(t *testing.T) {
	env := "# c\n; c2\nA=\"a b\" \nB='x\"y' tail\nC=un quoted  # no comment\nexport D=1\nE=x\\\ny\nF=\"a\\$b\\qc\\n\"\n G = spaced \n" +
		"H=\"two\nlines\"\nI=a\"b\"c\nJ='a'\"b\"c\nK\nL={u}\nM=$A\n"
	for name, c := range map[string]struct{ unit, want string }{
		"variables": {
			"Environment=T=1 FOO=foo \"BAR=a b\"\n" +
				"ExecStart=/x A=$FOO $FOO '${FOO}' '$BAR' \"$BAR\" $BAR ${BAR} x$$y %%h A=\"b c\"d 'a\\x41\\s' \\q \"u\\\"v\" {a} \\;\n",
			"[A=$FOO][foo][foo][a][b][a][b][a][b][a b][x$y][%h][A=b cd][aA ][\\q][u\"v][{a}][\\;]\n",
		},
		"escapes":     {`ExecStart=/x "\u00e9\101\n" \{a\}` + "\n", "[éA\n][\\{a\\}]\n"},
		"percent":     {"ExecStart=/x a% a% b a%{b} a%-d\n", "[a%][a%][b][a%{b}][a%-d]\n"},
		"mid-word":    {"ExecStart=/x d;e \"a b\" \"c;\" ~/x\n", "[d;e][a b][c;][~/x]\n"},
		"assignments": {"Environment=A=1\nEnvironment=\nEnvironment=X=%%h/x Y=$X\nExecStart=/x ${X} ${Y}\n", "[%h/x][$X]\n"},
		"files": {
			"EnvironmentFile=/e.env\nEnvironment=A=unit Q=\"q q\" \"R=r\\x41\" S=%n\n" +
				"ExecStart=/x ${A} ${B} ${C} ${E} ${F} ${G} ${H} ${I} ${J} ${L} ${M} ${Q} ${R} ${S} %n %p \\\n" +
				"  # comment\n  ; other \\\n  x\"y \\\n     z\" #end\n",
			"[a b][x\"ytail][un quoted  # no comment][xy][a$b\\qc\\n][spaced][two\nlines][a\"b\"c][abc][{u}][$A][q q][rA]" +
				"[t.service][t.service][t][xy       z][#end]\n",
		},
		"empty line":    {"ExecStart=/x a \\\n\n  b\nExecStart=/x g\n", "[a]\n[g]\n"},
		"reset":         {"ExecStart=/x a\nExecStart=\nExecStart=/x b\n", "[b]\n"},
		"end of file":   {"ExecStart=/x a \\", "[a]\n"},
		"two at an end": {"ExecStart=/x a \\\\\nExecStart=/x b\n", "[a][\\]\n[b]\n"},
	} {
		for _, ends := range []string{"\n", "\r\n"} {
			unit := strings.ReplaceAll("[Service]\nType=oneshot\n"+c.unit, "\n", ends)
			got := argv(t, unit, map[string]string{"/e.env": env})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s, lines end in %q (-want +got):\n%s", name, ends, diff)
			}
		}
	}
}

// The forms are those of systemd.exec(5), systemd.unit(5) and of docker's documentation on proxies.
func TestUnitEnvironment(t *testing.T) {
	files := map[string]string{
		"/etc/sysconfig/docker-proxy": "NO_PROXY=\"localhost,.example.com\" \nOPTIONS=--debug\n",
		"/etc/default/docker":         "A=5\n",
	}
	open := func(name string) ([]byte, error) {
		if text, there := files[name]; there {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	}
	dropIns := []*source.File{
		source.New("/d/10-proxy.conf", []byte("[Service]\nEnvironment=OLD=1\nEnvironment=\n"+
			"Environment=\"HTTPS_PROXY=http://proxy.example.com:3128\" 'NO_PROXY=localhost, 10.0.0.0/8'\n"+
			"Environment=A=1 B=\\\n  C=3 UNIT=%N PASSWORD=p%%40ss HOST=%H\n#Environment=D=4\n"+
			"EnvironmentFile=-/etc/default/docker\nEnvironmentFile=\nEnvironmentFile=-/nowhere\nExecStart=/usr/bin/dockerd E=5\n")),
		source.New("/d/20-more.conf", []byte("[Unit]\nEnvironment=A=2\n[Service]\nEnvironment=B=7\n"+
			"EnvironmentFile=/etc/sysconfig/docker-proxy\nUnsetEnvironment=OPTIONS\n")),
	}
	got := map[string]string{}
	for name, value := range UnitEnvironment("docker.service", dropIns, open) {
		got[name] = value.Value + " in " + value.Place.File.Path
		if value.Unresolved != "" {
			got[name] = value.Unresolved
		}
	}
	want := map[string]string{
		"HTTPS_PROXY": "http://proxy.example.com:3128 in /d/10-proxy.conf",
		"NO_PROXY":    "localhost,.example.com in /etc/sysconfig/docker-proxy",
		"A":           "1 in /d/10-proxy.conf", "B": "7 in /d/20-more.conf", "C": "3 in /d/10-proxy.conf",
		"UNIT": "docker in /d/10-proxy.conf", "PASSWORD": "p%40ss in /d/10-proxy.conf",
		"HOST": "systemd fills in the name of the host",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
