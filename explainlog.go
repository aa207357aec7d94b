package main

import (
	"bufio"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"runner-preflight/checks"
	"runner-preflight/report"
)

// maxLog is how much of a log is read: what counts stands at its end, and nobody pipes more into a tool on purpose.
const maxLog = 64 << 20

// explainLog says which problems print the messages of a log: of standard input for "-", else of the words given.
func explainLog(c *cli.Context, p process, o options) error {
	words := c.Args().Slice()
	lines := strings.Split(strings.Join(words, " "), "\n")
	if slices.Equal(words, []string{"-"}) {
		var err error
		if lines, err = logLines(p.in); err != nil {
			return misused("", "reading standard input: %s", reason(err))
		}
	}
	all := checks.All()
	found := checks.MatchLog(all, lines)
	if len(found) == 0 {
		p.complain(misused("runner-preflight check finds out without a log",
			"no message that this tool knows is in %s", counted(len(lines))))
		return exitCode(exitUnestablished)
	}
	return written(report.ExplainLog(p.out, all, found, o.text))
}

func counted(lines int) string {
	if lines == 1 {
		return "this line"
	}
	return "these lines"
}

// logLines reads a log, of which a line may be of any length: of that the beginning is kept.
func logLines(in io.Reader) ([]string, error) {
	var lines []string
	reader := bufio.NewReaderSize(io.LimitReader(in, maxLog), 64<<10)
	for {
		line, more, err := reader.ReadLine()
		switch {
		case err == io.EOF:
			return lines, nil
		case err != nil:
			return nil, err
		}
		lines = append(lines, string(line))
		for more && err == nil {
			_, more, err = reader.ReadLine()
		}
	}
}

// isMessage tells words of a log from names: they have a blank, or what no name has, or there are several of which the
// first is no name.
func isMessage(words, names []string) bool {
	switch len(words) {
	case 0:
		return false
	case 1:
		return words[0] == "-" || strings.ContainsAny(words[0], " \t\n:=\"'")
	}
	return !slices.Contains(names, words[0])
}
