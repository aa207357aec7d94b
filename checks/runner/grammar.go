package runner

import "strings"

// grammar is what docker container run takes. Source: docker's own help, version 28, with the hidden and the
// deprecated options that it still accepts.
type grammar struct {
	// valued and switches are long names, short maps letters to long names.
	valued, switches map[string]bool
	short            map[byte]string
}

func dockerGrammar() grammar {
	g := grammar{map[string]bool{}, map[string]bool{}, map[byte]string{
		'a': "attach", 'c': "cpu-shares", 'd': "detach",
		'e': "env", 'h': "hostname", 'i': "interactive", 'l': "label", 'm': "memory", 'p': "publish",
		'P': "publish-all", 'q': "quiet", 't': "tty", 'u': "user", 'v': "volume", 'w': "workdir",
	}}
	for _, name := range strings.Fields(`add-host annotation attach blkio-weight blkio-weight-device cap-add cap-drop
		cgroup-parent cgroupns cidfile cpu-count cpu-percent cpu-period cpu-quota cpu-rt-period cpu-rt-runtime
		cpu-shares cpus cpuset-cpus cpuset-mems detach-keys device device-cgroup-rule device-read-bps
		device-read-iops device-write-bps device-write-iops dns dns-opt dns-option dns-search domainname entrypoint
		env env-file expose gpus group-add health-cmd health-interval health-retries health-start-interval
		health-start-period health-timeout hostname io-maxbandwidth io-maxiops ip ip6 ipc isolation kernel-memory
		label label-file link link-local-ip log-driver log-opt mac-address memory memory-reservation memory-swap
		memory-swappiness mount name net net-alias network network-alias oom-score-adj pid pids-limit platform
		publish pull restart runtime security-opt shm-size stop-signal stop-timeout storage-opt sysctl tmpfs ulimit
		user userns uts volume volume-driver volumes-from workdir`) {
		g.valued[name] = true
	}
	for _, name := range strings.Fields(`detach disable-content-trust help init interactive no-healthcheck
		oom-kill-disable privileged publish-all quiet read-only rm sig-proxy tty use-api-socket`) {
		g.switches[name] = true
	}
	return g
}

// grammarOf is what the command of another client takes: that of docker, with the client's own options. Source: the
// manual pages podman-run(1), version 5, and the command reference of nerdctl, version 2.
func grammarOf(client string) grammar {
	g := dockerGrammar()
	valued, switches := "", ""
	switch client {
	case "podman":
		valued = `arch authfile cert-dir cgroup-conf cgroups chrootdirs conmon-pidfile creds decryption-key env-merge gidmap
			group-entry health-log-destination health-max-log-count health-max-log-size health-on-failure
			health-startup-cmd health-startup-interval health-startup-retries health-startup-success
			health-startup-timeout hosts-file hostuser image-volume init-path os passwd-entry personality pidfile pod
			pod-id-file preserve-fd preserve-fds rdt-class requires retry retry-delay sdnotify seccomp-policy secret
			shm-size-systemd subgidname subuidname systemd timeout tz uidmap umask unsetenv variant`
		switches = `env-host http-proxy no-hostname no-hosts passwd read-only-tmpfs replace rmi rootfs tls-verify
			unsetenv-all`
	case "nerdctl":
		valued = `cosign-certificate-identity cosign-key ipfs-address pidfile snapshotter stop-signal umask verify`
		switches = "rootfs"
	}
	for _, name := range strings.Fields(valued) {
		g.valued[name] = true
	}
	for _, name := range strings.Fields(switches) {
		g.switches[name] = true
	}
	return g
}

func (g grammar) knows(long string) bool { return g.valued[long] || g.switches[long] }

// nearest is the long name that a typing mistake would have made of name, "" if none is near.
func (g grammar) nearest(name string) string {
	if g.knows(name) {
		return name
	}
	for _, other := range otherOptions() {
		if distance(name, other[0]) <= 2 {
			return other[1]
		}
	}
	best, least := "", min(2, len(name)/3)+1
	for _, names := range []map[string]bool{g.valued, g.switches} {
		for candidate := range names {
			if d := distance(name, candidate); d < least || d == least && d <= min(2, len(name)/3) && candidate < best {
				best, least = candidate, d
			}
		}
	}
	return best
}

// otherOptions are the names by which other tools, and people, call options of docker's, with docker's own.
func otherOptions() [][2]string {
	return [][2]string{
		{"environment", "env"},
		{"environment-file", "env-file"},
		{"restart-policy", "restart"},
		{"container-name", "name"},
		{"memory-limit", "memory"},
	}
}

// distance counts the letters to change, add or take away to make b of a. Two are swapped at the price of one.
func distance(a, b string) int {
	if len(a) > 40 || len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return 99
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			if i == 0 || j == 0 {
				rows[i][j] = i + j
				continue
			}
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
