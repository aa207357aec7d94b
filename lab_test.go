//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// needs skips the test, with the reason, unless RUNNER_PREFLIGHT_LAB=1 asks for the laboratory; then it fails where the
// test cannot be run: not root, no namespaces, or a program is missing. A build that must run it cannot skip it.
func needs(t testing.TB, programs ...string) {
	t.Helper()
	if os.Getenv("RUNNER_PREFLIGHT_LAB") != "1" {
		t.Skip("the laboratory of real servers takes minutes, root and Debian packages: RUNNER_PREFLIGHT_LAB=1 runs it")
	}
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatal("the laboratory needs the program " + name)
		}
	}
	// Mounting is what a container that calls itself root is often not allowed to do.
	probe := exec.Command("unshare", "--net", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt")
	if out, err := probe.CombinedOutput(); err != nil {
		t.Fatal("the laboratory needs root and namespaces of its own: " + strings.TrimSpace(string(out)))
	}
}

// lab is a small internet that a test makes for itself and that ends with it: runner hosts behind a firewall, and
// beyond the firewall name servers, registries, proxies and block pages. No packet of it can leave: none of its
// namespaces has a way out, and nothing in a lab runs outside of them.
//
//	runner 10.77.1.N ── fw 10.77.1.1, 10.77.2.1 ── out 10.77.2.0/24, and 198.51.100.0/24 for public hosts
//
// Runners that want it have IPv6 as well: 2001:db8:1::N, and beyond the firewall 2001:db8:2::/64.
type lab struct {
	testing.TB
	// dir holds all that the lab's programs write; users other than root can enter it.
	dir     string
	fw, out *netns
	pki     pki
	seen    *journal
	// clientCert and clientKey are, as PEM, what mutual.rig.test wants of its clients.
	clientCert, clientKey string

	start   chan func()
	runners atomic.Int32
}

// firstRunner is the last byte of the first runner's address.
const firstRunner = 10

// newLab makes the firewall and what lies beyond, as yet without servers.
func newLab(t testing.TB) *lab {
	t.Helper()
	l := &lab{TB: t, dir: labFolder(t), seen: &journal{}, start: make(chan func())}
	go func() {
		// The kernel ends a program when the thread that started it ends, as those of within do: this one does not.
		runtime.LockOSThread()
		for f := range l.start {
			f()
		}
	}()
	t.Cleanup(func() { close(l.start) })
	l.fw, l.out = l.netns("fw"), l.netns("out")
	l.out.run(`ip link add eth0 type veth peer name out netns ` + l.fw.path("net") + `
		ip addr add 10.77.2.2/24 dev eth0
		for i in $(seq 9 98); do echo addr add 10.77.2.$i/24 dev eth0; done | ip -batch -
		echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6
		ip addr add ` + sixAddress + `/64 nodad dev eth0
		ip addr add 198.51.100.60/32 dev lo
		ip addr add 198.51.100.61/32 dev lo
		ip link set eth0 up
		ip route add default via 10.77.2.1 onlink dev eth0
		ip route add default via 2001:db8:2::1 dev eth0`)
	l.fw.run(`ip addr add 10.77.1.1/32 dev lo
		ip addr add 10.77.2.1/24 dev out
		ip link set out up
		echo 0 > /proc/sys/net/ipv6/conf/out/disable_ipv6
		ip addr add 2001:db8:2::1/64 nodad dev out
		echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
		ip route add 198.51.100.0/24 via 10.77.2.2
		echo 1 > /proc/sys/net/ipv4/ip_forward
		nft -f - <<'END'
			table inet fw {
				map scenes { type ipv4_addr : verdict; }
				map scenes6 { type ipv6_addr : verdict; }
				chain forward {
					type filter hook forward priority 0; policy accept
					ip saddr vmap @scenes
					ip daddr vmap @scenes
					ip6 saddr vmap @scenes6
					ip6 daddr vmap @scenes6
				}
			}
			table ip nat {
				map scenes { type ipv4_addr : verdict; }
				chain pre { type nat hook prerouting priority -100; ip saddr vmap @scenes; }
			}
END`)
	return l
}

// labFolder makes the lab's folder, and removes those of labs whose process was killed before it could.
func labFolder(t testing.TB) string {
	t.Helper()
	const prefix = "runner-preflight-lab-"
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	for _, folder := range left {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(folder), prefix), "-")
		if _, err := os.Stat("/proc/" + pid); os.IsNotExist(err) {
			os.RemoveAll(folder)
		}
	}
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", prefix, os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// netns is a network and mount namespace. It has no name and lives as long as the process that holds it, so that
// nothing is left behind however the test ends. Its /etc, /run and /var/lib may be written to: the machine's own lie
// unharmed below.
type netns struct {
	*lab
	// T is the test that it belongs to.
	T    testing.TB
	pid  int
	addr string
}

func (l *lab) netns(name string) *netns { return l.netnsOf(l.TB, name) }

func (l *lab) netnsOf(t testing.TB, name string) *netns {
	t.Helper()
	layers := filepath.Join(l.dir, "layers-"+name)
	if err := os.Mkdir(layers, 0o755); err != nil {
		t.Fatal(err)
	}
	holder := exec.Command("unshare", "--net", "--mount", "--propagation", "private", "sh", "-euc", `
		mount -t tmpfs tmpfs "$1"
		for folder in /etc /run /var/lib; do
			mkdir -p "$1$folder/upper" "$1$folder/work"
			mount -t overlay -o "lowerdir=$folder,upperdir=$1$folder/upper,workdir=$1$folder/work" overlay "$folder"
		done
		echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6
		ip link set lo up
		echo ready
		exec sleep infinity`, "sh", layers)
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	holder.Stderr = os.Stderr
	l.launch(t, holder)
	if _, err := out.Read(make([]byte, 8)); err != nil {
		t.Fatalf("the namespace %s: %v", name, err)
	}
	return &netns{lab: l, T: t, pid: holder.Process.Pid}
}

// begin starts a program that ends with this process at the latest.
func (l *lab) begin(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	started := make(chan error)
	l.start <- func() { started <- cmd.Start() }
	return <-started
}

// launch starts a program that ends with the test.
func (l *lab) launch(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if err := l.begin(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// output runs a program to its end.
func (l *lab) output(cmd *exec.Cmd) ([]byte, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := l.begin(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	return out.Bytes(), err
}

// path is one of the files by which the kernel knows the namespace.
func (n *netns) path(kind string) string { return fmt.Sprintf("/proc/%d/ns/%s", n.pid, kind) }

// root is where the namespace's file system is seen from outside.
func (n *netns) root(path string) string {
	return filepath.Join(fmt.Sprintf("/proc/%d/root", n.pid), path)
}

// command prepares a program in the namespace, with folder as its current one.
func (n *netns) command(ctx context.Context, folder, name string, args ...string) *exec.Cmd {
	in := []string{"--net=" + n.path("net"), "--mount=" + n.path("mnt"), "env", "-C", folder, name}
	cmd := exec.CommandContext(ctx, "nsenter", append(in, args...)...)
	cmd.WaitDelay = time.Second
	return cmd
}

// run runs a shell script in the namespace.
func (n *netns) run(script string) {
	n.T.Helper()
	if out, err := n.output(n.command(n.T.Context(), "/", "bash", "-euc", script)); err != nil {
		n.T.Fatalf("%v\n%s\n%s", err, out, script)
	}
}

// serve starts a server of others in the namespace; what it prints goes to NAME.log in the lab's folder. It lives in
// a process namespace whose first process is a shell: the kernel forgets to end a server that has changed its user,
// but not what is in a namespace whose first process has ended.
func (n *netns) serve(name string, argv ...string) *exec.Cmd {
	n.T.Helper()
	log, err := os.Create(filepath.Join(n.dir, name+".log"))
	if err != nil {
		n.T.Fatal(err)
	}
	n.T.Cleanup(func() { log.Close() })
	cmd := n.command(context.Background(), n.dir, "sh", append([]string{"-c", `"$@" & wait`, "sh"}, argv...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	n.launch(n.T, cmd)
	return cmd
}

// within runs f on a thread that is in the namespace. The sockets that f opens belong there for good, whoever uses
// them afterwards.
func (n *netns) within(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		space, err := os.Open(n.path("net"))
		if err == nil {
			defer space.Close()
			err = unix.Setns(int(space.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}

// dial connects from the namespace to an IP address and port.
func (n *netns) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	err = n.within(func() error {
		var dialler net.Dialer
		conn, err = dialler.DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// listen opens an address and port of the namespace.
func (n *netns) listen(address string) net.Listener {
	n.T.Helper()
	var listener net.Listener
	err := n.within(func() (err error) {
		listener, err = net.Listen("tcp", address)
		return err
	})
	if err != nil {
		n.T.Fatal(err)
	}
	n.T.Cleanup(func() { listener.Close() })
	return listener
}

// sent counts the packets that left the namespace, by eth0.
func (n *netns) sent() string {
	n.T.Helper()
	table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", n.pid))
	if err != nil {
		n.T.Fatal(err)
	}
	_, counters, found := strings.Cut(string(table), "eth0:")
	if !found {
		n.T.Fatal("no eth0")
	}
	return strings.Fields(counters)[9]
}

// await waits until servers listen.
func (n *netns) await(addresses ...string) {
	n.T.Helper()
	ctx, cancel := context.WithTimeout(n.T.Context(), 10*time.Second)
	defer cancel()
	for _, address := range addresses {
		for {
			conn, err := n.dial(ctx, "tcp", address)
			if err == nil {
				conn.Close()
				break
			}
			if errors.Is(err, context.DeadlineExceeded) {
				n.T.Fatalf("nothing listens at %s: see the logs in %s", address, n.dir)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// runner makes one more runner's host behind the firewall, which treats it by rules in nft's language: filter for
// what is forwarded from and to it, nat for what it is redirected to.
func (l *lab) runner(t testing.TB, filter, nat string) *netns {
	t.Helper()
	number := firstRunner + int(l.runners.Add(1))
	if number > 254 {
		t.Fatal("more runners than addresses")
	}
	n := l.netnsOf(t, fmt.Sprintf("runner-%d", number))
	n.addr = fmt.Sprintf("10.77.1.%d", number)
	n.run(fmt.Sprintf(`
		ip link add eth0 type veth peer name r%[1]d netns %[2]s
		ip addr add %[3]s/32 dev eth0
		ip link set eth0 up
		ip route add 10.77.1.1 dev eth0
		ip route add default via 10.77.1.1
		rm -rf /etc/resolv.conf /etc/hosts /etc/docker
		printf '127.0.0.1 localhost\n' > /etc/hosts
		printf 'nameserver %[4]s\noptions timeout:3 attempts:1\n' > /etc/resolv.conf`,
		number, l.fw.path("net"), n.addr, nameServer))
	in := *l.fw
	in.T = t
	in.run(fmt.Sprintf(`
		ip link set r%[1]d up
		ip route add %[2]s/32 dev r%[1]d
		nft -f - <<'END'
			table inet fw {
				chain s%[1]d {
					%[3]s
				}
			}
			add element inet fw scenes { %[2]s : jump s%[1]d }
			table ip nat {
				chain s%[1]d {
					%[4]s
				}
			}
			add element ip nat scenes { %[2]s : jump s%[1]d }
END`, number, n.addr, filter, nat))
	return n
}

// ipv6 gives a runner's host an address and a way out over IPv6, with the firewall's rules for it.
func (n *netns) ipv6() {
	n.T.Helper()
	number := strings.TrimPrefix(n.addr, "10.77.1.")
	n.run(fmt.Sprintf(`
		echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6
		ip addr add 2001:db8:1::%s/128 nodad dev eth0
		ip route add default via fe80::1 dev eth0`, number))
	in := *n.fw
	in.T = n.T
	in.run(fmt.Sprintf(`
		echo 0 > /proc/sys/net/ipv6/conf/r%[1]s/disable_ipv6
		ip addr add fe80::1/64 nodad dev r%[1]s
		ip route add 2001:db8:1::%[1]s/128 dev r%[1]s
		nft add element inet fw scenes6 { 2001:db8:1::%[1]s : jump s%[1]s }`, number))
}
