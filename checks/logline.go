package checks

import (
	"cmp"
	"iter"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// Print is what a program prints when a problem stops a runner: docker's daemon, its CLI, or the runner itself.
type Print struct {
	// Pattern is a regular expression (RE2) for a part of the line, whatever its capitals. It matches nothing that
	// may be secret, as what it matches is shown.
	Pattern string
	// Rank orders the problems that print such a line: the likeliest has 1.
	Rank int
}

// Messages that several problems print.
const (
	printsUnparsed      = `failed to parse docker config(uration file|\.json)`
	printsNoCredentials = `no basic auth credentials`
	printsNoFolder      = `error while creating mount source path`
	printsDirectory     = `trying to mount a directory onto a file`
	printsUnauthorized  = `(unauthorized|error from registry): (authentication required|` +
		`incorrect username or password|access token has insufficient scopes)|` +
		`unexpected status from (HEAD|GET) request to \S+: 401 unauthorized`
	printsExpired = `x509: certificate has expired or is not yet valid|` +
		`CertificateExpiredException|CertificateNotYetValidException`
	printsInvalidAuth = `invalid auth configuration file`
	printsNoAccess    = `pull access denied`
	printsDenied      = `denied: requested access to the resource is denied|insufficient_scope`
	printsNoToken     = `failed to fetch (anonymous|oauth) token|error getting token|failed to authorize`
	printsForbidden   = `unexpected status from (HEAD|GET) request to \S+: 403 forbidden`
	printsPage        = `error (parsing HTTP \d+ response body|unmarshalling content: invalid character)|` +
		`denied: <(html|!doctype)|(unexpected media type|no default available:) text/html`
	printsServerError = `(received|got) unexpected HTTP status: 5\d\d|50[0234] (internal server error|` +
		`bad gateway|service unavailable|gateway time-?out)`
	printsClear = `server gave HTTP response to HTTPS client|` +
		`unsupported or unrecognized SSL message|first record does not look like a TLS handshake`
	printsNotFound         = `failed to resolve reference "\S+": \S+: not found`
	printsInvalidReference = `invalid reference format`
	printsRefused          = `connection refused`
	printsTimeout          = `Client\.Timeout exceeded|dial tcp \S+ i/o timeout|connect(ion)? timed out|` +
		`ConnectTimeoutException|context deadline exceeded`
	printsNoRoute          = `no route to host|network is unreachable`
	printsProxy            = `proxyconnect tcp`
	printsReset            = `connection reset by peer|connection reset`
	printsUnknownAuthority = `x509: certificate signed by unknown authority`
	printsNoPath           = `PKIX path building failed|unable to find valid certification path`
	printsOtherName        = `x509: certificate is (valid for|not valid for any names)|` +
		`no subject alternative (DNS )?names? matching`
	printsUnknownFlag = `unknown (shorthand )?flag:`
	printsNoImage     = `requires at least 1 argument`
)

// LogMatch is one message that was found in a log.
type LogMatch struct {
	// Text is the part of the line that is known, cut if it is long, without the password of a URL.
	Text string
	// Line counts from 1: the last line in which the message stands, of Count.
	Line, Count int
	// Problems print such a line, the likeliest first.
	Problems []*Problem
}

// MatchLog finds known messages in the lines of a log. Messages come in the order of their last lines, the newest
// first, as a runner that fails says the same again and again.
func MatchLog(all []Check, lines iter.Seq[string]) []LogMatch {
	var found []LogMatch
	patterns, i := printed(all), -1
	least := shortestNeedle(patterns)
	for line := range lines {
		if i++; len(line) < least {
			continue
		}
		text, problems := matchLine(patterns, line[:min(len(line), maxLogLine)])
		if len(problems) == 0 {
			continue
		}
		same := func(m LogMatch) bool { return slices.Equal(m.Problems, problems) }
		if at := slices.IndexFunc(found, same); at >= 0 {
			found[at].Text, found[at].Line = text, i+1
			found[at].Count++
			continue
		}
		found = append(found, LogMatch{text, i + 1, 1, problems})
	}
	slices.SortStableFunc(found, func(a, b LogMatch) int { return b.Line - a.Line })
	return found
}

// maxLogLine is how much of a line is looked at: a stack trace in one line, and no more.
const maxLogLine = 16 << 10

// pattern is one pattern with the problems that have it.
type pattern struct {
	*regexp.Regexp
	problems []ranked
	// needles are in lower case: what it matches has one of them, which is found out a hundred times as fast. There are
	// none where that is not known.
	needles []string
}

type ranked struct {
	*Problem
	rank int
}

// mayMatch tells whether a line, in lower case, has what the pattern needs.
func (p pattern) mayMatch(lower string) bool {
	return len(p.needles) == 0 ||
		slices.ContainsFunc(p.needles, func(needle string) bool { return strings.Contains(lower, needle) })
}

// needlesOf are texts of which each match of a pattern has one, nil if there are none that say much.
func needlesOf(pattern string) []string {
	parsed, err := syntax.Parse("(?i)"+pattern, syntax.Perl)
	if err != nil {
		return nil
	}
	return needlesIn(parsed)
}

func needlesIn(r *syntax.Regexp) []string {
	switch r.Op {
	case syntax.OpLiteral:
		return []string{strings.ToLower(string(r.Rune))}
	case syntax.OpCapture, syntax.OpPlus:
		return needlesIn(r.Sub[0])
	case syntax.OpConcat:
		var best []string
		for _, sub := range r.Sub {
			if needles := needlesIn(sub); shortest(needles) > shortest(best) {
				best = needles
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range r.Sub {
			needles := needlesIn(sub)
			if needles == nil {
				return nil
			}
			all = append(all, needles...)
		}
		return all
	default:
		return nil
	}
}

// shortestNeedle is how long a line must be for any pattern to match it.
func shortestNeedle(patterns []pattern) int {
	least := maxLogLine
	for _, p := range patterns {
		least = min(least, shortest(p.needles))
	}
	return least
}

// shortest is the length of the shortest of some texts, 0 for none.
func shortest(texts []string) int {
	if len(texts) == 0 {
		return 0
	}
	return len(slices.MinFunc(texts, func(a, b string) int { return len(a) - len(b) }))
}

// printed are all patterns of the problems, each once.
func printed(all []Check) []pattern {
	var patterns []pattern
	at := map[string]int{}
	for _, problem := range Problems(all) {
		for _, p := range problem.Prints {
			i, known := at[p.Pattern]
			if !known {
				i = len(patterns)
				at[p.Pattern] = i
				patterns = append(patterns, pattern{Regexp: regexp.MustCompile("(?i)" + p.Pattern), needles: needlesOf(p.Pattern)})
			}
			patterns[i].problems = append(patterns[i].problems, ranked{problem, p.Rank})
		}
	}
	return patterns
}

// matchLine finds what a line says. Of several messages in it the last counts: a chain of errors ends with its cause.
func matchLine(patterns []pattern, line string) (text string, problems []*Problem) {
	last := -1
	var found []ranked
	lower := strings.ToLower(line)
	for _, p := range patterns {
		if !p.mayMatch(lower) {
			continue
		}
		at := p.FindStringIndex(line)
		switch {
		case at == nil || at[0] < last:
		case at[0] == last:
			found = append(found, p.problems...)
			if at[1]-at[0] > len(text) {
				text = line[at[0]:at[1]]
			}
		default:
			last, text, found = at[0], line[at[0]:at[1]], slices.Clone(p.problems)
		}
	}
	slices.SortStableFunc(found, func(a, b ranked) int { return cmp.Compare(a.rank, b.rank) })
	for _, r := range found {
		if !slices.Contains(problems, r.Problem) {
			problems = append(problems, r.Problem)
		}
	}
	return clip(strings.TrimSpace(text)), problems
}
