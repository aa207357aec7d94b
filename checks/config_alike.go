package checks

import "fmt"

// mostAlike is how many findings of one problem and status a check makes about one config.json: nobody reads more,
// and a file may have a hundred thousand bad entries.
const mostAlike = 100

// alike gathers findings about one config.json, and makes one finding of those that are too many.
type alike struct {
	path  string
	kept  []Finding
	kinds []kindCount
}

// kindCount counts the findings of one problem and status.
type kindCount struct {
	problem *Problem
	status  Status
	count   int
	// more is the first that was not kept, and left how many were not.
	more Finding
	left int
}

func (a *alike) add(f Finding) { a.take(f, false) }

// addAll adds findings about an entry: all of them where an image gets it.
func (a *alike) addAll(e authEntry, findings []Finding) {
	for _, f := range findings {
		a.take(f, len(e.images) > 0)
	}
}

func (a *alike) take(f Finding, always bool) {
	k := a.kind(f)
	if k.count++; always || k.count <= mostAlike {
		a.kept = append(a.kept, f)
		return
	}
	if k.left++; k.left == 1 {
		k.more = f
	}
}

func (a *alike) kind(f Finding) *kindCount {
	for i := range a.kinds {
		if k := &a.kinds[i]; k.problem == f.Problem && k.status == f.Status {
			return k
		}
	}
	a.kinds = append(a.kinds, kindCount{problem: f.Problem, status: f.Status})
	return &a.kinds[len(a.kinds)-1]
}

// all are the findings in their order; those that say how many more there are stand at the end.
func (a *alike) all() []Finding {
	for _, k := range a.kinds {
		switch k.left {
		case 0:
			continue
		case 1:
			a.kept = append(a.kept, k.more)
			continue
		}
		f := found(k.status, k.problem, a.path, fmt.Sprintf("the same is wrong in %d more places, the first of them "+
			"here", k.left), "mend them in the same way"+restart)
		a.kept = append(a.kept, f.At(k.more.Location).Touching(Path(a.path)).With("places", k.left))
	}
	return a.kept
}
