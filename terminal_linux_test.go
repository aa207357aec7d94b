package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"runner-preflight/checks"
	"runner-preflight/checks/engine"
)

// openTerminal is a new terminal of so many columns: what a program writes to tty can be read from screen.
func openTerminal(t *testing.T, columns uint16) (screen, tty *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return screen, tty
}

// onTerminal runs the tool with the named outputs on a terminal of 60 columns, and the others in pipes.
// The script is a runner's whose own image is in the registry at the address.
func onTerminal(t *testing.T, registry string, env []string, stdout, stderr bool, args ...string) (out, err string) {
	t.Helper()
	script := strings.ReplaceAll(string(labFile(t, "run.sh")), "docker-public.packages.atlassian.com", registry)
	screens := make([]bytes.Buffer, 2)
	cmd := exec.Command("runner-preflight", args...)
	cmd.Dir, cmd.Env = t.TempDir(), append([]string{"HOME=" + t.TempDir(), "TERM=xterm", "LANG=C.UTF-8"}, env...)
	cmd.Stdout, cmd.Stderr = &screens[0], &screens[1]
	if err := os.WriteFile(filepath.Join(cmd.Dir, "run.sh"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	var read []chan struct{}
	var ttys []*os.File
	for i, wanted := range []bool{stdout, stderr} {
		if !wanted {
			continue
		}
		screen, tty := openTerminal(t, 60)
		if i == 0 {
			cmd.Stdout = tty
		} else {
			cmd.Stderr = tty
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = io.Copy(&screens[i], screen) // it ends with an error when nobody has the terminal any more
		}()
		read, ttys = append(read, done), append(ttys, tty)
	}
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	for _, tty := range ttys {
		tty.Close()
	}
	for _, done := range read {
		<-done
	}
	plain := func(b *bytes.Buffer) string { return strings.ReplaceAll(b.String(), "\r\n", "\n") }
	return plain(&screens[0]), plain(&screens[1])
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]")

// Color and width are those of standard output, the waiting line is standard error's; TERM=dumb has neither color nor
// a line that is written anew.
func TestTerminals(t *testing.T) {
	silent := silentHost(t).Addr().String()
	waiting := []string{
		"check", "--only", "image-resolves", "--timeout", "2s", "--pause-image", silent + "/a:1",
		"--auth-proxy-image", silent + "/b:1", "--clone-image", silent + "/c:1", "run.sh",
	}
	for _, test := range []struct {
		name           string
		env            []string
		stdout, stderr bool
		color, waits   bool
	}{
		{"both", nil, true, true, true, true},
		{"stdout", nil, true, false, true, false},
		{"stderr", nil, false, true, false, true},
		{"neither", nil, false, false, false, false},
		{"dumb", []string{"TERM=dumb"}, true, true, false, false},
		{"no color", []string{"NO_COLOR=1"}, true, true, false, true},
		{"forced", []string{"FORCE_COLOR=1"}, false, false, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			out, err := onTerminal(t, silent, test.env, test.stdout, test.stderr, waiting...)
			if strings.Contains(out, "\x1b[") != test.color || !strings.Contains(out, "not established") {
				t.Errorf("standard output: %q", out)
			}
			if strings.Contains(err, "waiting for the network: ") != test.waits || !test.waits && err != "" ||
				test.waits && !strings.HasSuffix(err, "\r\x1b[K") {
				t.Errorf("standard error: %q", err)
			}
		})
	}
}

// A report, an explanation and help fit the terminal, but for commands, and for what has no blank.
func TestTerminalWidth(t *testing.T) {
	for _, args := range [][]string{
		{"explain", "credential-store"},
		{"list"},
		{"--help"},
		{"lint", "--help"},
		{"lint", "run.sh"},
	} {
		out, _ := onTerminal(t, "registry.rig.test", nil, true, false, args...)
		for line := range strings.Lines(escapes.ReplaceAllString(out, "")) {
			line = strings.TrimRight(line, "\n")
			if long := len([]rune(line)) > 60; long && !strings.HasPrefix(strings.TrimSpace(line), "runner-preflight ") &&
				strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("%q: %q", args, line)
			}
		}
	}
}

// What is waited for is the daemon as soon as nothing of this process's own can take that long.
func TestWaitingForTheDaemon(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // it takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	host := &checks.Host{Engine: engine.New(engine.Address{Host: "tcp://" + listener.Addr().String()}, time.Minute)}
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		_, _ = host.Engine.Distribution(ctx, "registry.example.com/a:1", engine.Credentials{})
	}()
	for !host.Engine.Pending() {
		time.Sleep(time.Millisecond)
	}
	o := options{connect: 5 * time.Second}
	for past, want := range map[time.Duration]string{
		time.Second: "waiting for the network", 6 * time.Second: "waiting for the docker daemon, which gives up after 15 s",
	} {
		if got := o.waitingFor(host, past); got != want {
			t.Errorf("after %v: %s", past, got)
		}
	}
	cancel()
	<-asked
	if got := o.waitingFor(host, 6*time.Second); got != "waiting for the network" {
		t.Error(got)
	}
}
