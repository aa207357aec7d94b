//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// labPrograms are what the laboratory consists of. Docker's CLI is used where it is found, skopeo where it is not.
func labPrograms() []string {
	return []string{
		"unshare", "nsenter", "prlimit", "ip", "nft", "dnsmasq", "docker-registry", "htpasswd", "squid", "nginx",
		"sslsplit", "skopeo",
	}
}

// TestScenes runs the tool's binary on runner hosts in a laboratory of real servers. Each file of testdata/lab is one
// host, with one thing wrong with it or nothing, and what must be said of it: see scene.
func TestScenes(t *testing.T) {
	needs(t, labPrograms()...)
	files, err := filepath.Glob("testdata/lab/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no scenes", err)
	}
	l := newLab(t)
	binary := buildBinary(t, l.dir)
	l.furnish()
	l.intercept()
	rows := make([]string, len(files))
	t.Cleanup(func() {
		if *updateLab && !t.Failed() {
			writeLabTable(t, rows)
		}
	})
	for i, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := readLabScene(t, file)
			s.play(t, l, binary)
			rows[i] = s.row(name)
		})
	}
}

var updateLab = flag.Bool("update-lab", false, "write testdata/lab/README.md anew, with the times of this run")

const labTable = `# The laboratory

One row for each host that is played on real servers, firewalls and proxies (` + "`RUNNER_PREFLIGHT_LAB=1 go test -run TestScenes .`" + `,
as root, with the Debian packages that ` + "`.ci/run`" + ` installs). Written by ` + "`-update-lab`" + `. The times are those of the tool as a
whole process, with several scenes at the same time on two cores; a host that never answers costs the time-out of one phase.

| scene | what it is | first cause | time |
| --- | --- | --- | --- |
`

func writeLabTable(t *testing.T, rows []string) {
	t.Helper()
	if err := os.WriteFile("testdata/lab/README.md", []byte(labTable+strings.Join(rows, "")), 0o644); err != nil {
		t.Error(err)
	}
}

// The table has a row for each scene; its times are those of the run that wrote it.
func TestLabTable(t *testing.T) {
	table, err := os.ReadFile("testdata/lab/README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/lab/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".txtar"); !strings.Contains(string(table), "\n| "+name+" | ") {
			t.Errorf("%s is not in testdata/lab/README.md: -update-lab writes it", name)
		}
	}
}

// row is the scene's line in the table.
func (s *labScene) row(name string) string {
	said := "nothing fails"
	switch {
	case len(s.causes) > 0:
		said = "`" + s.causes[0][0] + "` " + s.causes[0][1]
	case len(s.problems["error"]) > 0:
		said = "`" + s.problems["error"][0] + "`"
	}
	return fmt.Sprintf("| %s | %s | %s | %.1f s |\n", name, s.about, said, s.took.Seconds())
}

// labScene is a file of testdata/lab. It begins with lines that are comments (#) or one of the directives below, and
// goes on with files: those below etc/ are the host's, home/ is the user's home, firewall.nft and nat.nft are rules
// for what this host sends and gets, the rest stands in the current folder. run.sh and home/.docker/config.json are
// those of testdata/lab unless the scene has its own; an empty one means that there is none. In all files @REGISTRY@,
// @PAUSE@, @CA@, @CLIENT_CERT@, @CLIENT_KEY@ and @HOME@ are replaced.
//
//	args ARG…               the command line; by default: check --skip tls-intercepted run.sh
//	env NAME=VALUE          the environment, beside PATH and HOME
//	registry HOST           for @REGISTRY@; by default registry.rig.test
//	pause REFERENCE         for @PAUSE@; by default @REGISTRY@/rig/pause:1
//	tokens HOST             one more token service that may get the password, beside auth.rig.test
//	trust no                the company's CA is not among the host's roots (by default SSL_CERT_FILE names it)
//	login HOST PASSWORD     docker's own CLI logs in as user ci, into home/.docker
//	ipv6                    the host has an address and a way out over IPv6
//	quick ADDRESS           nothing is slow there, at the third attempt at the latest: the machine may be busy
//	exit CODE               what must come of it
//	cause PROBLEM ROOT [PLACE]   a cause of failures that no other explains; the first line is the first cause. A plus
//	                        stands for a blank in ROOT
//	fail, warn, error ID…   all problems of that status, the explained ones too
//	lists ADDRESS [PROXY]   a host of an allowlist, with the proxy on the way there
//	silent                  not one packet is sent; skopeo is not asked
//	skopeo unasked REASON   skopeo is not asked
//	skopeo differs REASON   skopeo on the same host does not agree on whether the pause image can be pulled
//
// No control-channel host of the lab can have a certificate that the public vouches for: hence the default --skip.
type labScene struct {
	args, env       []string
	registry, pause string
	tokens          string
	trusted, silent bool
	alone, six      bool
	quick           []string
	login           []string
	exit            string
	causes, lists   [][]string
	problems        map[string][]string
	differs         bool
	about           string
	took            time.Duration
	files           map[string]string
	folder, home    string
	// docker is what TestDocker adds; as is put before the tool's command line.
	docker dockerDirectives
	as     []string
}

func readLabScene(t *testing.T, path string) *labScene {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &labScene{
		registry: "registry.rig.test", trusted: true, exit: "0",
		args:  []string{"check", "--skip", "tls-intercepted", "run.sh"},
		files: map[string]string{}, problems: map[string][]string{"fail": nil, "warn": nil, "error": nil},
	}
	for _, line := range strings.Split(string(archive.Comment), "\n") {
		if text, comment := strings.CutPrefix(line, "# "); comment {
			s.about = strings.TrimSpace(s.about + " " + text)
		}
		if fields := strings.Fields(line); len(fields) > 0 && !strings.HasPrefix(line, "#") {
			if !s.direct(fields[0], fields[1:]) {
				t.Fatalf("%s: %q is no directive", path, line)
			}
		}
	}
	if s.pause == "" {
		s.pause = s.registry + "/rig/pause:1"
	}
	defaults := map[string]string{"run.sh": "run.sh", "home/.docker/config.json": "config.json"}
	for name, from := range defaults {
		data, err := os.ReadFile(filepath.Join("testdata/lab", from))
		if err != nil {
			t.Fatal(err)
		}
		if from != "config.json" || s.login == nil {
			s.files[name] = string(data)
		}
	}
	for _, file := range archive.Files {
		s.files[file.Name] = string(file.Data)
	}
	return s
}

// direct takes one directive; it returns false for what is none.
func (s *labScene) direct(word string, rest []string) bool {
	single := map[string]*string{"tokens": &s.tokens, "registry": &s.registry, "pause": &s.pause, "exit": &s.exit}
	_, status := s.problems[word]
	switch field := single[word]; {
	case status:
		s.problems[word] = rest
	case field != nil && len(rest) == 1:
		*field = rest[0]
	case word == "args":
		s.args = rest
	case word == "env":
		s.env = append(s.env, strings.Join(rest, " "))
	case word == "trust" && slices.Equal(rest, []string{"no"}):
		s.trusted = false
	case word == "silent" && len(rest) == 0:
		s.silent = true
	case word == "login" && len(rest) == 2:
		s.login = rest
	case word == "cause" && len(rest) >= 2:
		rest[1] = strings.ReplaceAll(rest[1], "+", " ")
		s.causes = append(s.causes, rest)
	case word == "ipv6" && len(rest) == 0:
		s.six = true
	case word == "quick" && len(rest) == 1:
		s.quick = append(s.quick, rest[0])
	case word == "lists" && len(rest) > 0:
		s.lists = append(s.lists, rest)
	case word == "skopeo" && len(rest) > 1 && rest[0] == "unasked":
		s.alone = true
	case word == "skopeo" && len(rest) > 1 && rest[0] == "differs":
		s.differs = true
	default:
		return s.docker.direct(word, rest)
	}
	return true
}

// play sets the scene up, runs the tool and judges what it says.
func (s *labScene) play(t *testing.T, l *lab, binary string) {
	s.folder = t.TempDir()
	s.home = filepath.Join(s.folder, "home")
	n := l.runner(t, s.text(l, "firewall.nft"), s.text(l, "nat.nft"))
	if s.six {
		n.ipv6()
	}
	s.env = append(s.env, "DOCKER_HOST=unix://"+noSocket) // what the tool sees stands for the daemon
	s.furnish(t, n)
	before, pulled := n.sent(), make(chan error, 1)
	if !s.silent && !s.alone {
		go func() { pulled <- s.skopeo(t, n) }()
	}
	started := time.Now()
	r := s.run(t, n, binary)
	s.took = time.Since(started)
	for range 2 {
		if len(s.quick) > 0 && slices.Contains(s.found(r, "warn"), "slow-endpoint") {
			r = s.run(t, n, binary)
		}
	}
	s.judge(t, r)
	s.judgeRequests(t, l.seen.from(n.addr))
	if s.silent {
		if after := n.sent(); after != before {
			t.Errorf("packets were sent: %s before, %s after", before, after)
		}
	} else if s.alone {
		return
	} else if err := <-pulled; (err == nil) != (r.pulls() != s.differs) {
		t.Errorf("skopeo on the same host: %v; the tool thinks that the images can be pulled: %v", err, r.pulls())
	}
	if t.Failed() {
		t.Logf("the report:\n%s", r.raw)
	}
}

// text is a file of the scene with its values in place.
func (s *labScene) text(l *lab, name string) string {
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: l.pki.company.cert.Raw})
	values := strings.NewReplacer("@REGISTRY@", s.registry, "@PAUSE@", s.pause, "@CA@", string(ca),
		"@CLIENT_CERT@", l.clientCert, "@CLIENT_KEY@", l.clientKey,
		"@HOME@", s.home)
	return values.Replace(s.files[name])
}

// furnish puts the scene's files on the host, with what any docker host has.
func (s *labScene) furnish(t *testing.T, n *netns) {
	t.Helper()
	s.write(t, n)
	n.deadSocket() // it is there to be mounted
}

// write puts the scene's files on the host.
func (s *labScene) write(t *testing.T, n *netns) {
	t.Helper()
	for name := range s.files {
		content := s.text(n.lab, name)
		path := filepath.Join(s.folder, name)
		if strings.HasPrefix(name, "etc/") {
			path = n.root(name)
		}
		if content == "" || strings.HasSuffix(name, ".nft") {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if s.login != nil {
		s.logIn(t, n)
	}
	if err := os.MkdirAll(n.root("/var/lib/docker/containers"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// environment is what the scene's user has, and nothing of this process.
func (s *labScene) environment(l *lab) []string { return append(s.plain(l), s.env...) }

// plain is what every program of the scene's host has in its environment.
func (s *labScene) plain(l *lab) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.home}
	if s.trusted {
		return append(env, "SSL_CERT_FILE="+l.pki.roots, "SSL_CERT_DIR=/nonexistent")
	}
	return env
}

// logIn lets docker's CLI write config.json, or skopeo if there is none. Without a daemon, the CLI asks the registry
// itself.
func (s *labScene) logIn(t *testing.T, n *netns) {
	t.Helper()
	argv := []string{"docker", "login", "-u", ciUser, "--password-stdin", s.login[0]}
	if _, err := exec.LookPath("docker"); err != nil {
		file := filepath.Join(s.home, ".docker/config.json")
		argv = []string{"skopeo", "login", "--authfile", file, "-u", ciUser, "--password-stdin", s.login[0]}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	cmd := n.command(ctx, s.folder, argv[0], argv[1:]...)
	cmd.Env, cmd.Stdin = s.environment(n.lab), strings.NewReader(s.login[1])
	if out, err := n.output(cmd); err != nil {
		t.Fatalf("%s: %v\n%s", argv, err, out)
	}
}

// skopeo pulls the pause image by the same config.json, from the same host.
func (s *labScene) skopeo(t *testing.T, n *netns) error {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	argv := []string{"--override-os", "linux", "--override-arch", "amd64", "copy", "-q"}
	config := filepath.Join(s.home, ".docker/config.json")
	if _, err := os.Stat(config); err == nil {
		argv = append(argv, "--src-authfile", config)
	}
	argv = append(argv, "docker://"+s.pause, "dir:"+filepath.Join(s.folder, "pulled"))
	cmd := n.command(ctx, s.folder, "skopeo", argv...)
	cmd.Env = s.environment(n.lab)
	out, err := n.output(cmd)
	if err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// maxData bounds the memory that the tool may have, whatever it is sent: it would end with "out of memory".
const maxData = "--data=160000000"

// run runs the tool and reads its JSON.
func (s *labScene) run(t *testing.T, n *netns, binary string) labReport {
	t.Helper()
	return s.report(t, n, s.environment(n.lab), append(slices.Clone(s.as), "prlimit", maxData, binary)...)
}

// report runs the tool, in an environment and by a command line that ends with its name or the like, and reads its JSON.
func (s *labScene) report(t *testing.T, n *netns, environment []string, argv ...string) labReport {
	t.Helper()
	argv = append(append(argv, s.args[0], "--format", "json"), s.args[1:]...)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := n.command(ctx, s.folder, argv[0], argv[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = environment, &stdout, &stderr
	err := n.begin(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	r := labReport{exit: fmt.Sprint(cmd.ProcessState.ExitCode()), raw: stderr.String() + stdout.String()}
	if err := json.NewDecoder(&stdout).Decode(&r); err != nil && !errors.Is(err, io.EOF) {
		t.Fatalf("%v in\n%s\n%s", err, r.raw, &stderr)
	}
	for _, secret := range []string{ciPassword, "Y2k6czNjcmV0", "proxypass", "cHJveHl1c2VyOnByb3h5cGFzcw"} {
		if strings.Contains(r.raw+stderr.String(), secret) {
			t.Errorf("the secret %q is in the output:\n%s%s", secret, r.raw, &stderr)
		}
	}
	for _, order := range []string{"\x1b", `\u001b`, "\u202e", `\u202e`, `\nfail: forged`} {
		if strings.Contains(r.raw, order) {
			t.Errorf("a server's %q is in the output:\n%s", order, r.raw)
		}
	}
	return r
}

// labReport is what the scenes look at of the JSON report.
type labReport struct {
	exit, raw string
	Causes    []struct {
		Problem, Root, Status string
		ExplainedBy           []any `json:"explained_by"`
	}
	Hosts []struct {
		Address string
		Needs   []struct{ Via *struct{ Address string } }
	}
	Checks []struct {
		Name, Group string
		Findings    []struct {
			Status, Problem, Subject, Message string
			Location                          *struct {
				Path         string
				Line, Column int
			}
		}
	}
}

// pulls tells whether the tool thinks that all images can be pulled.
func (r labReport) pulls() bool {
	for _, check := range r.Checks {
		for _, f := range check.Findings {
			if check.Group == "image" && (f.Status == "fail" || f.Status == "error") {
				return false
			}
		}
	}
	return true
}

// found lists the problems of a status, each once.
func (s *labScene) found(r labReport, status string) []string {
	var found []string
	for _, check := range r.Checks {
		for _, f := range check.Findings {
			// Nothing in the lab is slow or small but the machine that it runs on, unless a scene says so.
			machine := slices.Contains([]string{"slow-endpoint", "memory-short", "kernel-too-old"}, f.Problem) &&
				!slices.Contains(s.problems[status], f.Problem) && !slices.Contains(s.quick, f.Subject)
			if f.Status == status && !machine {
				found = append(found, f.Problem)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// judge compares a report with what the scene wants said.
func (s *labScene) judge(t *testing.T, r labReport) {
	t.Helper()
	if r.exit != s.exit {
		t.Errorf("exit code %s, want %s", r.exit, s.exit)
	}
	for status, want := range s.problems {
		slices.Sort(want)
		if got := s.found(r, status); !slices.Equal(got, want) {
			t.Errorf("%s: found %v, want %v", status, got, want)
		}
	}
	var want, got []string
	for _, cause := range s.causes {
		want = append(want, cause[0]+" "+cause[1])
		for _, place := range cause[2:] {
			if places := s.places(r, cause[0]); !slices.Contains(places, place) {
				t.Errorf("%s stands at %v, want %s", cause[0], places, place)
			}
		}
	}
	for _, cause := range r.Causes {
		if cause.Status == "fail" && len(cause.ExplainedBy) == 0 {
			got = append(got, cause.Problem+" "+s.local(cause.Root))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the causes are %q, want %q", got, want)
	}
	for _, host := range s.lists {
		if !slices.Contains(r.listed(), strings.Join(host, " ")) {
			t.Errorf("the list lacks %q, and has %q", host, r.listed())
		}
	}
}

// listed are the hosts of an allowlist, each with the proxy on the way there.
func (r labReport) listed() []string {
	var hosts []string
	for _, host := range r.Hosts {
		for _, need := range host.Needs {
			listed := host.Address
			if need.Via != nil {
				listed += " " + need.Via.Address
			}
			hosts = append(hosts, listed)
		}
	}
	return hosts
}

// places lists where a problem was found, as PATH:LINE:COLUMN.
func (s *labScene) places(r labReport, problem string) []string {
	var places []string
	for _, check := range r.Checks {
		for _, f := range check.Findings {
			if at := f.Location; f.Problem == problem && at != nil {
				places = append(places, fmt.Sprintf("%s:%d:%d", s.local(at.Path), at.Line, at.Column))
			}
		}
	}
	return places
}

// local is a path as seen from the scene's folder.
func (s *labScene) local(path string) string { return strings.TrimPrefix(path, s.folder+"/") }

// judgeRequests sees to it that credentials went nowhere but to the registry and its token service, and never in clear.
func (s *labScene) judgeRequests(t *testing.T, requests []request) {
	t.Helper()
	mine := []string{s.registry, "auth.rig.test"}
	if s.tokens != "" {
		mine = append(mine, s.tokens)
	}
	if host, _, _ := strings.Cut(s.pause, "/"); host == "docker.io" || !strings.Contains(host, ".") {
		mine = append(mine, "registry-1.docker.io")
	}
	for _, r := range requests {
		if strings.HasPrefix(r.Agent, "skopeo/") {
			continue
		}
		if r.Authorized && (r.Clear || !slices.Contains(mine, r.Host)) {
			t.Errorf("credentials were sent to %s, in clear: %v", r.Host, r.Clear)
		}
	}
}
