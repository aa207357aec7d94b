package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"runner-preflight/checks"
	"runner-preflight/report"
)

// list writes all checks and problems.
func list(c *cli.Context, p process) error {
	o, err := readOptions(c, p)
	if err != nil {
		return err
	}
	if err := noArguments(c); err != nil {
		return err
	}
	return written(report.ListFormats(o.text)[o.format](p.out, version, checks.All()))
}

// schema is a JSON Schema by the name of what it describes.
type schema struct {
	name string
	text func() []byte
}

func schemas() []schema {
	return []schema{
		{"report", report.Schema},
		{"allowlist", report.AllowlistSchema},
		{"list", report.ListSchema},
		{"ignores", checks.IgnoreSchema},
	}
}

func schemaNames() []string {
	var names []string
	for _, s := range schemas() {
		names = append(names, s.name)
	}
	return names
}

// printSchema writes the JSON Schema of one of the things that are written as JSON; of a report, unless another is named.
func printSchema(c *cli.Context, p process) error {
	name, err := oneArgument(c, schemaNames(), schemaNames()[0])
	if err != nil {
		return err
	}
	for _, s := range schemas() {
		if s.name == name {
			_, err = p.out.Write(s.text())
		}
	}
	return written(err)
}

// oneArgument is the argument of a command that takes one of a few; without one it is the fallback, if there is one.
func oneArgument(c *cli.Context, few []string, fallback string) (string, error) {
	name := c.Args().First()
	switch {
	case c.NArg() == 0 && fallback != "":
		return fallback, nil
	case c.NArg() != 1:
		return "", misused("", "%s takes one of %s", c.Command.Name, alternatives(few))
	}
	if err := oneOf(c.Command.Name, name, few); err != nil {
		return "", misused("", "%w", err)
	}
	return name, nil
}

// written says what kept a text from being written to standard output.
func written(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("writing to standard output: %s", reason(err))
}
