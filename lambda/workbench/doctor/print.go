package doctor

import (
	"fmt"
	"io"
	"strings"

	"slipway/lambda/untrusted"
)

// ExitCode is 1 where something is wrong, else 3 where something could not be
// looked at, else 0. A warning changes nothing.
func (d Diagnosis) ExitCode() int {
	switch {
	case d.count(Wrong) > 0:
		return 1
	case d.count(Unchecked) > 0:
		return 3
	}
	return 0
}

func (d Diagnosis) count(s State) int {
	n := 0
	for _, r := range d.Rows {
		if r.State == s {
			n++
		}
	}
	return n
}

// WriteJSON prints the diagnosis as one indented JSON object.
func (d Diagnosis) WriteJSON(w io.Writer) error { return untrusted.WriteJSON(w, d) }

// colors of ANSI's.
var colors = map[State]int{OK: 32, Warning: 33, Wrong: 31, Unchecked: 36}

// WriteText prints a table for people: each part on a line, its next step below.
func (d Diagnosis) WriteText(w io.Writer, color bool) error {
	p := untrusted.Printer{W: w, Color: color}
	width := 0
	for _, r := range d.Rows {
		width = max(width, len(untrusted.Line(r.Part)))
	}
	for _, r := range d.Rows {
		p.Line("%s  %-*s  %s", p.Paint(colors[r.State], fmt.Sprintf("%-9s", r.State)), width, untrusted.Line(r.Part),
			untrusted.Line(r.Found))
		if r.Next != "" {
			p.Line("%11s%-*s  → %s", "", width, "", untrusted.Line(r.Next))
		}
	}
	var counts []string
	for _, s := range []State{Wrong, Warning, Unchecked, OK} {
		if n := d.count(s); n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, s))
		}
	}
	p.Line("")
	p.Line("%s: %s", d.Environment, strings.Join(counts, ", "))
	return p.Err
}
