//go:build linux

package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Where a docker host of the lab has what docker needs.
const (
	dockerRoot   = "/var/lib/docker"
	podmanRoot   = "/var/lib/containers"
	dockerSocket = "/run/docker.sock"        // a proxy that writes down what it is asked
	daemonSocket = "/run/daemon/daemon.sock" // the daemon's own
	noSocket     = "/run/nobody.sock"
)

// TestDocker runs the tool's binary on hosts with a real docker daemon: those of testdata/lab/docker, and those scenes of
// TestScenes which say what docker pull comes to, of which the tool must say the same as without a daemon. They have these
// directives beside those of labScene:
//
//	daemon NAME=VALUE…   is in the daemon's environment; PATH, HOME and the host's roots are there anyway
//	root FOLDER          the daemon has its data there, below /var/lib
//	podman               the daemon is Podman, which docker's CLI talks to as well
//	pull ok | WORDS…     what docker pull says of the pause image, in whatever capitals, with the same config.json on the
//	                     same host; other words behind a | are those of docker's newer engines
//	starts IMAGE         run.sh is run before: its container has this image, made of a program that only waits
//	after FILE           that file of the scene is run by sh once the container runs
//	apart                the tool does not see the daemon's processes, as it does where there is a container to look into
//	inside               run.sh is the tool's own command line: its image is built of the repository's Dockerfile
//	socket gone          there is no daemon and no socket, nor was there ever one
//	socket stopped       there is none either, but docker's containers are there
//	socket dead          there is a socket, and nobody listens
//	socket forbidden     the tool is run by nobody, who may not use the socket
//	rootless             the daemon is a user's own, as dockerd-rootless.sh starts it, and the tool is run by that user
//	as root              by root, beside a rootless daemon
//	unasked              the daemon is asked nothing, as the tool is not told of it
//	remapped             the daemon runs with --userns-remap=default: root of a container is user 200000
//	says WORD…           somewhere in the report
//
// Another docker in PATH is played with just as well.
//
// Of a daemon nothing but GET and HEAD is asked, and it has the same containers, images, volumes and networks afterwards.
func TestDocker(t *testing.T) {
	needs(t, append(labPrograms(), "dockerd", "docker", "iptables", "podman", "setpriv", "rootlesskit", "newuidmap", "slirp4netns")...)
	l := newLab(t)
	t.Cleanup(removePodmanGroups)
	binary := buildBinary(t, l.dir)
	waiting := buildWaiting(t, l.dir)
	l.furnish()
	l.intercept()
	scenes := dockerScenes(t)
	for _, name := range slices.SortedFunc(maps.Keys(scenes), func(a, b string) int {
		return cmp.Or(scenes[a].docker.order()-scenes[b].docker.order(), cmp.Compare(a, b))
	}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scenes[name].playDocker(t, l, binary, waiting)
		})
	}
}

// dockerScenes are those that are played with a daemon, by name.
func dockerScenes(t *testing.T) map[string]*labScene {
	t.Helper()
	scenes := map[string]*labScene{}
	for _, pattern := range []string{"testdata/lab/docker/*.txtar", "testdata/lab/*.txtar"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal("there are no scenes", err)
		}
		for _, file := range files {
			s, name := readLabScene(t, file), strings.TrimSuffix(filepath.Base(file), ".txtar")
			if scenes[name] != nil {
				t.Fatalf("two scenes are called %s", name)
			}
			if s.docker.pull != "" || strings.HasPrefix(file, "testdata/lab/docker") {
				scenes[name] = s
			}
		}
	}
	return scenes
}

// buildWaiting builds a program that says what a runner says, and waits.
func buildWaiting(t *testing.T, folder string) string {
	t.Helper()
	source := filepath.Join(folder, "waiting.go")
	text := `package main

import "time"

func main() {
	println("Runner version: 5.6.0")
	time.Sleep(time.Hour)
}
`
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(folder, "waiting")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// dockerDirectives are those of a scene that is about docker's daemon.
type dockerDirectives struct {
	environment               []string
	root, pull, starts, after string
	says                      string
	inside, apart, podman     bool
	rootless, byRoot          bool
	unasked, remapped         bool
	// socket is "", gone, stopped, dead or forbidden.
	socket string
}

// order puts first what takes docker's 15 seconds: all others are played meanwhile.
func (d *dockerDirectives) order() int {
	if d.pull == "timeout" {
		return 0
	}
	return 1
}

// direct takes one directive; it returns false for what is none.
func (d *dockerDirectives) direct(word string, rest []string) bool {
	flags := map[string]*bool{
		"inside": &d.inside, "apart": &d.apart, "rootless": &d.rootless, "unasked": &d.unasked, "remapped": &d.remapped,
		"podman": &d.podman,
	}
	switch {
	case word == "daemon":
		d.environment = append(d.environment, rest...)
	case word == "root" && len(rest) == 1:
		d.root = rest[0]
	case word == "pull" && len(rest) > 0:
		d.pull = strings.Join(rest, " ")
	case word == "starts" && len(rest) == 1:
		d.starts = rest[0]
	case word == "after" && len(rest) == 1:
		d.after = rest[0]
	case word == "says" && len(rest) > 0:
		d.says = strings.Join(rest, " ")
	case word == "as" && slices.Equal(rest, []string{"root"}):
		d.byRoot = true
	case flags[word] != nil && len(rest) == 0:
		*flags[word] = true
	case word == "socket" && len(rest) == 1 && slices.Contains([]string{"gone", "stopped", "dead", "forbidden"}, rest[0]):
		d.socket = rest[0]
	default:
		return false
	}
	return true
}

// playDocker sets the scene up, runs the tool and judges what it says.
func (s *labScene) playDocker(t *testing.T, l *lab, binary, waiting string) {
	s.folder = t.TempDir()
	s.home = filepath.Join(s.folder, "home")
	n := l.runner(t, s.text(l, "firewall.nft"), s.text(l, "nat.nft"))
	s.write(t, n)
	var d *dockerHost
	switch s.docker.socket {
	case "gone":
		n.run(fmt.Sprintf("mkdir -p %[1]s && mount -t tmpfs tmpfs %[1]s", dockerRoot))
	case "stopped":
		n.run(fmt.Sprintf("mkdir -p %[1]s && mount -t tmpfs tmpfs %[1]s && mkdir %[1]s/containers", dockerRoot))
	case "dead":
		n.deadSocket()
	}
	if s.docker.rootless || !slices.Contains([]string{"dead", "gone", "stopped"}, s.docker.socket) {
		d = s.daemon(n, append(s.plain(l), s.docker.environment...))
	}
	if s.docker.starts != "" {
		s.startRunner(d, waiting)
	}
	if s.docker.socket == "forbidden" {
		s.as = s.handOver(n, "nobody", "nogroup")
	}
	refused := s.pullBeside(d)
	r := s.runBeside(t, d, n, binary)
	s.judge(t, r)
	s.judgePlaces(t, d, r)
	s.judgeRequests(t, l.seen.from(n.addr)) // docker's own too: what the tool has it send is among them
	s.judgePull(t, d, refused)
	if t.Failed() {
		t.Logf("the report:\n%s", r.raw)
	}
}

// startRunner starts a container of the runner's, which the tool then looks into as root of the same machine does.
func (s *labScene) startRunner(d *dockerHost, waiting string) {
	d.load(s.docker.starts, "runner", waiting)
	d.must(s.home, "sh", filepath.Join(s.folder, "run.sh"))
	if s.docker.after != "" {
		d.must(s.home, "sh", "-eu", filepath.Join(s.folder, s.docker.after))
	}
	if !s.docker.apart {
		s.as = append([]string{
			"nsenter", fmt.Sprintf("--pid=/proc/%d/ns/pid", d.first), "unshare", "--mount", "--propagation", "private",
			"sh", "-euc", `mount -t proc proc /proc; exec "$@"`, "sh",
		}, s.as...)
	}
}

// daemon starts the daemon of the scene's kind.
func (s *labScene) daemon(n *netns, environment []string) *dockerHost {
	switch {
	case s.docker.rootless:
		as := s.handOver(n, n.operator(), operatorID)
		if !s.docker.byRoot {
			s.as, s.env = as, append(s.env, "XDG_RUNTIME_DIR="+operatorFolder)
		}
		return n.rootlessDocker(s.home, as, environment)
	case s.docker.podman:
		return n.podman(environment)
	case s.docker.remapped:
		n.run(fmt.Sprintf("chmod 755 %s", filepath.Dir(s.folder)))
		n.subordinate("dockremap", 200000)
		return n.docker(dockerRoot, environment, "--userns-remap=default")
	}
	return n.docker(cmp.Or(s.docker.root, dockerRoot), environment)
}

// handOver gives the scene's files to a user, and returns what runs a program as that user.
func (s *labScene) handOver(n *netns, user, group string) []string {
	n.run(fmt.Sprintf("chmod 755 %s; chown -R %s:%s %s", filepath.Dir(s.folder), user, group, s.folder))
	return []string{"setpriv", "--reuid", user, "--regid", group, "--clear-groups"}
}

// runBeside runs the tool beside a daemon, or in a container of it, and sees to it that the daemon was only read.
func (s *labScene) runBeside(t *testing.T, d *dockerHost, n *netns, binary string) labReport {
	t.Helper()
	if s.docker.inside {
		d.build(binary)
		r := s.report(t, n, d.clientEnvironment(s.home), "sh", filepath.Join(s.folder, "run.sh"))
		d.judge(t, true)
		return r
	}
	before := d.state()
	r := s.run(t, n, binary)
	if after := d.state(); after != before {
		t.Errorf("the daemon had\n%sand has\n%s", before, after)
	}
	d.judge(t, (s.docker.socket == "" || s.docker.rootless) && !s.docker.unasked)
	if !strings.Contains(r.raw, s.docker.says) {
		t.Errorf("the report does not say %q", s.docker.says)
	}
	return r
}

// judgePlaces looks up where the pause image stands in a container, in what docker's own CLI prints of that: a report names
// the command with the line.
func (s *labScene) judgePlaces(t *testing.T, d *dockerHost, r labReport) {
	t.Helper()
	for _, check := range r.Checks {
		for _, f := range check.Findings {
			if f.Location == nil || f.Subject != "PAUSE_IMAGE" || s.docker.podman {
				continue
			}
			name, found := strings.CutPrefix(f.Location.Path, "<container ")
			if !found {
				continue
			}
			out, err := d.docker(s.home, "inspect", strings.TrimSuffix(name, ">"))
			lines := strings.Split(string(out), "\n")
			line := lines[min(f.Location.Line, len(lines))-1]
			if err != nil || !strings.HasPrefix(line[min(f.Location.Column-1, len(line)):], s.pause) {
				t.Errorf("docker inspect has %q in line %d, and the report has the pause image there (%v)", line, f.Location.Line, err)
			}
		}
	}
}

// pulled is what docker's own CLI says of an image.
type pulled struct {
	out []byte
	err error
}

// pullBeside has docker pull the pause image at the same time as the tool runs, where that is to fail and so changes
// nothing: it may take long.
func (s *labScene) pullBeside(d *dockerHost) chan pulled {
	done := make(chan pulled, 1)
	if s.docker.pull != "" && s.docker.pull != "ok" {
		go func() { done <- d.pull(s.home, s.pause) }()
	}
	return done
}

// judgePull compares what docker itself says of the pause image with what the scene wants said.
func (s *labScene) judgePull(t *testing.T, d *dockerHost, refused chan pulled) {
	t.Helper()
	switch s.docker.pull {
	case "":
	case "ok":
		if got := d.pull(s.home, s.pause); got.err != nil {
			t.Errorf("docker pull %s: %v: %s", s.pause, got.err, got.out)
		}
	default:
		got := <-refused
		// Of its two time-outs docker names the one that came first: "Client.Timeout exceeded", "deadline exceeded".
		said := strings.ReplaceAll(strings.ToLower(string(got.out)), "deadline exceeded", "timeout")
		wanted := func(words string) bool { return strings.Contains(said, strings.ToLower(words)) }
		if got.err == nil || !slices.ContainsFunc(strings.Split(s.docker.pull, " | "), wanted) {
			t.Errorf("docker pull %s: %v: %s\nwant %s", s.pause, got.err, got.out, s.docker.pull)
		}
	}
}

func (d *dockerHost) pull(home, image string) pulled {
	out, err := d.docker(home, "pull", image)
	return pulled{out, err}
}

// dockerHost is a runner's host with a docker daemon of its own, which ends with the test, and all that it started with
// it: the daemon is in a process namespace, and its mounts are in a mount namespace, that nothing else is in.
type dockerHost struct {
	*netns
	// socket is the one at which clients find a proxy that writes down what the daemon is asked; own is the daemon's.
	socket, own string
	// first is the first process of its namespace.
	first int
	mutex sync.Mutex
	asked []string
}

// docker starts a daemon on a host, with a data root, an environment and options, and waits until it answers.
func (n *netns) docker(root string, environment []string, options ...string) *dockerHost {
	n.T.Helper()
	group := fmt.Sprintf("runner-preflight-lab-%d-%s", os.Getpid(), strings.ReplaceAll(n.addr, ".", "-"))
	n.T.Cleanup(func() { removeGroup(n.T, group) })
	return n.engine(root, environment, append([]string{
		"dockerd", "--data-root", root, "--exec-root", "/run/daemon/exec", "--pidfile", "/run/daemon/pid", "--host",
		"unix://" + daemonSocket, "--cgroup-parent", "/" + group,
	}, options...)...)
}

// podman starts Podman in a daemon's place, with an environment, and waits until it answers.
func (n *netns) podman(environment []string) *dockerHost {
	n.T.Helper()
	environment = append(environment, "TMPDIR="+podmanRoot) // it forgets what it is sent there
	return n.engine(podmanRoot, environment, "podman", "--root", podmanRoot, "--runroot", "/run/daemon/containers",
		"--cgroup-manager", "cgroupfs", "--events-backend", "file", "system", "service", "--time", "0", "unix://"+daemonSocket)
}

// engine starts a program that serves docker's API, with the folder that it keeps images in and an environment.
func (n *netns) engine(root string, environment []string, argv ...string) *dockerHost {
	n.T.Helper()
	d := &dockerHost{netns: n, socket: dockerSocket, own: daemonSocket}
	// What holds images cannot be an overlay itself.
	n.run(fmt.Sprintf("mkdir -p %[1]s /run/daemon && mount -t tmpfs tmpfs %[1]s", root))
	d.start(environment, argv...)
	return d
}

// start starts the daemon and waits until it answers.
func (d *dockerHost) start(environment []string, argv ...string) {
	d.T.Helper()
	within := []string{
		"unshare", "--mount", "--propagation", "private", "sh", "-euc", `mount -t proc proc /proc; exec "$@"`, "sh", "env", "-i",
	}
	d.first = d.serve("dockerd-"+d.addr, slices.Concat(within, environment, argv)...).Process.Pid
	d.await()
	d.record()
	d.T.Cleanup(d.clear)
}

// The user whom a rootless daemon belongs to, and the folder that he has while he is logged in.
const (
	operatorID     = "4217"
	operatorFolder = "/run/user/" + operatorID
)

// operator makes the host a user who may have a daemon of his own, and returns his number.
func (n *netns) operator() string {
	n.T.Helper()
	n.run(fmt.Sprintf(`echo 'operator:x:%[1]s:%[1]s::/:/bin/sh' >> /etc/passwd
		echo 'operator:x:%[1]s:' >> /etc/group
		install -d -m 755 /run/user
		install -d -m 700 -o %[1]s -g %[1]s %[2]s
		mount -t tmpfs tmpfs /dev/net && mknod -m 666 /dev/net/tun c 10 200`, operatorID, operatorFolder))
	n.subordinate("operator", 100000)
	return operatorID
}

// subordinate gives a user the users and groups from a number on, for namespaces of his own.
func (n *netns) subordinate(user string, first int) {
	n.T.Helper()
	n.run(fmt.Sprintf(`echo %[1]s:%[2]d:65536 | tee /etc/subuid > /etc/subgid
		id -u %[1]s 2> /dev/null || echo %[1]s:x:4218:4218::/:/bin/false >> /etc/passwd
		getent group %[1]s || echo %[1]s:x:4218: >> /etc/group`, user, first))
}

// rootlessDocker starts a daemon of the operator's own, as docker's script for that does.
func (n *netns) rootlessDocker(home string, as, environment []string) *dockerHost {
	n.T.Helper()
	d := &dockerHost{netns: n, socket: operatorFolder + "/docker.sock", own: operatorFolder + "/daemon.sock"}
	data := filepath.Join(home, ".local")
	n.run(fmt.Sprintf("mkdir -p %[1]s; mount -t tmpfs tmpfs %[1]s; chown %[2]s:%[2]s %[1]s", data, operatorID))
	script, err := exec.LookPath("dockerd-rootless.sh")
	if err != nil {
		script = "/usr/share/docker.io/contrib/dockerd-rootless.sh" // Debian's
	}
	environment = append(environment, "XDG_RUNTIME_DIR="+operatorFolder)
	d.start(environment, append(slices.Clone(as), "sh", script, "--host", "unix://"+d.own)...)
	if err := os.Chown(n.root(d.socket), 4217, 4217); err != nil {
		n.T.Fatal(err)
	}
	return d
}

// await waits until the daemon answers.
func (d *dockerHost) await() {
	d.T.Helper()
	ctx, cancel := context.WithTimeout(d.T.Context(), 30*time.Second)
	defer cancel()
	for {
		conn, err := net.Dial("unix", d.root(d.own))
		if err == nil {
			conn.Close()
			return
		}
		if ctx.Err() != nil {
			log, _ := os.ReadFile(filepath.Join(d.dir, "dockerd-"+d.addr+".log"))
			d.T.Fatalf("docker's daemon does not start:\n%s", log)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// record puts a proxy where clients find the daemon, which writes down what it is asked.
func (d *dockerHost) record() {
	d.T.Helper()
	listener, err := net.Listen("unix", d.root(d.socket))
	if err == nil {
		err = os.Chmod(d.root(d.socket), 0o660) // as docker has it
	}
	if err != nil {
		d.T.Fatal(err)
	}
	var dialler net.Dialer
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "docker" },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialler.DialContext(ctx, "unix", d.root(d.own))
		}},
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mutex.Lock()
		d.asked = append(d.asked, r.Method+" "+r.URL.Path)
		d.mutex.Unlock()
		proxy.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(listener) }()
	d.T.Cleanup(func() { server.Close() })
}

// judge sees to it that nothing was asked for but to read, and that something was.
func (d *dockerHost) judge(t *testing.T, asks bool) {
	t.Helper()
	if d == nil {
		return
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if (len(d.asked) > 0) != asks {
		t.Errorf("docker's daemon was asked %q, which should be something: %v", d.asked, asks)
	}
	for _, asked := range d.asked {
		if !strings.HasPrefix(asked, "GET ") && !strings.HasPrefix(asked, "HEAD ") {
			t.Errorf("docker's daemon was asked to %s", asked)
		}
	}
}

// docker runs docker's own CLI, which talks to the daemon past the proxy.
func (d *dockerHost) docker(home string, args ...string) ([]byte, error) {
	return d.client(home, nil, append([]string{"docker"}, args...)...)
}

// client runs a program that may use docker's CLI.
func (d *dockerHost) client(home string, input []byte, argv ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	cmd := d.command(ctx, "/", argv[0], argv[1:]...)
	cmd.Env = d.clientEnvironment(home)
	cmd.Stdin = bytes.NewReader(input)
	return d.output(cmd)
}

// clientEnvironment is that of a user who has docker's CLI talk to the daemon past the proxy.
func (d *dockerHost) clientEnvironment(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "DOCKER_HOST=unix://" + d.own, "DOCKER_BUILDKIT=0"}
}

// must runs a program that may use docker's CLI, and that does what it should.
func (d *dockerHost) must(home string, argv ...string) {
	d.T.Helper()
	if out, err := d.client(home, nil, argv...); err != nil {
		d.T.Fatalf("%s: %v\n%s", argv, err, out)
	}
}

// load makes an image of one program.
func (d *dockerHost) load(reference, name, program string) {
	d.T.Helper()
	data, err := os.ReadFile(program)
	if err != nil {
		d.T.Fatal(err)
	}
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	_ = writer.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(data))})
	_, _ = writer.Write(data)
	_ = writer.Close()
	argv := []string{"docker", "import", "-c", fmt.Sprintf("ENTRYPOINT [%q]", "/"+name), "-", reference}
	if out, err := d.client("/", archive.Bytes(), argv...); err != nil {
		d.T.Fatalf("%s: %v\n%s", argv, err, out)
	}
}

// build makes the tool's own image as a user does, with the builder that needs no network.
func (d *dockerHost) build(binary string) {
	d.T.Helper()
	folder := d.T.TempDir()
	for name, from := range map[string]string{
		"runner-preflight": binary, "Dockerfile": "Dockerfile", ".dockerignore": ".dockerignore",
	} {
		data, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), data, 0o755)
		}
		if err != nil {
			d.T.Fatal(err)
		}
	}
	d.must("/", "docker", "build", "-q", "-t", "runner-preflight", folder)
}

// state is all that the daemon has.
func (d *dockerHost) state() string {
	if d == nil {
		return ""
	}
	d.T.Helper()
	var state strings.Builder
	for _, what := range []string{
		"images -a --no-trunc --format {{.ID}}={{.Repository}}:{{.Tag}}",
		"ps -a --no-trunc --format {{.ID}}={{.Names}}={{.Image}}={{.State}}", "volume ls -q", "network ls -q",
	} {
		out, err := d.docker("/", strings.Fields(what)...)
		if err != nil {
			d.T.Fatalf("docker %s: %v\n%s", what, err, out)
		}
		state.Write(out)
	}
	return state.String()
}

// clear ends the daemon's containers, so that the kernel gives up what it accounts for them.
func (d *dockerHost) clear() {
	if out, _ := d.docker("/", "ps", "-aq"); len(out) > 0 {
		_, _ = d.docker("/", append([]string{"rm", "-f"}, strings.Fields(string(out))...)...)
	}
}

// removeGroup removes a control group that a daemon left.
func removeGroup(t testing.TB, name string) {
	for _, folder := range groups(name) {
		if err := os.Remove(folder); err != nil && !os.IsNotExist(err) {
			t.Error(err)
		}
	}
}

// removePodmanGroups removes those that all of Podman shares, but for what a Podman of this machine still uses.
func removePodmanGroups() {
	for _, name := range []string{"libpod_parent/conmon", "libpod_parent"} {
		for _, folder := range groups(name) {
			_ = os.Remove(folder)
		}
	}
}

// groups are the folders that a control group may have, in the first version of them and in the second.
func groups(name string) []string {
	folders, _ := filepath.Glob("/sys/fs/cgroup/*/" + name)
	return append(folders, "/sys/fs/cgroup/"+name)
}

// deadSocket leaves a socket where clients look for a daemon, and nobody who listens.
func (n *netns) deadSocket() {
	n.T.Helper()
	listener, err := net.Listen("unix", n.root(dockerSocket))
	if err != nil {
		n.T.Fatal(err)
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	listener.Close()
}
