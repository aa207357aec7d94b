package main

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"runner-preflight/checks"
	"runner-preflight/report"
)

// completions are the scripts that make shells ask completeCommand; each file is named after its shell.
//
//go:embed completions
var completions embed.FS

// completeCommand is the command that the scripts run:
//
//	runner-preflight __complete =CURRENT WORD…
//
// CURRENT is the word under the cursor, up to it; the WORDs are those before it, without the tool's name. The first line
// that it prints is "files" where the name of a file may stand, else "none"; the others are what CURRENT may become, each
// with a tab and what it means. What ends in = is to be continued.
const completeCommand = "__complete"

// shells are those that there is a script for.
func shells() []string { return []string{"bash", "zsh", "fish", "powershell"} }

// completion writes a shell's script.
func completion(c *cli.Context, p process) error {
	shell, err := oneArgument(c, shells(), "")
	if err != nil {
		return err
	}
	script, err := completions.ReadFile("completions/" + shell)
	if err != nil {
		return err
	}
	_, err = p.out.Write(script)
	return written(err)
}

// completionEntry is what the scripts ask. It never fails: a shell has nowhere to show an error.
func completionEntry(p process) *cli.Command {
	return &cli.Command{
		Name: completeCommand, Hidden: true, HideHelp: true, SkipFlagParsing: true,
		Action: func(c *cli.Context) error {
			current, marked := strings.CutPrefix(c.Args().First(), "=")
			if !marked {
				return misused("try runner-preflight completion bash", "%s is for the scripts of completion", completeCommand)
			}
			proposed := propose(c.App.Commands, c.Args().Tail(), current)
			kind := "none"
			if proposed.files {
				kind = "files"
			}
			fmt.Fprintln(p.out, kind)
			for _, w := range proposed.words {
				if strings.HasPrefix(w.text, current) && (w.text != current || !strings.HasSuffix(current, "=")) {
					fmt.Fprintf(p.out, "%s\t%s\n", w.text, p.spelled(p.out, w.meaning))
				}
			}
			return nil
		},
	}
}

// word is something that may stand on a command line, and what it means.
type word struct{ text, meaning string }

// proposals are what may stand at one place of a command line.
type proposals struct {
	words []word
	files bool
}

// propose says what may stand behind the words before.
func propose(commands []*cli.Command, before []string, current string) proposals {
	if len(before) == 0 && !strings.HasPrefix(current, "-") {
		return proposals{append(commandWords(commands), word{"help", "print the help of a command"}), true}
	}
	if len(before) > 0 && before[0] == "help" {
		if len(before) == 1 {
			return proposals{words: commandWords(commands)}
		}
		return proposals{}
	}
	command := commands[slices.IndexFunc(commands, func(c *cli.Command) bool { return c.Name == "check" })]
	if len(before) == 0 {
		all := proposeFor(command, nil, current)
		all.words = append(all.words, word{"--version", "print the version"})
		return all
	}
	for _, c := range commands {
		if c.Name == before[0] {
			return proposeFor(c, before[1:], current)
		}
	}
	return proposeFor(command, before, current)
}

func commandWords(commands []*cli.Command) []word {
	var words []word
	for _, c := range commands {
		if !c.Hidden {
			words = append(words, word{c.Name, c.Usage})
		}
	}
	return words
}

// proposeFor says what may stand behind a command and the words before: the value of a flag, another flag, an argument.
func proposeFor(c *cli.Command, before []string, current string) proposals {
	var waiting cli.Flag
	var given []string
	for i, w := range before {
		switch {
		case waiting != nil:
			waiting = nil
		case w == "--":
			return arguments(c, len(before)-i-1)
		case w == "-", !strings.HasPrefix(w, "-"):
			return arguments(c, len(before)-i)
		default:
			flag, value := flagOf(c, w)
			if given = append(given, flagName(flag)); !value {
				waiting = flag
			}
		}
	}
	name, _, whole := strings.Cut(current, "=")
	switch {
	case waiting != nil:
		return values(c, waiting, "")
	case whole && strings.HasPrefix(current, "-"):
		if flag, _ := flagOf(c, name); flag != nil {
			return values(c, flag, name+"=")
		}
		return proposals{}
	case strings.HasPrefix(current, "-"):
		return proposals{words: flagWords(c, given)}
	}
	return arguments(c, 0)
}

// flagOf is the flag that a word names, nil if the command has none such, and whether the word holds all of it: its
// value too, if it takes one.
func flagOf(c *cli.Command, w string) (flag cli.Flag, whole bool) {
	name, _, whole := strings.Cut(strings.TrimLeft(w, "-"), "=")
	for _, flag := range c.Flags {
		if slices.Contains(flag.Names(), name) {
			takes := flag.(cli.DocGenerationFlag).TakesValue()
			return flag, whole || !takes
		}
	}
	return nil, true
}

func flagName(flag cli.Flag) string {
	if flag == nil {
		return ""
	}
	return flag.Names()[0]
}

// flagWords are the flags of a command that may be given, or given again.
func flagWords(c *cli.Command, given []string) []word {
	var words []word
	for _, flag := range c.Flags {
		if _, repeatable := flag.(*cli.StringSliceFlag); !repeatable && slices.Contains(given, flagName(flag)) {
			continue
		}
		_, usage := valueName(flag.(cli.DocGenerationFlag))
		words = append(words, word{"--" + flagName(flag), strings.TrimSpace(usage)})
	}
	return append(words, word{"--help", "print the help of this command"})
}

// values are what a flag may be set to, each behind a prefix. The name that help gives the value tells what it is.
func values(c *cli.Command, flag cli.Flag, prefix string) proposals {
	name, _ := valueName(flag.(cli.DocGenerationFlag))
	var all proposals
	switch {
	case name == "NAME=PATH":
		for _, format := range report.FormatNames() {
			all.words = append(all.words, word{format + "=", "a report of this format, into a file"})
		}
		all.files = true
	case flagName(flag) == "format" && name == "NAME":
		all = few(formatNames(c))
	case name == "OS/ARCH":
		all = few([]string{"linux/amd64", "linux/arm64"})
	default:
		all = valuesNamed(name)
	}
	for i := range all.words {
		all.words[i].text = prefix + all.words[i].text
	}
	return all
}

// formatNames are the formats of a command's --format.
func formatNames(c *cli.Command) []string {
	if c.Name == "allowlist" {
		return allowlistFormats()
	}
	return report.FormatNames()
}

// arguments are what may stand behind a command's flags and so many arguments.
func arguments(c *cli.Command, before int) proposals {
	name := strings.Trim(c.ArgsUsage, "[]")
	if before > 0 && !strings.HasSuffix(name, "…") {
		return proposals{}
	}
	return valuesNamed(name)
}

// valuesNamed are the values that help gives a name: a|b are all that there are, NAME is that of a check or a problem.
func valuesNamed(name string) proposals {
	switch {
	case strings.HasPrefix(name, "FILE"):
		return proposals{files: true}
	case strings.Contains(name, "|"):
		return few(strings.Split(name, "|"))
	case name == "NAME":
		return proposals{words: checkWords()}
	}
	return proposals{files: name == "PATH" || name == "LIST"}
}

func few(texts []string) proposals {
	var all proposals
	for _, text := range texts {
		all.words = append(all.words, word{text: text})
	}
	return all
}

// checkWords are all groups, checks and problems.
func checkWords() []word {
	meanings := map[string]string{}
	for _, check := range checks.All() {
		meanings[check.Group()] = "a group of checks"
		meanings[check.Name] = check.Title
	}
	for _, problem := range checks.Problems(checks.All()) {
		meanings[problem.ID] = problem.Title
	}
	var words []word
	for _, name := range checks.Names(checks.All()) {
		words = append(words, word{name, meanings[name]})
	}
	return words
}
