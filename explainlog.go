package main

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"runner-preflight/checks"
	"runner-preflight/report"
)

// explainLog says which problems print the messages of a log: of standard input for "-", else of the words given.
func explainLog(c *cli.Context, p process, o options) error {
	words := c.Args().Slice()
	log := io.Reader(strings.NewReader(strings.Join(words, " ")))
	if slices.Equal(words, []string{"-"}) {
		log = p.in
	}
	all, lines := checks.All(), logLines{in: log}
	found := checks.MatchLog(all, lines.all)
	if lines.err != nil {
		return misused("", "reading standard input: %s", reason(lines.err))
	}
	if len(found) == 0 {
		p.complain(misused("runner-preflight check finds out without a log",
			"no message that this tool knows is in %s", counted(lines.count)))
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

// logLines are those of a log of any length, of which nothing is kept: what counts stands at its end. A line may be of any
// length too, and its beginning is read.
type logLines struct {
	in io.Reader
	// count is how many were read, err why no more could be.
	count int
	err   error
}

func (l *logLines) all(yield func(string) bool) {
	reader := bufio.NewReaderSize(l.in, 64<<10)
	for {
		line, more, err := reader.ReadLine()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				l.err = err
			}
			return
		}
		l.count++
		text := string(line)
		for more && err == nil {
			_, more, err = reader.ReadLine()
		}
		if !yield(text) {
			return
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
