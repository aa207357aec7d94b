package runner

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"runner-preflight/checks/source"
)

// serviceKeys are what a service of compose may have: those of the Compose Specification, and those of the
// older file formats that compose still reads.
func serviceKeys() []string {
	return strings.Fields(`
		annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command configs
		container_name cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares
		cpus cpuset credential_spec depends_on deploy develop device_cgroup_rules devices dns dns_opt
		dns_search domainname entrypoint env_file environment expose extends external_links extra_hosts
		gpus group_add healthcheck hostname image init ipc isolation label_file labels links logging
		mac_address mem_limit mem_reservation mem_swappiness memswap_limit models network_mode networks
		oom_kill_disable oom_score_adj pid pids_limit platform ports post_start pre_start pre_stop
		privileged profiles provider pull_policy pull_refresh_after read_only restart runtime scale
		secrets security_opt shm_size stdin_open stop_grace_period stop_signal storage_opt sysctls tmpfs
		tty ulimits umask use_api_socket user userns_mode uts volumes volumes_from working_dir`)
}

// otherKeys are what people write for a key of compose's, as docker's options and other tools have it.
func otherKeys() map[string]string {
	return map[string]string{
		"env": "environment", "envs": "environment", "env_vars": "environment", "variables": "environment",
		"envfile": "env_file", "volume": "volumes", "mounts": "volumes", "mount": "volumes",
		"restart_policy": "restart", "name": "container_name", "cmd": "command", "args": "command",
		"net": "network_mode", "network": "networks", "secret": "secrets", "config": "configs",
		"label": "labels", "mem": "mem_limit", "memory": "mem_limit", "workdir": "working_dir",
	}
}

// serviceKey is the key that is meant by one, "" if none is near, and whether it is written so.
type serviceKey struct {
	name  string
	known bool
}

// maxStrange is how many keys that compose does not know are looked at more closely.
const maxStrange = 500

// keyFor is what a key of a service is.
func (p *composeProject) keyFor(name string) serviceKey {
	key, met := p.meant[name]
	if met {
		return key
	}
	keys := serviceKeys()
	switch {
	case slices.Contains(keys, name):
		key = serviceKey{name, true}
	case len(p.meant) < maxStrange:
		key = serviceKey{nearKey(name, keys, otherKeys()), false}
	}
	p.meant[name] = key
	return key
}

// nearKey is the key of a list that another one was probably meant for.
func nearKey(name string, keys []string, others map[string]string) string {
	plain := strings.ReplaceAll(strings.ToLower(name), "-", "_")
	if slices.Contains(keys, plain) {
		return plain
	}
	if meant := others[plain]; meant != "" {
		return meant
	}
	best, least := "", min(2, len(plain)/3)+1
	for _, key := range keys {
		if d := distance(plain, key); d < least {
			best, least = key, d
		}
	}
	return best
}

// strange is the mistake of a key that compose does not know.
func strange(key node, near string) Mistake {
	const detail = "compose knows no such key here"
	return Mistake{Kind: UnknownKey, Place: key.place(), Detail: detail, Loses: true, Near: near}
}

// withoutStray are the services of a mapping, without what stands beside a service though it belongs into it:
// an indentation that is too small. It comes to the service above it.
func withoutStray(members []member) []member {
	var services []member
	var mapping *yaml.Node // that of the last service, if something stray was added to it
	for _, m := range members {
		if len(services) == 0 || !belongsToService(m) {
			services, mapping = append(services, m), nil
			continue
		}
		last := &services[len(services)-1]
		if mapping == nil && (last.value.isNull() || last.value.isMapping()) {
			mapping = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: m.key.Line, Column: m.key.Column}
			if last.value.isMapping() {
				*mapping = *last.value.Node
				mapping.Content = slices.Clone(mapping.Content)
			}
			last.value = node{m.key.text, mapping}
		}
		if mapping != nil {
			mapping.Content = append(mapping.Content, m.key.Node, m.value.Node)
		}
	}
	return services
}

// belongsToService tells whether an entry beside services is rather a part of one.
func belongsToService(m member) bool {
	return !m.value.isNull() && !looksLikeService(m.value) && slices.Contains(serviceKeys(), m.key.Value)
}

// strayKeys reports what stands beside a service, or beside the services, and belongs below.
func strayKeys(root node) []Mistake {
	wrong := func(key node, detail string) []Mistake {
		return []Mistake{{Kind: Unreadable, Place: key.place(), Detail: detail, Loses: true}}
	}
	services := root.member("services")
	switch {
	case services.value.isSequence():
		return wrong(services.key, "services is a list, and compose takes a mapping: each service without the dash")
	case services.value.isNull():
		for _, m := range root.members() {
			if looksLikeService(m.value) && !strings.HasPrefix(m.key.Value, "x-") {
				return wrong(m.key,
					"the service stands beside services, and not below it: indent it and what belongs to it")
			}
		}
	}
	for i, m := range services.value.members() {
		if i > 0 && belongsToService(m) {
			return wrong(m.key, source.Printable(shortName(m.key.Value))+
				" stands beside the service, and not below it: indent it and what belongs to it")
		}
	}
	return nil
}

// maxNodes is how many nodes of a file are looked at for keys that stand twice.
const maxNodes = 1 << 20

// repeatedKeys reports the keys that a mapping has twice: compose refuses the file.
func repeatedKeys(root node) []Mistake {
	var mistakes []Mistake
	left := maxNodes
	var visit func(n *yaml.Node)
	visit = func(n *yaml.Node) {
		if left--; left < 0 {
			return
		}
		first := map[string]*yaml.Node{}
		for i, child := range n.Content {
			key := n.Kind == yaml.MappingNode && i%2 == 0
			if key && child.Kind == yaml.ScalarNode && child.ShortTag() != "!!merge" {
				if earlier, there := first[child.Value]; there && len(mistakes) < 20 {
					mistakes = append(mistakes, repeatedKey(node{root.text, earlier}, node{root.text, child}))
				}
				first[child.Value] = child
			}
			if child.Kind != yaml.ScalarNode && child.Kind != yaml.AliasNode {
				visit(child)
			}
		}
	}
	visit(root.Node)
	return mistakes
}

func repeatedKey(first, again node) Mistake {
	return Mistake{
		Kind: Unreadable, Place: again.place(), Loses: true,
		Detail: fmt.Sprintf("%s stands here twice, in line %d too, and compose refuses that",
			source.Printable(shortName(again.Value)), first.place().Position().Line),
	}
}
