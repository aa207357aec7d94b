package runner

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
)

// stretch is where something that the reader should find is written.
type stretch struct{ start, end int }

// draft is a file in the making, which knows where each value stands.
type draft struct {
	*rand.Rand
	text   strings.Builder
	eol    string
	values map[string]stretch
	wanted map[string]string
}

func newDraft(seed uint64) *draft {
	d := &draft{Rand: rand.New(rand.NewPCG(seed, 7)), eol: "\n", values: map[string]stretch{}, wanted: map[string]string{}}
	if d.IntN(4) == 0 {
		d.eol = "\r\n"
	}
	if d.IntN(4) == 0 {
		d.write("\ufeff")
	}
	return d
}

func (d *draft) write(parts ...string) {
	for _, part := range parts {
		d.text.WriteString(part)
	}
}

// value writes a value in a form of its own, and keeps where it stands.
func (d *draft) value(name, value, written string) {
	start := d.text.Len()
	d.write(written)
	d.values[name], d.wanted[name] = stretch{start, d.text.Len()}, value
}

func (d *draft) one(of ...string) string { return of[d.IntN(len(of))] }

func (d *draft) note(signs string) string {
	return string(signs[d.IntN(len(signs))]) + d.one(" für den Läufer", " 说明", "", ` a "quote`, " docker", " don't", " \U0001F433 it's") + d.eol
}

// check compares what was read with what was written.
func (d *draft) check(t *testing.T, seed uint64, r Reading) {
	t.Helper()
	if len(r.Definitions) != 1 {
		t.Errorf("seed %d: %d definitions in\n%s", seed, len(r.Definitions), d.text.String())
		return
	}
	got := map[string]Text{"image": r.Definitions[0].Image}
	for _, v := range r.Definitions[0].Environment {
		got[v.Name.Value] = v.Value
		if v.Name.Place.Text() != v.Name.Value {
			t.Errorf("seed %d: the name %q is said to stand at %q", seed, v.Name.Value, v.Name.Place.Text())
		}
	}
	for i, m := range r.Definitions[0].Mounts {
		got[fmt.Sprintf("source %d", i)], got[fmt.Sprintf("target %d", i)] = m.Source, m.Target
	}
	for name, want := range d.values {
		text := got[name]
		at := text.Place.Outermost()
		if text.Value != d.wanted[name] || at.Start != want.start || at.End != want.end {
			t.Errorf("seed %d: %s is %q at %d to %d, want %q at %d to %d in\n%s", seed, name, text.Value, at.Start, at.End,
				d.wanted[name], want.start, want.end, d.text.String())
		}
	}
	if len(r.Mistakes)+len(r.Definitions[0].Mistakes) > 0 && d.eol == "\n" {
		t.Errorf("seed %d: mistakes %+v in\n%s", seed, r.Definitions[0].Mistakes, d.text.String())
	}
}

// chosen are variables of a runner in any order, with values in any letters.
func (d *draft) chosen() [][2]string {
	all := [][2]string{
		{"ACCOUNT_UUID", "{0b6e1b2c-3d4f-4a5b-8c6d-7e8f9a0b1c2d}"},
		{"RUNNER_UUID", "{ü}"},
		{"OAUTH_CLIENT_ID", "hT4kW8qZ2n"},
		{"WORKING_DIRECTORY", "/tmp"},
		{"PAUSE_IMAGE", "registry.example.com:5000/acme/pause:3.8"},
		{"JAVA_OPTS", "-Xmx1g"},
		{"RUNNER_NAME", "Läufer-说明"},
	}
	d.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:2+d.IntN(len(all)-1)]
}

const pipelinesRunner = "registry.example.com/acme/bitbucket-pipelines-runner:5"

// command writes a docker run, word by word: quoted puts a word into quotes, gap parts two.
func (d *draft) command(gap func(), quoted func(name, value, before string)) {
	d.write(d.one("docker run", "/usr/bin/docker container run", "docker  run --rm"))
	for i, m := range [][2]string{{"/tmp", "/tmp"}, {"/run/x.sock", "/var/run/docker.sock"}} {
		gap()
		d.write(d.one("-v ", "--volume ", "--volume="))
		d.value(fmt.Sprintf("source %d", i), m[0], m[0])
		d.write(":")
		d.value(fmt.Sprintf("target %d", i), m[1], m[1])
		d.write(d.one("", ":ro"))
	}
	variables := d.chosen()
	for i, v := range variables {
		if i == 0 {
			v = [2]string{"CLONE_IMAGE", "acme/clone:1"}
		}
		gap()
		d.write(d.one("-e ", "--env ", "--env="))
		quoted(v[0], v[1], v[0]+"=")
	}
	gap()
	quoted("image", pipelinesRunner, "")
}

func (d *draft) quote(name, value, before string) {
	quote := d.one("", `"`, "'")
	if d.IntN(2) == 0 {
		d.write(before, quote)
	} else {
		d.write(quote, before)
	}
	d.value(name, value, value)
	d.write(quote)
}

// TestPlacesInScripts writes the same command in many ways, and looks for each value where it was put.
func TestPlacesInScripts(t *testing.T) {
	for seed := range uint64(400) {
		d := newDraft(seed)
		d.eol = "\n" // a script with Windows line ends is another one
		d.write(d.one("#!/bin/sh"+d.eol, "", "# "+d.one("é", "x")+d.eol))
		for range d.IntN(3) {
			d.write(d.one("", "  "), d.note("#"))
		}
		indent := d.one("", "  ", "\t")
		d.write(indent)
		d.command(func() { d.write(d.one(" ", " \\"+d.eol+indent+"  ", "  ")) }, d.quote)
		d.write(d.one("", d.eol, d.eol+"# end"+d.eol, " >/dev/null"+d.eol, " || exit 1"+d.eol))
		d.check(t, seed, Read("run.sh", []byte(d.text.String()), nothingThere))
	}
}

// TestPlacesInUnits does so for units, where comments may stand within the command.
func TestPlacesInUnits(t *testing.T) {
	for seed := range uint64(400) {
		d := newDraft(seed)
		for range d.IntN(3) {
			d.write(d.one("", "  "), d.note("#;"))
		}
		d.write("[Unit]"+d.eol+"Description=Läufer %n"+d.eol+d.eol, "[Service]"+d.eol, d.one("", "Environment=A=1 'B=é \"'"+d.eol))
		d.write(d.one("ExecStart=", "  ExecStart = ", "ExecStart=-", "ExecStart=+"))
		gap := func() {
			d.write(d.one(" ", "  ", " \\"+d.eol+"    "))
			if strings.HasSuffix(d.text.String(), d.eol+"    ") && d.IntN(3) == 0 {
				d.write(d.note("#;"), "  ")
			}
		}
		d.command(gap, d.quote)
		d.write(d.one("", d.eol, d.eol+"Restart=always"+d.eol+"[Install]"+d.eol+"WantedBy=multi-user.target"+d.eol))
		d.check(t, seed, Read("runner.service", []byte(d.text.String()), nothingThere))
	}
}

// TestPlacesInUnitFiles does so for the files of EnvironmentFile=, and for commands within sh -c.
func TestPlacesInUnitFiles(t *testing.T) {
	for seed := range uint64(300) {
		d := newDraft(seed)
		variables := d.chosen()
		for _, v := range variables {
			d.write(d.one("", d.note("#;")), v[0], "=")
			quote := d.one("", `"`, "'")
			d.write(quote)
			d.value(v[0], v[1], v[1])
			d.write(quote, d.one("", "  "), d.eol)
		}
		env := d.text.String()
		if strings.HasPrefix(env, "\ufeff") {
			continue // systemd takes the mark for a part of the name
		}
		unit := "[Service]\nEnvironmentFile=/etc/x.env\nExecStart=docker run"
		for _, v := range variables {
			unit += " -e " + d.one(v[0], v[0]+"=${"+v[0]+"}", "'"+v[0]+"=${"+v[0]+"}'")
		}
		unit += " acme/bitbucket-pipelines-runner\n"
		open := func(name string) ([]byte, error) {
			if name != "/etc/x.env" {
				return nil, fs.ErrNotExist
			}
			return []byte(env), nil
		}
		d.check(t, seed, Read("runner.service", []byte(unit), open))
	}
	for seed := range uint64(300) {
		d := newDraft(seed)
		d.write("[Service]"+d.eol, "ExecStart=/bin/", d.one("sh -c '", `bash -lc "`))
		quote := d.text.String()[d.text.Len()-1:]
		inner := map[string]string{"'": `"`, `"`: "'"}[quote]
		d.command(func() { d.write(d.one(" ", " \\"+d.eol+"  ")) }, func(name, value, before string) {
			q := d.one("", inner, `\`+quote)
			d.write(before, q)
			d.value(name, value, value)
			d.write(q)
		})
		d.write(quote, d.eol)
		d.check(t, seed, Read("runner.service", []byte(d.text.String()), nothingThere))
	}
}

// TestPlacesInEnvFiles does so for docker's env files.
func TestPlacesInEnvFiles(t *testing.T) {
	for seed := range uint64(300) {
		d := newDraft(seed)
		for _, v := range append(d.chosen(), [2]string{"CLONE_IMAGE", `"acme/clone:1"`}) {
			d.write(d.one("", d.note("#"), d.eol), d.one("", "  "), v[0], "=")
			d.value(v[0], v[1], v[1])
			d.write(d.eol)
		}
		d.check(t, seed, Read("runner.env", []byte(d.text.String()), nothingThere))
	}
}

// TestPlacesInYAML does so for commands in a pipeline, a playbook and cloud-init.
func TestPlacesInYAML(t *testing.T) {
	for seed := range uint64(300) {
		d := newDraft(seed)
		form := d.one("|", ">-", "plain", "|-")
		d.write(d.one("pipelines:", "runcmd:", "jobs:"), d.eol, "  steps:", d.eol, d.one("", "    "+d.note("#")))
		d.write("    - ", map[string]string{"plain": ""}[form])
		gap := func() { d.write(" ") }
		if form != "plain" {
			d.write(form, d.eol, "      ")
			gap = func() { d.write(d.one(" ", " \\"+d.eol+"        ")) }
		}
		if form == ">-" {
			gap = func() { d.write(d.one(" ", d.eol+"      ")) }
		}
		d.command(gap, func(name, value, before string) {
			d.write(before)
			d.value(name, value, value)
		})
		d.write(d.eol)
		d.check(t, seed, Read("x.yml", []byte(d.text.String()), nothingThere))
	}
}
