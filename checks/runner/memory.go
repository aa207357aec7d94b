package runner

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/docker/go-units"
)

// Memory is the option that limits the container's memory, and how many bytes it comes to. There are none
// where nothing limits it, where that is not known, and where docker, or Kubernetes, refuses what is written.
func (d *Definition) Memory() (limit Option, bytes int64) {
	for _, o := range d.Options {
		if o.Long == "memory" {
			limit = o // of several the last wins
		}
	}
	if limit.Value.Unresolved != "" {
		return Option{}, 0
	}
	return limit, d.Dialect.bytes(limit.Value.Value)
}

// bytes is an amount of memory as the dialect has its units; 0 for one that is none.
func (d Dialect) bytes(amount string) int64 {
	if d == Kubernetes {
		return quantity(amount)
	}
	n, err := units.RAMInBytes(amount) // docker's, compose's and Podman's; of systemd's all but shares
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// quantityForm matches a quantity of Kubernetes: a number with a suffix or an exponent.
var quantityForm = regexp.MustCompile(`^\+?(\d+\.?\d*|\.\d+)` +
	`(?:([KMGTPE]i|[numkMGTPE])|([eE][+-]?\d{1,2}))?$`)

// quantity is a quantity of Kubernetes in whole bytes, rounded up; 0 for what is none.
// Source: Kubernetes' API, Quantity.
func quantity(amount string) int64 {
	found := quantityForm.FindStringSubmatch(amount)
	if found == nil {
		return 0
	}
	number, err := strconv.ParseFloat(found[1]+found[3], 64)
	if err != nil {
		return 0
	}
	prefix, binary := strings.CutSuffix(found[2], "i")
	base, power := 1000.0, 0
	if binary {
		base, prefix = 1024, strings.Replace(prefix, "K", "k", 1)
	}
	if prefix != "" {
		power = strings.Index("num kMGTPE", prefix) - 3
	}
	return int64(min(math.Ceil(number*math.Pow(base, float64(power))), math.MaxInt64/2))
}

// memory reads the limits of memory. Compose takes two only if they say the same. Source: compose-go,
// loader/validate.go.
func (s *composeService) memory() {
	own, deployed := s.last("mem_limit"), member{}
	limits := false
	for _, layer := range s.all("deploy") {
		at := layer.keys["deploy"].value.at("resources", "limits")
		limits = limits || at.isMapping()
		if m := at.member("memory"); m.value.isScalar() {
			deployed = m
		}
	}
	var amounts []Text
	for _, m := range []member{own, deployed} {
		if !m.value.isScalar() || m.value.isNull() {
			continue
		}
		s.option(m.key, "memory", s.text(m.value))
		amounts = append(amounts, s.d.Options[len(s.d.Options)-1].Value)
	}
	if own.value.isScalar() && limits && differ(amounts) {
		s.d.Mistakes = append(s.d.Mistakes, Mistake{
			Kind: Unreadable, Place: amounts[0].Place, Loses: true,
			Detail: "the limits of deploy say something else of memory, and compose refuses two that differ",
			Near:   "it once: mem_limit, or memory under the limits of deploy",
		})
	}
}

// differ tells whether a limit of memory is known to be another than the one beside it, or has none beside
// it.
func differ(amounts []Text) bool {
	first := Compose.bytes(amounts[0].Value)
	switch {
	case amounts[0].Unresolved != "" || first == 0:
		return false
	case len(amounts) == 1:
		return true
	}
	return amounts[1].Unresolved == "" && Compose.bytes(amounts[1].Value) != first
}
