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
	inputs := []Input{{"/home/ci/.config/systemd/user/t.service", []byte(unit), nothingThere}}
	for name, text := range files {
		inputs = append(inputs, Input{name, []byte(text), nothingThere})
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
