package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"runner-preflight/checks"
	"runner-preflight/report"
)

// hastyRaces has the race detector end a process when it ends: by default it waits for a second, hundreds of times here.
const hastyRaces = "atexit_sleep_ms=20"

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"runner-preflight": main})
}

// TestScripts runs testdata/scripts. Beside testscript's own commands there is
//
//	preflight CODE ARG…
//
// which runs the tool and wants that exit code. A usage error (2) must leave standard output empty and end in a hint;
// JSON must be as its schema says, and alone on standard output. run.sh and config.json are a healthy runner's;
// the registries of hang.sh take connections and say nothing.
func TestScripts(t *testing.T) {
	silent := silentHost(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/scripts", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("ESC", "\x1b")
			env.Setenv("DOCKER_HOST", noDaemon)
			env.Setenv("GORACE", hastyRaces)
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			hanging := strings.NewReplacer("registry.rig.test", silent.Addr().String(), "docker-public.packages.atlassian.com",
				silent.Addr().String()).Replace(string(labFile(t, "run.sh")))
			return errors.Join(furnish(t, env.WorkDir),
				os.WriteFile(filepath.Join(env.WorkDir, "hang.sh"), []byte(hanging), 0o600))
		},
		Condition: func(name string) (bool, error) {
			if name == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("no condition is called %q", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"preflight": preflight},
	})
}

// furnish puts a healthy runner's files into a folder, those that are not there yet.
func furnish(t testing.TB, folder string) error {
	for _, name := range []string{"run.sh", "config.json"} {
		path := filepath.Join(folder, name)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if err := os.WriteFile(path, labFile(t, name), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func preflight(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) == 0 {
		ts.Fatalf("usage: preflight CODE ARG…")
	}
	code := 0
	if err := ts.Exec("runner-preflight", args[1:]...); err != nil {
		exit := (*exec.ExitError)(nil)
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if want := args[0]; want != strconv.Itoa(code) {
		ts.Fatalf("exit code %d, want %s", code, want)
	}
	stdout, stderr := ts.ReadFile("stdout"), ts.ReadFile("stderr")
	switch {
	case code == exitUsage:
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		if stdout != "" || len(lines) != 2 || !strings.Contains(lines[1], "runner-preflight ") {
			ts.Fatalf("a usage error must be one line and a hint on standard error, and nothing else")
		}
	case strings.Contains(strings.Join(args, " "), "--format json"):
		of := report.Schema()
		for _, s := range schemas() {
			if s.name == args[1] {
				of = s.text()
			}
		}
		if strings.TrimPrefix(args[1], "--") != "version" {
			ts.Check(validAs(of, stdout))
		}
	}
}

// validJSON tells what is wrong with the JSON report that must be all of a text.
func validJSON(text string) error { return validAs(report.Schema(), text) }

// validAs tells what is wrong with the JSON that must be all of a text.
func validAs(as []byte, text string) error {
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(as))
	if err != nil {
		return err
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("schema.json", schema); err != nil {
		return err
	}
	compiled, err := compiler.Compile("schema.json")
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text)) // which refuses more text behind the value
	if err != nil {
		return err
	}
	return compiled.Validate(value)
}

// silentHost takes connections on loopback and never says a word.
func silentHost(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
		}
	}()
	t.Cleanup(func() { listener.Close() })
	return listener
}

// outcome is what a run of the tool in this process came to.
type outcome struct {
	code           int
	stdout, stderr string
}

func preflightHere(env map[string]string, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	code := run(append([]string{"runner-preflight"}, args...), process{
		in: strings.NewReader(""), out: &stdout, err: &stderr, env: func(name string) string { return env[name] },
	})
	return outcome{code, stdout.String(), stderr.String()}
}

// A signal ends a run that waits for the network, at once, with a report of what is known.
func TestSignals(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for _, format := range []string{"text", "json"} {
			t.Run(signal.String()+"/"+format, func(t *testing.T) {
				t.Parallel()
				stdout, stderr := interrupt(t, signal, "check", "--only", "image-resolves", "--format", format)
				if !strings.Contains(stdout, "nterrupted") || !strings.Contains(stdout, "not-established") {
					t.Errorf("the report says nothing of the signal:\n%s", stdout)
				}
				if err := validJSON(stdout); format == "json" && err != nil {
					t.Error(err)
				}
				if stderr != "" {
					t.Errorf("on standard error: %s", stderr)
				}
			})
		}
		t.Run(signal.String()+"/allowlist", func(t *testing.T) {
			t.Parallel()
			stdout, stderr := interrupt(t, signal, "allowlist", "--format", "csv")
			if !strings.HasPrefix(stdout, "host,port,") || !strings.Contains(stderr, "127.0.0.1") {
				t.Errorf("standard output: %s\nstandard error: %s", stdout, stderr)
			}
		})
	}
}

// interrupt sends a signal to a command that waits for a registry.
func interrupt(t *testing.T, signal syscall.Signal, command ...string) (report, complaint string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	image := listener.Addr().String() + "/rig/image:1"
	cmd := exec.Command("runner-preflight", append(command,
		"--pause-image", image, "--auth-proxy-image", image, "--clone-image", image, "run.sh")...)
	cmd.Dir = t.TempDir()
	script := strings.Replace(string(labFile(t, "run.sh")), "docker-public.packages.atlassian.com", listener.Addr().String(), 1)
	if err := os.WriteFile(filepath.Join(cmd.Dir, "run.sh"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &stdout, &stderr, []string{"HOME=" + cmd.Dir}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	signaled := time.Now()
	_ = cmd.Wait() // the exit code is looked at below
	if took := time.Since(signaled); took > 10*time.Second {
		t.Errorf("it ended %v after the signal", took)
	}
	if code := cmd.ProcessState.ExitCode(); code != 128+int(signal) {
		t.Errorf("exit code %d", code)
	}
	return stdout.String(), stderr.String()
}

// secretForms are a secret as it is, URL-encoded, and in base64 wherever in the coded text it begins.
func secretForms(secret string) []string {
	forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret)}
	for shift := range 3 {
		// The first and last characters depend on what stands around the secret.
		coded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + secret))
		forms = append(forms, coded[(shift*8+5)/6:len(coded)-1])
	}
	return forms
}

// No secret is in any output, wherever it comes from, in any format, at any verbosity, in any encoding.
func TestNoSecretIsPrinted(t *testing.T) {
	silent := silentHost(t)
	secrets := map[string]string{"swapped": "ATOAb7kQ2mX9vLr4WcZ8pYb3NsD6hFj1aKe"} // as the vendor's own look
	secret := func(name string) string {
		secrets[name] = fmt.Sprintf("C4nary/%s+9fKq2Lw7Xz", name)
		return secrets[name]
	}
	coded := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	folder := t.TempDir()
	t.Chdir(folder)
	urlFile := "https:/ci:" + secret("filename") + "@registry.rig.test"
	files := map[string]string{
		"config.json": `{"auths": {"registry.rig.test": {"auth": "` + coded("ci:"+secret("auth")) + `"},
			"a.example.com": {"username": "ci", "password": "` + secret("password") + `"},
			"b.example.com": {"auth": "ci:` + secret("plain") + `"},
			"c.example.com": {"identitytoken": "` + secret("identity") + `", "registrytoken": "` + secret("registry") + `"},
			"ci:` + secret("key") + `@d.example.com": {}},
			"HttpHeaders": {"Authorization": "Basic ` + coded("x:"+secret("header")) + `"},
			"proxies": {"default": {"httpsProxy": "http://ci:` + secret("clientproxy") + `@proxy.rig.test:3128"}}}`,
		"broken.json": `{"auths": {"registry.rig.test": {"auth": "` + coded("ci:"+secret("broken")) + `",}}}`,
		"runner.env": "OAUTH_CLIENT_SECRET=\"" + secret("envfile") + "\"\nHTTPS_PROXY=http://ci:" + secret("envproxy") +
			"@127.0.0.1:1\nMY_TOKEN=" + secret("envtoken") + "\nACCOUNT_UUID=" + secrets["swapped"] + "\n",
		"run.sh": "docker run -v /tmp:/tmp -e OAUTH_CLIENT_SECRET=" + secret("script") + " \\ \n -e OAUTH_CLIENT_SECRTE=" +
			secret("misspelled") + " -e HTTP_PROXY=http://ci:" + secret("scriptproxy") + "@127.0.0.1:1 --env-file runner.env \\\n" +
			" -e PAUSE_IMAGE=ci:" + secret("image") + "@registry.rig.test/pause:1 -e CLONE_IMAGE=registry.rig.test/clone:1 \\\n" +
			" docker-public.packages.atlassian.com/sox/atlassian/bitbucket-pipelines-runner -e DB_PASSWORD=" + secret("behind") + "\n",
		filepath.Join(urlFile, "run.sh"): "OAUTH_CLIENT_SECRET=x\n",
		// Each line ends a statement: whatever is pasted into an ignore, and whatever stands beside one.
		"ignores.sh": "set -e\ndocker login -p " + secret("beside") + " x # runner-preflight: ignore=implicit-tag " +
			"OAUTH_CLIENT_SECRET=" + secret("reason") + " https://ci:" + secret("reasonurl") + "@x.example.com " + secrets["swapped"] + "\n" +
			"# runner-preflight: ignore=" + secrets["swapped"] + ",MY_TOKEN=" + secret("asname") + "\ndocker run " +
			"-e OAUTH_CLIENT_SECRET=" + secret("ignoredscript") + " -e PAUSE_IMAGE=registry.rig.test/pause bitbucket-pipelines-runner\n",
		"nothing.txt": "password " + secret("prose") + " # runner-preflight: ignore=no-such MY_TOKEN=" + secret("proseignore") + "\n",
		".runner-preflight.yaml": "ignores:\n- {problem: env-missing, path: ignores.sh, reason: 'token: " + secret("entry") + "', " +
			"pasword: '" + secret("entrykey") + "'}\n- {problem: implicit-tag, path: ignores.sh, reason: \"https://ci:" + secret("entryurl") +
			"@x.example.com\"}\n- {problem: env-missing, path: ignores.sh, reason: see " + secrets["swapped"] + "}\n",
	}
	if err := os.MkdirAll(urlFile+"/C4nary", 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"HOME": folder, "HTTPS_PROXY": "http://ci:" + secret("proxy") + "@" + silent.Addr().String()}
	offNetwork := []string{"--only", "config", "--only", "definition", "--only", "image", "--connect-timeout", "20ms"}
	runs := [][]string{
		{"lint", "run.sh", "config.json"},
		{"lint", "run.sh", "broken.json"},
		{"lint", "runner.env", "config.json"},
		{"lint", "ignores.sh", "nothing.txt"},
		{"lint", "."},
		{"lint", "--pause-image", "ci:" + secret("flag") + "@registry.rig.test/pause:1", "run.sh"},
		{"lint", "https://ci:" + secrets["filename"] + "@registry.rig.test/run.sh"},
		{"lint", "https://ci:" + secrets["filename"] + "@registry.rig.test/missing"},
		append(append([]string{"check"}, offNetwork...), "run.sh", "config.json"),
		{"check", "--endpoint", "https://ci:" + secret("endpoint") + "@x.example.com", "run.sh"},
		{"check", "run.sh", "-eOAUTH_CLIENT_SECRET=" + secret("argument")},
	}
	printed := 0
	for _, run := range runs {
		for _, flags := range [][]string{
			{},
			{"-q"},
			{"-v"},
			{"--format", "json"},
			{"--format", "json", "-v"},
			{"--format", "junit"},
			{"--format", "sarif"},
			{"--format", "github"},
			{"--format", "markdown"},
			{"--format", "codequality"},
			{"--format", "html"},
		} {
			args := slices.Insert(slices.Clone(run), 1, flags...)
			got := preflightHere(env, args...)
			printed += len(got.stdout)
			for name, secret := range secrets {
				for _, form := range secretForms(secret) {
					if strings.Contains(got.stdout+got.stderr, form) {
						t.Errorf("%q prints the secret of %s, as %q", args, name, form)
					}
				}
			}
		}
	}
	if printed < 10_000 {
		t.Errorf("only %d bytes were printed: something else went wrong", printed)
	}
}

// Nothing is written but the reports that were asked for: neither into the folder that is judged, nor the home folder.
func TestNothingIsWritten(t *testing.T) {
	folder := t.TempDir()
	if err := furnish(t, folder); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(folder)
	t.Setenv("TMPDIR", filepath.Join(folder, "tmp"))
	past := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, name := range []string{"run.sh", "config.json", "tmp", "."} {
		if err := os.Chtimes(name, past, past); err != nil {
			t.Fatal(err)
		}
	}
	before := tree(t, folder)
	for _, args := range [][]string{
		{"lint", "run.sh", "config.json"},
		{"lint", "--format", "json", "-v", "run.sh", "config.json"},
		{"check", "--offline", "run.sh"},
		{"explain", "config"},
		{"list"},
		{"--help"},
		{"lint", "missing"},
	} {
		preflightHere(map[string]string{"HOME": folder, "DOCKER_CONFIG": folder}, args...)
	}
	if diff := cmp.Diff(before, tree(t, folder)); diff != "" {
		t.Errorf("files have changed (-before +after):\n%s", diff)
	}
	if got := preflightHere(nil, "demo"); got.code != exitClean {
		t.Error(got)
	}
	if left, err := os.ReadDir("tmp"); err != nil || len(left) > 0 {
		t.Errorf("demo leaves %v behind, %v", left, err)
	}
}

// tree lists the files below a folder with all that a write would change.
func tree(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content := ""
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			content = string(data)
		}
		all[path] = fmt.Sprint(info.Mode(), info.ModTime(), content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Lint judges the files alone: it asks no host, and neither environment nor home folder change what it says.
func TestLintSeesNothingElse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	asked := make(chan struct{}, 10)
	go func() {
		for {
			if _, err := listener.Accept(); err != nil {
				return
			}
			asked <- struct{}{}
		}
	}()
	folder := t.TempDir()
	if err := furnish(t, folder); err != nil {
		t.Fatal(err)
	}
	script := strings.ReplaceAll(string(labFile(t, "run.sh")), "registry.rig.test", listener.Addr().String()) +
		"# docker run --env-file /etc/passwd\n"
	home := filepath.Join(folder, "home/.docker")
	err = errors.Join(os.MkdirAll(home, 0o700),
		os.WriteFile(filepath.Join(home, "config.json"), []byte(`{"credsStore": "desktop"}`), 0o600),
		os.WriteFile(filepath.Join(folder, "run.sh"), []byte(script), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(folder)
	said := func(env map[string]string) map[string]any {
		got := preflightHere(env, "lint", "--format", "json", "run.sh")
		var value map[string]any
		if err := json.Unmarshal([]byte(got.stdout), &value); err != nil {
			t.Fatal(err)
		}
		return timeless(value)
	}
	bare := said(nil)
	for name, value := range map[string]string{
		"HOME": filepath.Join(folder, "home"), "DOCKER_CONFIG": home, "HTTPS_PROXY": "http://" + listener.Addr().String(),
		"ACCOUNT_UUID": "x", "DOCKER_HOST": "tcp://" + listener.Addr().String(), "NO_COLOR": "1", "FORCE_COLOR": "1", "LANG": "C",
	} {
		if diff := cmp.Diff(bare, said(map[string]string{name: value})); diff != "" {
			t.Errorf("%s makes a difference (-without +with):\n%s", name, diff)
		}
	}
	if len(asked) > 0 {
		t.Error("a host was asked")
	}
}

// timeless takes out of a JSON report what each run measures anew.
func timeless(value map[string]any) map[string]any {
	delete(value, "started_at")
	delete(value, "duration_ms")
	for _, check := range value["checks"].([]any) {
		delete(check.(map[string]any), "duration_ms")
	}
	return value
}

// A report file is written whole or not at all, in the place of no device, and through links.
func TestWriteWhole(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(text string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
	}
	if err := writeWhole("new/folder/report", write("first")); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	err := writeWhole("new/folder/report", func(w io.Writer) error {
		_, err := io.WriteString(w, "half of ")
		return errors.Join(err, broken)
	})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
	wantFiles(t, "new/folder", map[string]string{"report": "first"})
	if err := os.Symlink("report", "new/folder/link"); err != nil {
		t.Fatal(err)
	}
	if err := writeWhole("new/folder/link", write("second")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat("new/folder/link"); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v %v", info, err)
	}
	wantFiles(t, "new/folder", map[string]string{"report": "second", "link": "second"})
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	read := make(chan string)
	go func() { data, _ := os.ReadFile("pipe"); read <- string(data) }()
	if err := writeWhole("pipe", write("third")); err != nil || <-read != "third" {
		t.Error("a pipe is not written to", err)
	}
	for _, path := range []string{"new", "new/", "new/folder/report/below"} {
		if err := writeWhole(path, write("x")); err == nil {
			t.Errorf("%s can be written", path)
		}
	}
	wantFiles(t, "new/folder", map[string]string{"report": "second", "link": "second"})
}

func wantFiles(t *testing.T, folder string, want map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[entry.Name()] = string(data)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", folder, diff)
	}
}

// The order of precedence is that of the documentation: flag, NO_COLOR, FORCE_COLOR or CLICOLOR_FORCE, CLICOLOR=0, then
// the terminal.
func TestColor(t *testing.T) {
	for _, test := range []struct {
		flag, env      string
		terminal, want bool
	}{
		{"auto", "", true, true},
		{"auto", "", false, false},
		{"always", "NO_COLOR=1 TERM=dumb", false, true},
		{"never", "FORCE_COLOR=1", true, false},
		{"auto", "NO_COLOR=1 FORCE_COLOR=1", true, false},
		{"auto", "NO_COLOR=", true, true},
		{"auto", "FORCE_COLOR=1 CLICOLOR=0", false, true},
		{"auto", "CLICOLOR_FORCE=1 TERM=dumb", false, true},
		{"auto", "FORCE_COLOR=0", false, false},
		{"auto", "CLICOLOR=0", true, false},
		{"auto", "CLICOLOR=1", false, false},
		{"auto", "TERM=dumb", true, false},
	} {
		env := map[string]string{}
		for _, setting := range strings.Fields(test.env) {
			name, value, _ := strings.Cut(setting, "=")
			env[name] = value
		}
		got := colored(test.flag, func(name string) string { return env[name] }, test.terminal)
		if got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

// Help fits a terminal of 80 columns, goes to standard output, and tells of every flag and exit code.
func TestHelp(t *testing.T) {
	commands := names(newApp(process{env: func(string) string { return "" }}))
	for _, name := range append(commands, "") {
		args := strings.Fields(name + " --help")
		got := preflightHere(nil, args...)
		if got.code != exitClean || got.stderr != "" {
			t.Errorf("%v: %+v", args, got)
		}
		for _, line := range strings.Split(got.stdout, "\n") {
			if len([]rune(line)) > 80 || strings.TrimRight(line, " ") != line {
				t.Errorf("%v: too long, or blanks at the end: %q", args, line)
			}
		}
		for _, other := range [][]string{{"help", name}, {name, "-h"}} {
			args := strings.Fields(strings.Join(other, " "))
			if same := preflightHere(nil, args...); same.stdout != got.stdout {
				t.Errorf("%v: %+v", args, same)
			}
		}
		if ascii := preflightHere(map[string]string{"LANG": "C"}, args...); !isASCII(ascii.stdout) {
			t.Errorf("%v: more than ASCII:\n%s", args, ascii.stdout)
		}
	}
	got := preflightHere(nil, "--help").stdout
	for _, word := range append(commands, "0 ", "1 ", "2 ", "3 ", "130", "143") {
		if !strings.Contains(got, word) {
			t.Errorf("the help does not tell of %s", word)
		}
	}
}

// Whatever list names, explain explains, and --only and --skip take.
func TestNames(t *testing.T) {
	listed := preflightHere(nil, "list").stdout
	for _, name := range checks.Names(checks.All()) {
		if got := preflightHere(nil, "explain", name); got.code != exitClean || !strings.Contains(got.stdout, name) {
			t.Errorf("explain %s: %+v", name, got)
		}
		for _, flag := range []string{"--only", "--skip"} {
			if got := preflightHere(nil, "lint", flag, name, "missing"); !strings.Contains(got.stderr, "missing: no such file") {
				t.Errorf("%s %s: %+v", flag, name, got)
			}
		}
		if !strings.Contains(listed, name) {
			t.Errorf("list does not have %s", name)
		}
	}
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > 0x7e })
}

// The README's report is what the demo prints.
func TestReadmeReport(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(preflightHere(nil, "demo", "-q").stdout, "typical mistakes ──\n\n")
	if causes, _, found := strings.Cut(shown, " skipped in "); !found || !strings.Contains(string(readme), causes) {
		t.Errorf("README.md does not show what the demo prints:\n%s", shown)
	}
}

// The README tells of every flag, and of none that there is not.
func TestReadmeFlags(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(data), "\n## Flags\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var told, are []string
	for _, word := range strings.FieldsFunc(section, func(r rune) bool { return strings.ContainsRune(" `,|()", r) }) {
		if strings.HasPrefix(word, "-") && strings.Trim(word, "-") != "" && !slices.Contains(told, word) {
			told = append(told, word)
		}
	}
	for _, flag := range judgingFlags(true) {
		for _, name := range flag.Names() {
			are = append(are, dashed(name))
		}
	}
	slices.Sort(told)
	slices.Sort(are)
	if diff := cmp.Diff(are, told); diff != "" {
		t.Errorf("flags (-are +told):\n%s", diff)
	}
}

// Lint has no --timeout: it must not be stopped with a hint that names it.
func TestLintIsNotLimited(t *testing.T) {
	for _, live := range []bool{false, true} {
		ctx, cancel := options{timeout: time.Hour}.limited(t.Context(), live)
		if _, limited := ctx.Deadline(); limited != live {
			t.Errorf("live %t: limited %t", live, limited)
		}
		cancel()
	}
}
