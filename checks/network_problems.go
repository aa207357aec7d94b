package checks

// networkProblem is the problem that a kind of network failure is.
func networkProblem(kind string) *Problem {
	return &Problem{ID: kind, Title: kind}
}
