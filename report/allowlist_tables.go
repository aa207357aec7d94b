package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"runner-preflight/checks"
	"runner-preflight/checks/source"
)

// bracketed is a host as it stands before a port: an IPv6 address in brackets.
func bracketed(a checks.Allowed) string {
	return strings.TrimSuffix(net.JoinHostPort(a.Host, ""), ":")
}

// between stands between the things that one cell holds.
const between = "; "

// AllowlistCSV writes a table as RFC 4180 has it, with a header. A spreadsheet takes none of its cells for a formula.
func AllowlistCSV(w io.Writer, l Allowlist) error {
	rows := [][]string{{
		"host", "port", "protocol", "needed_by", "needed_for", "images", "runners", "required", "route", "note",
	}}
	for _, a := range l.Hosts {
		required := "yes"
		if a.Optional() {
			required = "no"
		}
		row := []string{bracketed(a), strconv.Itoa(a.Port), "tcp"}
		for _, of := range []func(checks.Need) []string{whoOf, whyOf, imagesOf, runnersOf} {
			row = append(row, strings.Join(column(a, of), between))
		}
		row = append(row, required, strings.Join(column(a, routeOf), between), l.note(a))
		for i, cell := range row {
			row[i] = harmless(cell)
		}
		rows = append(rows, row)
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	return out.WriteAll(rows)
}

// formula matches what a spreadsheet may take for the beginning of a formula: at the beginning of a cell, or of what
// it takes for one when it splits lines elsewhere than at commas. Source: OWASP, CSV injection.
var formula = regexp.MustCompile(`(^|[,;"'|])(\s*)([=+\-@＝＋－＠])`)

// harmless puts an apostrophe before what would be a formula: the cell is then text.
func harmless(cell string) string {
	return formula.ReplaceAllString(source.Printable(cell), "${1}${2}'${3}")
}

// AllowlistMarkdown writes a ticket that can be pasted as it is.
func AllowlistMarkdown(w io.Writer, l Allowlist) error {
	var out strings.Builder
	out.WriteString("## Outgoing connections of a Bitbucket Pipelines runner\n\n")
	switch {
	case l.Against != "" && len(l.Hosts) == 0:
		fmt.Fprintf(&out, "Nothing is missing from %s.\n", inMarkdown(l.Against))
	case l.Against != "":
		fmt.Fprintf(&out, "These are missing from %s. ", inMarkdown(l.Against))
	}
	if len(l.Hosts) > 0 {
		out.WriteString("Please let the runner's machine connect to these hosts, by name, as the addresses behind the " +
			"names change, and leave their TLS alone: the runner trusts public authorities only.\n\n")
		markdownTable(&out, l)
	}
	for i, caveat := range l.Caveats() {
		if i == 0 {
			out.WriteString("\n")
		}
		fmt.Fprintf(&out, "* %s\n", inMarkdown(caveat))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func markdownTable(out *strings.Builder, l Allowlist) {
	header := []string{"Host and port", "Protocol", "Needed by", "Needed for", "Images", "Required", "Route"}
	columns := []func(checks.Need) []string{whoOf, whyOf, imagesOf}
	if len(l.Runners) > 1 {
		header, columns = slices.Insert(header, 5, "Runners"), append(columns, runnersOf)
	}
	out.WriteString("| " + strings.Join(header, " | ") + " |\n" + strings.Repeat("| --- ", len(header)) + "|\n")
	for _, a := range l.Hosts {
		row := []string{inMarkdown(a.Address()), "TCP"}
		for _, of := range columns {
			row = append(row, markdownCell(column(a, of)))
		}
		row = append(row, necessity(a), markdownCell(column(a, routeOf)))
		out.WriteString("| " + strings.Join(row, " | ") + " |\n")
	}
}

func markdownCell(texts []string) string {
	var cells []string
	for _, text := range texts {
		cells = append(cells, inMarkdown(text))
	}
	return strings.Join(cells, between)
}

var (
	// codeWord matches what may stand between backticks: a host, a reference, a variable; no mere word.
	codeWord = regexp.MustCompile(`^[A-Za-z0-9\[][A-Za-z0-9._:/@+\[\]-]*$`)
	mereWord = regexp.MustCompile(`^[A-Za-z0-9]+$`)
	// markup matches what means something to one of the dialects of Markdown, or to Jira: tables, links, code, mentions,
	// macros, addresses that become links.
	markup = regexp.MustCompile("[\\\\`*_{}\\[\\]<>#|~@&$^!]|:/|www\\.")
)

// inMarkdown is a text from anywhere as it stands in a line or a cell, and means itself.
func inMarkdown(text string) string {
	text = strings.TrimSpace(source.Printable(clean(text)))
	if codeWord.MatchString(text) && !mereWord.MatchString(text) {
		return "`" + text + "`"
	}
	return markup.ReplaceAllStringFunc(text, func(found string) string {
		switch found {
		case "&":
			return "&amp;"
		case "<":
			return "&lt;"
		case ":/":
			return `:\/`
		case "www.":
			return `www\.`
		}
		return `\` + found
	})
}

// AllowlistSquid writes a file for squid's "acl NAME dstdomain FILE". Ports, and the proxies on the way to squid, are
// comments: they are said elsewhere in squid.conf.
func AllowlistSquid(w io.Writer, l Allowlist) error {
	var out strings.Builder
	comment := func(format string, args ...any) {
		out.WriteString("# " + source.Printable(clean(fmt.Sprintf(format, args...))) + "\n")
	}
	comment("hosts that a Bitbucket Pipelines runner needs, by %s allowlist, for", tool)
	comment("acl runner dstdomain %q", "/etc/squid/runner.acl")
	if l.Against != "" {
		comment("those alone that are missing from %s", l.Against)
	}
	for _, caveat := range l.Caveats() {
		comment("%s", caveat)
	}
	written := map[string]bool{}
	for _, a := range l.Hosts {
		out.WriteString("\n")
		for _, n := range a.Needs {
			comment("%s", l.need(n))
		}
		switch {
		case a.Optional():
			comment("optional: only some pipelines need it")
		case a.Proxy:
			comment("a proxy, which the firewall must allow: %s", a.Address())
		}
		if a.Port != 443 && !a.Proxy {
			comment("port %d: it must be among the ports that CONNECT may use (SSL_ports)", a.Port)
		}
		if !a.Proxy && !written[a.Host] {
			out.WriteString(bracketed(a) + "\n")
		}
		written[a.Host] = written[a.Host] || !a.Proxy
	}
	_, err := io.WriteString(w, out.String())
	return err
}
