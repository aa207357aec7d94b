package runner

import (
	"fmt"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"runner-preflight/checks/source"
)

// values are variables as a .env would set them.
func values(set map[string]string) *composeValues {
	room := maxComposeValues
	v := &composeValues{set: map[string]field{}, room: &room}
	for name, value := range set {
		v.set[name] = field{{text: value, at: []source.Span{{}}, verbatim: true}}
	}
	return v
}

// TestInterpolation holds what is filled in against what docker compose's own library (2.16.2) made of the same texts.
func TestInterpolation(t *testing.T) {
	for text, want := range map[string]string{
		"a$5": "a$5", "a$": "a$", "${A:-{x}}": "one", "${X:-{x-y}}": "{x-y}", "${X:-${A}}": "one",
		"${X:-a${Y:-b}c}d": "abcd", "${A:+r}": "r", "${X:+r}": "", "${X+r}": "", "${E:-d}": "d", "${E-d}": "",
		"${E+r}": "r", "${E:+r}": "", "$$A": "$A", "$A.$E": "one.", "${X:-}": "", "${X-a:-b}": "a:-b", "${X:-a}}": "a}",
		"{${A}}": "{one}", "${X:-$$}": "$", "${A}-${A}": "one-one", "${A:-b}/${X:-c}": "one/c", "${X:-{}}": "{}",
		"$(pwd)": "$(pwd)", "${U}": "{1-2}", "$é": "$é", "${A}}": "one}", "p${X:-a b}s": "pa bs", "${A:?no}": "one",
		"$A$A": "oneone", "$$$A": "$one", "$$$$": "$$", "${X:-$$}${A}": "$one", "${a-b:-c}": "b:-c",
	} {
		v := values(map[string]string{"A": "one", "E": "", "U": "{1-2}"})
		file := source.New("x", []byte(text))
		got := v.fill(field{{text: text, at: []source.Span{file.At(0, len(text))}, verbatim: true}}, noSecret)
		if got.value() != want || got.unresolved() != "" || len(v.mistakes) > 0 {
			t.Errorf("%s: %q %q %v, want %q", text, got.value(), got.unresolved(), v.mistakes, want)
		}
	}
}

// TestInterpolationRefused holds what is refused, and what is not known, against the same library.
func TestInterpolationRefused(t *testing.T) {
	for _, text := range []string{"${5}", "${}", "${A", "${A B}", "${X:a}", "${A/b/c}", "${{ x }}", "b${A", "${X:-${}}"} {
		v := values(map[string]string{"A": "one"})
		v.fill(written(text), noSecret)
		if len(v.mistakes) != 1 {
			t.Errorf("%s: mistakes %v", text, v.mistakes)
		}
	}
	for text, secret := range map[string]int{"${X}": noSecret, "a$X": 0, "${X:?no}": noSecret, "${A:-$X}$X": noSecret, "${X?}": 0} {
		v := values(map[string]string{"A": "one"})
		got := v.fill(written(text), secret)
		if got.unresolved() == "" || len(v.mistakes) > 0 {
			t.Errorf("%s: %q %v", text, got.unresolved(), v.mistakes)
		}
		if tells := strings.Contains(got.unresolved(), "X "); tells != (text != "a$X") {
			t.Errorf("%s: %q", text, got.unresolved())
		}
	}
	home := values(nil).fill(written("${HOME}/x"), noSecret).text()
	if home.Value != "~/x" || !home.Home {
		t.Errorf("home: %+v", home)
	}
}

func written(text string) field {
	file := source.New("x", []byte(text))
	return field{{text: text, at: []source.Span{file.At(0, len(text))}, verbatim: true}}
}

// TestDotenv holds what an env file sets against what docker compose's own library made of the same texts.
func TestDotenv(t *testing.T) {
	for text, want := range map[string]string{
		"A=b": "A=b", "A = b": "A=b", "export A=b": "A=b", "A: b": "A=b", `A="x" # c`: "A=x", "A=x # c": "A=x", "A=x#c": "A=x#c",
		"A=\"a\nb\"\nC=d": "A=a\nb C=d", `A='a$B'`: "A=a$B", "B=1\nA=\"$B\\n\\t\\$B\"": "B=1 A=1\n\t$B", `A='it\'s'`: "A=it's",
		`A="a\0101b"`: "A=aAb", `A="a\101b"`: `A=a\101b`, `A="\\n"`: `A=\n`, "A=\nB=c": "A= B=c", "A={x-y}": "A={x-y}",
		"A=\"{x}\"\r\nB=c\r\n": "A={x} B=c", "# x\n\n  A=b": "A=b", "A=${B:-c}": "A=c", "A=$5": "A=$5", `A="\c"`: `A=\c`,
		`A="a\z"`: `A=a\z`, "A=#b": "A=#b", "A= #b": "A=#b", "A=1\nA=2": "A=1 A=2", "A=a b": "A=a b", "B.C-D[0]=1": "B.C-D[0]=1",
		"A=\t\"x\"": "A=x", "\ufeffA=b": "A=b", "A=“x”": "A=“x”",
	} {
		d := readDotenv(source.New(".env", []byte(text)), values(nil))
		var got []string
		for _, v := range d.variables {
			got = append(got, v.Name.Value+"="+v.Value.Value)
		}
		if strings.Join(got, " ") != want || len(d.mistakes) > 0 {
			t.Errorf("%q: %q %v, want %q", text, got, d.mistakes, want)
		}
	}
	for text, at := range map[string]string{
		"A B=1": ".env:1:1", `A="x`: ".env:1:3", "A@B=c": ".env:1:1", "A=b\n- C=d": ".env:2:1", "A=${5}": ".env:1:3",
		`A="a""b"`: ".env:1:6", `A="x"y`: ".env:1:6", "A=1\nB='x\nC=2\n": ".env:2:3",
	} {
		d := readDotenv(source.New(".env", []byte(text)), values(nil))
		if len(d.mistakes) == 0 || d.mistakes[0].Place.Position().String() != at {
			t.Errorf("%q: %+v, want one at %s", text, d.mistakes, at)
		}
	}
}

const wholeCompose = `# our runner
version: "3.8"
x-common: &common
  restart: always
  env_file: runner.env
services:
  docker:
    image: docker:27-dind
    privileged: true
    volumes: [ "work:/work", containers:/var/lib/docker/containers ]
  runner:
    <<: *common
    image: "${REGISTRY:-registry.example.com}/mirror/bitbucket-pipelines-runner:${TAG}"
    container_name: 'runner-1'
    depends_on: [docker]
    environment:
      - ACCOUNT_UUID={0b6e1b2c-3d4f-4a5b-8c6d-7e8f9a0b1c2d}
      - "RUNNER_UUID=${RUNNER_UUID}"   # from .env
      - 'OAUTH_CLIENT_ID=Grün'
      - OAUTH_CLIENT_SECRET=canary-one
      - WORKING_DIRECTORY=/work
      - DOCKER_HOST=tcp://docker:2375
      - PASSED_ON
    volumes:
      - work:/work
      - containers:/var/lib/docker/containers:ro
      - ./registry/config.json:/root/.docker/config.json:ro
      - type: bind
        source: ~/certs
        target: /certs
        read_only: true
volumes: {work: , containers: {}}
`

func besideCompose(name string) ([]byte, error) {
	switch filepath.Base(name) {
	case ".env":
		return []byte("TAG='5' # current\nRUNNER_UUID=\"{1b6e1b2c-3d4f-4a5b-8c6d-7e8f9a0b1c2d}\"\nDB_PASSWORD=canary-two\n"), nil
	case "runner.env":
		return []byte("export PAUSE_IMAGE=\"${REGISTRY:-r.example.com}/pause:${TAG}\"\nWORKING_DIRECTORY=/tmp\n"), nil
	}
	return nil, fs.ErrNotExist
}

func TestWholeCompose(t *testing.T) {
	reading := Read("deploy/docker-compose.yml", []byte(wholeCompose), besideCompose)
	if len(reading.Definitions) != 1 || len(reading.Mistakes) > 0 {
		t.Fatalf("%+v", reading)
	}
	noCanary(t, reading)
	d := reading.Definitions[0]
	const want = `compose file

runner 11:3
  image "registry.example.com/mirror/bitbucket-pipelines-runner:5" 13:13
  env "PAUSE_IMAGE" 1:8 file = "r.example.com/pause:5" 1:21
  env "WORKING_DIRECTORY" 2:1 file = "/tmp" 2:19
  env "ACCOUNT_UUID" 17:9 = "{0b6e1b2c-3d4f-4a5b-8c6d-7e8f9a0b1c2d}" 17:22
  env "RUNNER_UUID" 18:10 = "{1b6e1b2c-3d4f-4a5b-8c6d-7e8f9a0b1c2d}" 2:14 by 18:22
  env "OAUTH_CLIENT_ID" 19:10 = "Grün" 19:26
  env "OAUTH_CLIENT_SECRET" 20:9 = "canary-one" 20:29
  env "WORKING_DIRECTORY" 21:9 = "/work" 21:27
  env "DOCKER_HOST" 22:9 = "tcp://docker:2375" 22:21
  env "PASSED_ON" 23:9 bare = "" 23:9 (PASSED_ON comes from the environment: the .env beside does not set it)
  mount "work" 25:9 -> "/work" 25:14 volume
  mount "containers" 26:9 -> "/var/lib/docker/containers" 26:20 ro volume
  mount "./deploy/registry/config.json" 27:9 -> "/root/.docker/config.json" 27:32 ro
  mount "~/certs" 29:17 home -> "/certs" 30:17 ro
  option container_name "runner-1"
  option restart "always"
  file "deploy/runner.env" 5:13
  file "deploy/.env" 0:0
`
	if got := describe(reading); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if d.Daemon == nil || d.Daemon.Name.Value != "docker" || !d.Daemon.Privileged || len(d.Daemon.Mounts) != 2 {
		t.Errorf("daemon %+v", d.Daemon)
	}
	if len(d.Beside) != 3 || d.Mapping || d.Dialect != Compose {
		t.Errorf("%+v", d.Beside)
	}
}

// TestComposePlaces changes a good file in ways that leave its meaning, and holds each value against what stands at its
// place.
func TestComposePlaces(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	base := Read("docker-compose.yml", []byte(wholeCompose), besideCompose)
	want := described(base)
	for range 300 {
		text := mutated(random, wholeCompose)
		reading := Read("docker-compose.yml", []byte(text), besideCompose)
		if got := described(reading); got != want {
			t.Fatalf("read as\n%s\nwant\n%s\nof\n%s", got, want, text)
		}
		for _, d := range reading.Definitions {
			for _, value := range texts(d) {
				standsThere(t, value)
			}
		}
	}
}

// described is what a reading says, without places.
func described(r Reading) string {
	var out strings.Builder
	for _, d := range r.Definitions {
		for _, text := range texts(d) {
			fmt.Fprintf(&out, "%q %q\n", text.Value, text.Unresolved)
		}
		fmt.Fprintln(&out, len(d.Mistakes), d.Daemon != nil)
	}
	return out.String()
}

func standsThere(t *testing.T, value Text) {
	t.Helper()
	at := value.Place.Text()
	if value.Place.File == nil || value.Place.Start < 0 || value.Unresolved != "" || strings.Contains(at, "$") {
		return
	}
	if at != value.Value && at != strings.TrimPrefix(value.Value, "./") {
		t.Errorf("%q is said to stand at %s, where %q is", value.Value, value.Place.Position(), at)
	}
}

// mutated is a compose file with its form changed: comments, blanks, line ends, quotes, another indentation.
func mutated(random *rand.Rand, text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		trimmed := strings.TrimLeft(line, " ")
		switch random.Intn(8) {
		case 0:
			lines[i] = line + strings.Repeat(" ", random.Intn(3))
		case 1:
			lines[i] = strings.Repeat(" ", random.Intn(9)) + "# größer: 'nichts\n" + line
		case 2:
			if strings.HasPrefix(trimmed, "- ") && !strings.ContainsAny(trimmed, `'"#&*`) && !strings.Contains(trimmed, ": ") {
				quote := []string{"'", `"`}[random.Intn(2)]
				indent := line[:len(line)-len(trimmed)]
				lines[i] = indent + "-  " + quote + trimmed[2:] + quote + []string{"", " # x"}[random.Intn(2)]
			}
		case 3:
			lines[i] = line + "\n"
		}
	}
	out := strings.Join(lines, "\n")
	if random.Intn(3) == 0 {
		out = strings.ReplaceAll(out, "\n  ", "\n    ")
		out = strings.ReplaceAll(out, "\n    - ", "\n      - ")
	}
	if random.Intn(3) == 0 {
		out = strings.ReplaceAll(out, "\n", "\r\n")
	}
	if random.Intn(3) == 0 {
		out = "\ufeff" + out
	}
	return out
}

// TestComposeSets reads files that belong together.
func TestComposeSets(t *testing.T) {
	const image = "    image: x/bitbucket-pipelines-runner:5\n"
	type input map[string]string
	for name, c := range map[string]struct {
		files  input
		beside input
		want   string
	}{
		"override by its name": {
			files: input{"compose.override.yaml": "services:\n  r:\n    environment: {A: 2, B: 1}\n", "compose.yaml": "services:\n  r:\n" + image + "    environment: [A=1]\n"},
			want:  "compose.override.yaml in compose.yaml; compose.yaml: r A=2 B=1",
		},
		"override that is beside": {
			files:  input{"docker-compose.yml": "services:\n  r:\n" + image},
			beside: input{"docker-compose.override.yml": "services:\n  r:\n    environment: [A=2]\n"},
			want:   "docker-compose.yml: r A=2",
		},
		"override given alone": {
			files:  input{"d/compose.override.yml": "services:\n  r:\n    environment: [A=2]\n"},
			beside: input{"d/compose.yml": "services:\n  r:\n" + image + "    environment: [A=1, B=1]\n"},
			want:   "d/compose.override.yml: r A=2 B=1",
		},
		"another file for the same service": {
			files: input{"a.yml": "services:\n  r:\n" + image + "    environment: [A=1]\n", "b.prod.yml": "services:\n  r:\n    environment: [A=3]\n"},
			want:  "a.yml: r A=3; b.prod.yml in a.yml",
		},
		"two projects": {
			files: input{"a/compose.yml": "services:\n  r:\n" + image, "b/compose.yml": "services:\n  r:\n" + image},
			want:  "a/compose.yml: r; b/compose.yml: r",
		},
		"extends another file": {
			files:  input{"compose.yml": "services:\n  r:\n    extends: {file: base/b.yml, service: s}\n    environment: [B=2]\n"},
			beside: input{"base/b.yml": "services:\n  s:\n" + image + "    env_file: e.env\n    environment: [A=1, B=1]\n", "base/e.env": "C=3\n"},
			want:   "compose.yml: r C=3 A=1 B=2",
		},
		"extends one of its own": {
			files: input{"compose.yml": "services:\n  base:\n" + image + "    environment: [RUNTIME=x]\n  r:\n    extends: base\n    environment: [RUNNER_UUID=1]\n"},
			want:  "compose.yml: r RUNTIME=x RUNNER_UUID=1",
		},
		"extends in a circle": {
			files: input{"compose.yml": "services:\n  a:\n" + image + "    extends: b\n    environment: [RUNNER_UUID=1]\n  b:\n    extends: a\n"},
			want:  "compose.yml: a RUNNER_UUID=1 b RUNNER_UUID=1",
		},
		"includes": {
			files:  input{"compose.yml": "include:\n  - runner/compose.yml\n  - oci://x/y\nservices:\n  web: {image: nginx}\n"},
			beside: input{"runner/compose.yml": "services:\n  r:\n" + image + "    env_file: r.env\n", "runner/r.env": "A=1\n"},
			want:   "compose.yml: r A=1",
		},
		"reset": {
			files: input{"compose.yml": "services:\n  r:\n" + image + "    environment: [A=1]\n    env_file: none.env\n", "compose.override.yml": "services:\n  r:\n    environment: !override [B=1]\n    env_file: !reset []\n"},
			want:  "compose.override.yml in compose.yml; compose.yml: r B=1",
		},
		"a shared env file makes no runner": {
			files:  input{"compose.yml": "services:\n  db:\n    image: postgres\n    env_file: .env\n  r:\n" + image + "    env_file: .env\n"},
			beside: input{".env": "RUNNER_UUID=1\n"},
			want:   "compose.yml: r RUNNER_UUID=1",
		},
		"by its variables": {
			files: input{"compose.yml": "services:\n  db:\n    image: postgres\n  r:\n    image: ${IMAGE}\n    environment: {RUNNER_UUID: 'x'}\n"},
			want:  "compose.yml: r RUNNER_UUID=x",
		},
		"json": {
			files: input{"c.json": `{"services": {"r": {"image": "x/bitbucket-pipelines-runner", "environment": {"A": "$$1"}}}}`},
			want:  "c.json: r A=$1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			open := func(path string) ([]byte, error) {
				if text, there := c.beside[path]; there {
					return []byte(text), nil
				}
				return nil, fs.ErrNotExist
			}
			var inputs []Input
			for path, text := range c.files {
				inputs = append(inputs, Input{Path: path, Data: []byte(text), Open: open})
			}
			slices.SortFunc(inputs, func(a, b Input) int { return strings.Compare(a.Path, b.Path) })
			var got []string
			for i, reading := range ReadAll(inputs) {
				line := inputs[i].Path
				if reading.Within != "" {
					line += " in " + reading.Within
				}
				for j, d := range reading.Definitions {
					line += []string{": ", " "}[min(j, 1)] + d.Place.Text()
					for _, v := range d.Environment {
						line += " " + v.Name.Value + "=" + v.Value.Value
					}
				}
				got = append(got, line)
			}
			if joined := strings.Join(got, "; "); joined != c.want {
				t.Errorf("got  %s\nwant %s", joined, c.want)
			}
		})
	}
}

// TestComposeSecrets looks for secrets in all that is said of files that hold them in places where they are broken.
func TestComposeSecrets(t *testing.T) {
	const head = "services:\n  r:\n    image: x/bitbucket-pipelines-runner\n    environment:\n"
	for _, text := range []string{
		head + "      - OAUTH_CLIENT_SECRET=x$canary\n", head + "      OAUTH_CLIENT_SECRET: x${canary}y\n",
		head + "      - OAUTH_CLIENT_SECRET: canary\n", head + "      OAUTH_CLIENT_SECRET: {canary}\n",
		head + "      OAUTH_CLIENT_SECRET: [canary]\n", head + "      - OAUTH_CLIENT_SECRET =canary\n",
		head + "      - OAUTH_CLIENT_SECRET=${canary x}\n", head + "      OAUTH_CLIENT_SECRET: &canary\n        canary\n",
		head + "      OAUTH_CLIENT_SECRET: ${X:-canary-value}\n", head + "      OAUTH_CLIENT_SECRET: \"canary-\\x41\"\n",
		head + "      - HTTPS_PROXY=http://u:p$canary@h:1\n", head + "      - HTTPS_PROXY: http://u:canary@h:1\n",
		head + "      - HTTPS_PROXY=http://u:${canary 1}@h:1\n", head + "    env_file: canary.env\n",
		"services:\n  r:\n    environment: OAUTH_CLIENT_SECRET=canary-one\n    image: x/bitbucket-pipelines-runner\n",
		head + "      A: 'OAUTH_CLIENT_SECRET=canary-one'\n  \tb: c\n",
	} {
		open := func(string) ([]byte, error) {
			return []byte("OAUTH_CLIENT_SECRET='canary-one' 'canary-two'\nDB_PASSWORD=\"canary-three\n"), nil
		}
		reading := Read("c.yaml", []byte(text), open)
		said := []string{}
		mistakes := reading.Mistakes
		for _, d := range reading.Definitions {
			mistakes = append(mistakes, d.Mistakes...)
			for _, text := range texts(d) {
				said = append(said, text.Unresolved, text.Place.Excerpt().Text)
			}
		}
		for _, m := range mistakes {
			said = append(said, m.Detail, m.Near, m.Place.Excerpt().Text)
		}
		for _, s := range said {
			if strings.Contains(strings.TrimSuffix(s, "canary.env"), "canary") && !strings.Contains(s, "env_file") {
				t.Errorf("%q: shows %q", text, s)
			}
		}
	}
}

// FuzzCompose checks that no text makes the reader panic, that every place lies in its file, and that no secret shows.
func FuzzCompose(f *testing.F) {
	paths, err := filepath.Glob("../../testdata/definition-*/*compose*/*")
	if err != nil || len(paths) < 50 {
		f.Fatal(err, len(paths))
	}
	f.Add([]byte(wholeCompose))
	for _, path := range paths {
		if data, err := os.ReadFile(path); err == nil && filepath.Base(path) != "want.txt" {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		open := func(name string) ([]byte, error) {
			if strings.HasSuffix(name, "env") {
				return data, nil
			}
			return besideCompose(name)
		}
		reading := ReadAll([]Input{{Path: "compose.yaml", Data: data, Open: open}, {Path: "compose.override.yaml", Data: data, Open: open}})[0]
		for _, d := range reading.Definitions {
			for _, text := range texts(d) {
				_ = text.Place.Text() + text.Use.Text()
				text.Place.Excerpt()
			}
			for _, m := range append(d.Mistakes, reading.Mistakes...) {
				_ = m.Place.Text()
				m.Place.Excerpt()
			}
			for _, m := range d.Mounts {
				m.Place.Excerpt()
				for _, p := range m.Projected {
					if p.File != nil {
						p.File.At(0, len(p.File.Text)).Outermost()
					}
				}
			}
			secretsHidden(t, d)
		}
	})
}

// TestComposeBounds reads files made to take long, to go deep or to grow.
func TestComposeBounds(t *testing.T) {
	const head = "services:\n  r:\n    image: x/bitbucket-pipelines-runner\n"
	var bomb strings.Builder
	bomb.WriteString("x-0: &a0 {A: b}\n")
	for i := range 30 {
		fmt.Fprintf(&bomb, "x-%d: &a%[1]d\n  <<: [*a%d, *a%[2]d, *a%[2]d]\n", i+1, i)
	}
	doubling := "A0=aaaaaaaaaaaaaaaa\n"
	for i := range 60 {
		doubling += fmt.Sprintf("A%d=$A%d$A%[2]d\n", i+1, i)
	}
	for name, text := range map[string]string{
		"merged bomb":      bomb.String() + head + "    environment: *a30\n",
		"many variables":   head + "    environment:\n" + strings.Repeat("      - A=b\n", 200_000),
		"many names":       head + "    environment:\n" + many(200_000),
		"many mounts":      head + "    volumes:\n" + strings.Repeat("      - ./a:/b\n", 150_000),
		"many services":    head + strings.Repeat("  r: {image: x/bitbucket-pipelines-runner}\n", 100_000),
		"many runners":     head + numbered("  r%d: {image: x/bitbucket-pipelines-runner, environment: [RUNNER_UUID=1]}\n", 25_000),
		"many daemons":     head + numbered("  r%d: {image: 'docker:dind', environment: [RUNNER_UUID=1, 'DOCKER_HOST=tcp://a:1']}\n", 20_000),
		"many keys":        head + numbered("    imagg%d: x\n", 50_000),
		"stray keys":       head + numbered("  image%d: x\n", 50_000),
		"extends chain":    head + numbered("  a%d: {extends: r}\n", 50_000),
		"documents":        strings.Repeat("---\n"+head+"    extends: s\n  s:\n    extends: r\n", 2000),
		"dollars":          head + "    environment: {A: '" + strings.Repeat("$$", 400_000) + "'}\n",
		"braces":           head + "    environment: {A: '" + strings.Repeat("${A:-", 100_000) + "'}\n",
		"closed braces":    head + "    environment: {A: '" + strings.Repeat("${A:-", 100_000) + strings.Repeat("}", 100_000) + "'}\n",
		"block of dollars": head + "    environment:\n      A: |\n" + strings.Repeat("        $$ ${A}\n", 50_000),
		"deep":             head + "    environment: " + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000),
		"long line":        head + "    command: " + strings.Repeat("a ", 2<<20),
		"doubling":         head + "    env_file: doubling.env\n    environment: {A: '${A60}'}\n",
		"not compose":      "services:\n" + strings.Repeat("  - a: b\n", 200_000),
	} {
		t.Run(name, func(t *testing.T) {
			open := func(name string) ([]byte, error) {
				if strings.HasSuffix(name, ".env") {
					return []byte(doubling), nil
				}
				return nil, fs.ErrNotExist
			}
			start := time.Now()
			Read("compose.yaml", []byte(text), open)
			took := time.Since(start)
			t.Log(took)
			if took > 30*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func numbered(format string, n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, format, i)
	}
	return out.String()
}

// Each of many services has the volumes of all before it, of which the first are not known: what is not known is noted
// once, whichever way it comes.
func TestComposeVolumesFromMany(t *testing.T) {
	var text strings.Builder
	text.WriteString("services:\n")
	for i := range 40 {
		fmt.Fprintf(&text, "  s%d:\n    image: x/bitbucket-pipelines-runner\n    volumes_from:\n      - container:base:ro\n", i)
		for j := range i {
			fmt.Fprintf(&text, "      - s%d\n", j)
		}
	}
	definitions := Read("compose.yaml", []byte(text.String()), besideCompose).Definitions
	if last := definitions[len(definitions)-1]; len(definitions) != 40 || len(last.Unread) != 40 || len(last.Lenders) != 40 {
		t.Errorf("%d definitions, %d unread, %d lenders", len(definitions), len(last.Unread), len(last.Lenders))
	}
}
