package checks

import (
	"slices"
	"strconv"
	"strings"
)

// Thousands is a number with a comma before every three digits.
func Thousands(n int) string {
	digits := strconv.Itoa(n)
	var parts []string
	for len(digits) > 3 {
		parts = append(parts, digits[len(digits)-3:])
		digits = digits[:len(digits)-3]
	}
	parts = append(parts, digits)
	slices.Reverse(parts)
	return strings.Join(parts, ",")
}

// CountOf is a number with its noun in the singular or plural, as "1 warning" and "99,980 warnings".
func CountOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Thousands(n) + " " + many
}

// Few joins the first of many with commas and says how many more there are.
func Few(all []string, most int) string {
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return strings.Join(all[:most], ", ") + " and " + Thousands(len(all)-most) + " more"
}

// listed joins names for a sentence, and cuts a long list short.
func listed(names []string) string {
	const most = 3
	if n := len(names); n > 1 && n <= most {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return Few(names, most)
}
