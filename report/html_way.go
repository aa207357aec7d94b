package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"runner-preflight/checks"
	"runner-preflight/checks/network"
)

// htmlWay is the picture of the ways to hosts: their phases as bars on one axis of time.
type htmlWay struct {
	Rows   []htmlWayRow
	Ticks  []htmlTick
	Legend []htmlPhase
	// Clipped says that bars go on beyond the axis; empty when none does.
	Clipped string
}

type htmlPhase struct{ Phase, Words string }

// htmlTick is a mark of the axis; X is in percent.
type htmlTick struct{ X, Words, Anchor string }

type htmlWayRow struct {
	ID                  int
	Status              htmlStatus
	Address, Who, Proxy string
	Bars                []htmlBar
	Mark                *htmlMark
	Beyond              bool
	// Times say in words what the bars show.
	Times, Broken, Problem string

	connection *checks.Connection
	status     checks.Status
}

// htmlBar is a phase; X and Width are in percent of the axis.
type htmlBar struct{ Phase, X, Width string }

// htmlMark is where a way ends: a cross at X, on the Left of it where there is no room on the right.
type htmlMark struct {
	From, Width, X string
	Left           bool
}

// htmlWayOf draws every connection of the report, those with trouble first; nil when there is none.
func htmlWayOf(r Report) *htmlWay {
	rows := wayRows(r)
	if len(rows) == 0 {
		return nil
	}
	slices.SortStableFunc(rows, func(a, b htmlWayRow) int {
		return cmp.Or(compareBool(b.connection.Broken != "", a.connection.Broken != ""), cmp.Compare(b.status, a.status))
	})
	end, step := axis(rows)
	way := &htmlWay{Rows: rows, Legend: []htmlPhase{
		{"dns", "the name is looked up"},
		{"tcp", "a connection is made"},
		{"proxy", "the proxy lets it through"},
		{"tls", "who is there is proved"},
		{"http", "the answer’s first byte comes"},
	}}
	for at := time.Duration(0); at <= end; at += step {
		tick := htmlTick{percent(at, end), axisWords(at, step), "middle"}
		switch at {
		case 0:
			tick.Anchor = "start"
		case end:
			tick.Anchor, tick.Words = "end", tick.Words+" ms"
		}
		way.Ticks = append(way.Ticks, tick)
	}
	for i := range rows {
		rows[i].ID = i + 1
		rows[i].draw(end)
		if rows[i].Beyond {
			way.Clipped = "The axis ends where the slowest host that answers does: torn bars go on beyond it."
		}
	}
	return way
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// wayRows are the connections of a report, in its order: what is said several times of one is drawn once, with the
// worst of it.
func wayRows(r Report) []htmlWayRow {
	index := map[string]int{}
	var rows []htmlWayRow
	for _, result := range r.Results {
		for _, f := range result.Findings {
			c := f.Connection
			if c == nil {
				continue
			}
			key := fmt.Sprintf("%q %q %q %v %q", c.Address, c.By, c.Proxy, c.Phases, c.Broken)
			i, known := index[key]
			if !known {
				i = len(rows)
				index[key], rows = i, append(rows, wayRow(c))
			}
			if row := &rows[i]; !known || f.Status > row.status {
				row.status, row.Status, row.Problem = f.Status, htmlStatusOf(f.Status), entry{Finding: f}.troubleID()
			}
		}
	}
	return rows
}

// troubleID is the ID of what was found; empty on a pass and a skip.
func (f entry) troubleID() string {
	if !f.trouble() {
		return ""
	}
	return f.id()
}

func wayRow(c *checks.Connection) htmlWayRow {
	var who []string
	for _, actor := range c.By {
		if actor != "" {
			who = append(who, "the "+strings.TrimPrefix(actor, "the "))
		}
	}
	text := strings.Join(who, " and ")
	if why := strings.Join(c.Why, ", "); why != "" {
		text = strings.TrimPrefix(text+": "+why, ": ")
	}
	return htmlWayRow{
		Address: legible(c.Address), Who: legible(text), Proxy: legible(c.Proxy), Broken: string(c.Broken),
		Times: wayTimes(c.Phases), connection: c,
	}
}

// wayTimes is a bar in words: "dns 2.1 + tcp 14 = 16 ms".
func wayTimes(steps []network.Step) string {
	var parts []string
	total := time.Duration(0)
	for _, step := range steps {
		parts = append(parts, string(step.Phase)+" "+shortMS(step.Duration))
		total += step.Duration
	}
	switch len(parts) {
	case 0:
		return "no phase was entered"
	case 1:
		return parts[0] + " ms"
	}
	return strings.Join(parts, " + ") + " = " + shortMS(total) + " ms"
}

// shortMS is a duration in milliseconds, with one decimal where it is short.
func shortMS(d time.Duration) string {
	ms := max(0, float64(d.Microseconds())/1000)
	if ms < 9.95 {
		return strconv.FormatFloat(ms, 'f', 1, 64)
	}
	return checks.Thousands(int(math.Round(ms)))
}

// axis is where the axis ends, and its step. It is as long as the slowest way that leads somewhere: what was waited
// for in vain would make all else too short to see.
func axis(rows []htmlWayRow) (end, step time.Duration) {
	var answered, waited time.Duration
	for _, row := range rows {
		total := time.Duration(0)
		for _, s := range row.connection.Phases {
			total += s.Duration
		}
		if waited = max(waited, total); row.connection.Broken == "" {
			answered = max(answered, total)
		}
	}
	longest := max(cmp.Or(answered, waited), time.Millisecond)
	step = time.Millisecond / 5
	for i := 0; longest > 5*step; i++ {
		step = step * []time.Duration{5, 2, 2}[i%3] / []time.Duration{2, 1, 1}[i%3]
	}
	return (longest + step - 1) / step * step, step
}

func axisWords(at, step time.Duration) string {
	if step < time.Millisecond {
		return strconv.FormatFloat(float64(at.Microseconds())/1000, 'f', 1, 64)
	}
	return checks.Thousands(int(at.Milliseconds()))
}

// percent is a time as part of the axis, of which nothing is beyond the end.
func percent(at, end time.Duration) string {
	return strconv.FormatFloat(100*min(1, float64(at)/float64(end)), 'f', 2, 64)
}

// draw makes the bars of a row on an axis that ends there.
func (row *htmlWayRow) draw(end time.Duration) {
	at := time.Duration(0)
	c := row.connection
	for i, step := range c.Phases {
		from, to := min(at, end), min(at+step.Duration, end)
		at += step.Duration
		if step.Phase == c.Broken && i == len(c.Phases)-1 {
			row.Mark = &htmlMark{From: percent(from, end), Width: percent(to-from, end)}
			break
		}
		if to > from {
			row.Bars = append(row.Bars, htmlBar{string(step.Phase), percent(from, end), percent(to-from, end)})
		}
	}
	row.Beyond = at > end
	if c.Broken == "" {
		return
	}
	if row.Mark == nil {
		row.Mark = &htmlMark{From: percent(at, end), Width: "0"}
	}
	row.Mark.X, row.Mark.Left = percent(at, end), at > end*9/10
}
