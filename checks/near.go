package checks

import "unicode/utf8"

// Nearest returns the candidate that a typing mistake would most likely have made into name: at most a third of
// its letters, two at most, are wrong, missing, doubled or swapped. It returns "" when none is near, or name is
// one of them.
func Nearest(name string, candidates []string) string {
	best, least := "", min(2, len(name)/3)+1
	for _, candidate := range candidates {
		if candidate == name {
			return ""
		}
		if lettersApart(name, candidate) > 2*least {
			continue
		}
		if d := Distance(name, candidate); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// Distance counts the letters that have to be changed, added, taken away or swapped with their neighbour to make b
// of a (optimal string alignment).
func Distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	var last, row []int
	next := make([]int, len(y)+1)
	for j := range next {
		next[j] = j
	}
	row = next
	for i := 1; i <= len(x); i++ {
		next = make([]int, len(y)+1)
		next[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				next[j] = min(next[j], last[j-2]+1)
			}
		}
		last, row = row, next
	}
	return row[len(y)]
}

// lettersApart counts quickly by how many bytes two names differ, whatever their order: twice their Distance at most,
// where all letters are ASCII.
func lettersApart(a, b string) int {
	var counts [utf8.RuneSelf]int
	for i := range len(a) {
		counts[a[i]%utf8.RuneSelf]++
	}
	for i := range len(b) {
		counts[b[i]%utf8.RuneSelf]--
	}
	off := 0
	for _, n := range counts {
		off += max(n, -n)
	}
	return off
}
