package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"runner-preflight/report"
)

// manDate is the date of the manual page where that of the commit is not known.
const manDate = "2026-11-24"

// manual writes the manual page: what help says, in the language of troff (man(7)).
func manual(c *cli.Context, p process) error {
	if err := noArguments(c); err != nil {
		return err
	}
	date, _, _ := strings.Cut(thisBuild().CommitTime, "T")
	if date == "" {
		date = manDate
	}
	_, err := io.WriteString(p.out, manPage(c.App.Commands, date))
	return written(err)
}

// manPage has the parts of the tool's help as sections, its paragraphs as the description, and each command's help in
// the place of the list of commands.
func manPage(commands []*cli.Command, date string) string {
	var description, list, others strings.Builder
	parts := partsOf(appHelp(commands))
	for i, p := range parts {
		switch {
		case i == 0:
		case p.heading == "":
			fmt.Fprintf(&description, ".PP\n%s\n", roffText(p.text))
		case p.heading == commandsHeading, p.heading == aroundHeading:
		case p.heading == "Exit codes":
			fmt.Fprintf(&others, ".SH EXIT STATUS\n%s", roffRows(p.rows))
		default:
			fmt.Fprintf(&others, ".SH %s\n%s", strings.ToUpper(p.heading), roffRows(p.rows))
		}
	}
	for _, c := range commands {
		if !c.Hidden {
			list.WriteString(manCommand(c))
		}
	}
	usage := strings.TrimPrefix(parts[0].text, "Usage: ")
	return fmt.Sprintf(`.TH RUNNER\-PREFLIGHT 1 "%s" "runner\-preflight %s" "User Commands"
.nh
.ad l
.SH NAME
runner\-preflight \- tell why a Bitbucket Pipelines runner pulls no images
.SH SYNOPSIS
%s
.SH DESCRIPTION
%s.SH COMMANDS
%s%s`, date, roff(version), roff(usage),
		strings.TrimPrefix(description.String(), ".PP\n"), list.String(), others.String())
}

// manCommand is the help of one command as a subsection.
func manCommand(c *cli.Command) string {
	var out strings.Builder
	for i, p := range partsOf(commandHelp(c)) {
		switch {
		case i == 0:
			fmt.Fprintf(&out, ".SS \"%s\"\n", roff(strings.TrimPrefix(p.text, "Usage: runner-preflight ")))
		case i == 1:
			fmt.Fprintf(&out, "%s\n", roffText(p.text))
		case p.heading == "":
			fmt.Fprintf(&out, ".PP\n%s\n", roffText(p.text))
		default:
			fmt.Fprintf(&out, ".PP\n%s:\n%s", roff(p.heading), roffRows(p.rows))
		}
	}
	return out.String()
}

// roffRows are terms with what is said of them below; those without a meaning are lines that stay as they are.
func roffRows(rows []row) string {
	var out strings.Builder
	literal := func(r row) bool { return r.meaning == "" }
	for i, r := range rows {
		switch {
		case !literal(r):
			fmt.Fprintf(&out, ".TP\n.B \"%s\"\n%s\n", roff(r.term), roffText(r.meaning))
			continue
		case i == 0:
			out.WriteString(".RS\n.nf\n")
		case !literal(rows[i-1]):
			out.WriteString(".PP\n.RS\n.nf\n")
		}
		fmt.Fprintf(&out, "%s\n", roff(r.term))
		if i == len(rows)-1 || !literal(rows[i+1]) {
			out.WriteString(".fi\n.RE\n")
		}
	}
	return out.String()
}

// roffText is a paragraph, in lines that people can read.
func roffText(text string) string {
	var lines []string
	for _, line := range report.Wrap(text, 72) {
		lines = append(lines, roff(line))
	}
	return strings.Join(lines, "\n")
}

// roff is a line that troff shows as it is, and from which a command can be copied: no dash or quote is made a
// typographic one. Source: groff_char(7) and mandoc_char(7).
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, `"`, `\(dq`,
		"…", `\[u2026]`).Replace(text)
	if strings.HasPrefix(text, ".") {
		return `\&` + text
	}
	return text
}
