package checks

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"runner-preflight/checks/network"
)

var clockSkew = &Problem{
	ID:    "clock-skew",
	Title: "This machine's clock is wrong",
	Doc: "The Date headers of several hosts agree with each other and not with this machine's clock, " +
		"or several hosts' good certificates are outside their dates by it. Certificates and tokens " +
		"are judged by the clock: a few minutes off, tokens are refused; days off, every TLS " +
		"connection fails. Let the machine keep its time with NTP (UDP port 123).",
	Source:   "RFC 9110, section 6.6.1 (Date); sixty seconds are this tool's choice",
	Explains: []string{"tls-not-yet-valid", "tls-expired", "expired-password", "credentials-rejected"},
	Prints: []Print{
		{printsExpired, 2},
	},
}

var clockAccurate = Check{
	Name:  "clock-accurate",
	Title: "This machine's clock is right",
	Doc: "Compares the clock with the Date headers of the hosts that this runner needs. " +
		"No request is made for that alone.",
	Problems: []*Problem{clockSkew},
	Run:      runClockAccurate,
}

const (
	// maxSkew is how far the clock may be off.
	maxSkew = time.Minute
	// quorum is how many hosts have to agree: one may be wrong itself.
	quorum = 2
)

func runClockAccurate(ctx context.Context, h *Host) []Finding {
	if h.Offline {
		return []Finding{Skipped("clock", "no host was asked for the time: the network is not used here")}
	}
	demands := demandsOf(h)
	answers := lookAll(ctx, demands)
	var hosts []string
	var skews []time.Duration
	for _, a := range answers {
		if ahead, known := skewOf(a); known && !slices.Contains(hosts, a.Address) {
			hosts, skews = append(hosts, a.Address), append(skews, ahead)
		}
	}
	if len(hosts) < quorum {
		return []Finding{clockByCertificates(ctx, h, answers)}
	}
	slices.Sort(skews)
	median := skews[len(skews)/2]
	agree := 0
	for _, skew := range skews {
		if (skew - median).Abs() < maxSkew/2 {
			agree++
		}
	}
	if median.Abs() <= maxSkew || agree < quorum {
		return []Finding{Passed("clock", fmt.Sprintf("the clock agrees with that of %d hosts to the minute",
			len(hosts)))}
	}
	return []Finding{skewed(h, fmt.Sprintf("this machine's clock is %s by the clocks of %d hosts (%s)",
		direction(median), agree, listed(hosts)), answers).With("skew_seconds", int(median.Seconds()))}
}

// skewOf is how far this machine's clock is ahead of a host's. An answer out of a cache shows its origin's time.
func skewOf(a network.Answer) (ahead time.Duration, known bool) {
	if a.Failure != nil || a.Header.Get("Age") != "" || a.Certificate == nil {
		return 0, false
	}
	date, err := http.ParseTime(a.Header.Get("Date"))
	return a.Received.Sub(date), err == nil
}

// clockByCertificates judges the clock where it is so far off that no host could be asked: by the certificates that
// public authorities vouch for but for their dates.
func clockByCertificates(ctx context.Context, h *Host, answers []network.Answer) Finding {
	for _, kind := range []string{network.TLSNotYetValid, network.TLSExpired} {
		var hosts []string
		for _, a := range answers {
			if a.Failure != nil && a.Failure.Kind == kind && a.Certificate != nil && a.Certificate.Public &&
				isPublicHost(hostOfAddress(a.Address)) && !slices.Contains(hosts, a.Address) {
				hosts = append(hosts, a.Address)
			}
		}
		if len(hosts) >= quorum {
			// It then stops everything, and explains failures.
			return skewed(h,
				fmt.Sprintf("by this machine's clock (%s), %d public hosts' certificates are out of their dates (%s)",
					h.Now().UTC().Format("2006-01-02 15:04 UTC"), len(hosts), listed(hosts)), answers).As(Fail)
		}
	}
	if ctx.Err() != nil {
		return Unestablished(ctx, "clock", "too few hosts answered in time to compare the clock with theirs")
	}
	return Skipped("clock", fmt.Sprintf("fewer than %d hosts gave their time", quorum))
}

func skewed(h *Host, message string, answers []network.Answer) Finding {
	f := Warned(clockSkew, "clock", message,
		"set the clock, and have it kept by NTP; this machine takes the time to be "+
			h.Now().UTC().Format("2006-01-02 15:04 UTC")).Try("sudo timedatectl set-ntp true", "date -u")
	for _, a := range answers {
		f = f.Touching(HostPort(a.Address))
	}
	return f
}

// direction words a skew: "3m ahead", "2h0m behind".
func direction(ahead time.Duration) string {
	text := strings.TrimSuffix(ahead.Abs().Round(time.Minute).String(), "0s")
	if ahead > 0 {
		return text + " ahead"
	}
	return text + " behind"
}
