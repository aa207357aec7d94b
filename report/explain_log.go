package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"runner-preflight/checks"
	"runner-preflight/checks/source"
)

// mostMessages is how many messages of a log are explained: the newest ones tell why the runner stands still now.
const mostMessages = 3

// ExplainLog writes which problems print the messages that were found in a log, the likeliest first, what tells them
// apart, and the command that finds out. Of the log itself it shows nothing else: a log may hold secrets.
func ExplainLog(w io.Writer, all []checks.Check, found []checks.LogMatch, o TextOptions) error {
	p := newPage(o)
	for i, m := range found[:min(len(found), mostMessages)] {
		if i > 0 {
			p.line("")
		}
		p.message(m)
	}
	if more := len(found) - mostMessages; more > 0 {
		p.line("")
		p.paragraph("", "", checks.CountOf(more, "earlier message is", "earlier messages are")+" known too.", p.faint)
	}
	p.line("")
	p.paragraph("", "", "Which of them it is:", p.plain)
	for _, command := range findOut(all, found[0].Problems) {
		p.line("  %s", command)
	}
	p.line("")
	p.paragraph("", "", fmt.Sprintf("%s explain NAME says more of one.", tool), p.faint)
	_, err := io.WriteString(w, p.String())
	return err
}

// message writes one message with the problems that print it.
func (p *page) message(m checks.LogMatch) {
	where := fmt.Sprintf("line %d", m.Line)
	if m.Count > 1 {
		where += fmt.Sprintf(", %d times", m.Count)
	}
	p.line("%s  %s", p.bold.Sprint(source.Printable(m.Text)), p.faint.Sprint("("+where+")"))
	p.line("")
	switch len(m.Problems) {
	case 1:
		p.paragraph("", "", "One problem prints this:", p.plain)
	default:
		p.paragraph("", "", "These problems print it, the likeliest first:", p.plain)
	}
	p.names(m.Problems, "  ")
}

// findOut are the commands that tell which of some problems it is.
func findOut(all []checks.Check, problems []*checks.Problem) []string {
	var groups []string
	for _, check := range all {
		if slices.ContainsFunc(check.Problems, func(x *checks.Problem) bool { return slices.Contains(problems, x) }) {
			groups = append(groups, check.Group())
		}
	}
	groups = unique(groups)
	commands := []string{fmt.Sprintf("%s check --only %s run.sh", tool, strings.Join(groups, " --only "))}
	if slices.Contains(groups, "config") || slices.Contains(groups, "definition") {
		commands = append(commands, tool+" lint run.sh config.json")
	}
	return commands
}
