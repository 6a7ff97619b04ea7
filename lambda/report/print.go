package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"slipway/lambda/untrusted"
)

// WriteJSON prints the report as one indented JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	return untrusted.WriteJSON(w, r)
}

// WriteText prints the report for people: where it ran, tables of scripts,
// and on failure what happened and what to do. With color, the outcome stands out.
func (r *Report) WriteText(w io.Writer, color bool) error {
	p := printer{Printer: untrusted.Printer{W: w, Color: color}}
	p.where(r)
	switch {
	case r.Command == "info" && r.OK():
		p.table("", r.Scripts, true)
		p.line("%s", r.Counts())
	case len(r.Applied) > 0:
		p.table(fmt.Sprintf("Applied (%d)", len(r.Applied)), r.Applied, false)
	}
	if len(r.Reverted) > 0 {
		title := "Reverted"
		if r.DryRun {
			title = "To be reverted"
		}
		p.table(fmt.Sprintf("%s (%d)", title, len(r.Reverted)), r.Reverted, false)
	}
	if len(r.Pending) > 0 && r.Command != "info" {
		p.table(fmt.Sprintf("Pending (%d)", len(r.Pending)), r.Pending[:min(len(r.Pending), maxPending)], false)
		if more := len(r.Pending) - maxPending; more > 0 {
			p.line("… and %d more", more)
		}
	}
	for _, action := range r.Actions {
		p.line("%s", action)
	}
	for _, warning := range r.Warnings {
		p.line("warning: %s", warning)
	}
	for _, reason := range r.Undecided {
		p.line("undecided: %s", reason)
	}
	p.outcome(r)
	return p.Err
}

// maxPending keeps a long list of what was not run from hiding what happened.
const maxPending = 20

// Counts is how many scripts of a report of info are applied and pending, in words.
func (r *Report) Counts() string {
	done := 0
	for _, s := range r.Scripts {
		if s.InstalledOn != nil && s.stands() {
			done++
		}
	}
	text := fmt.Sprintf("%d applied, %d pending", done, len(r.Pending))
	if n := r.undecided(); n > 0 {
		text += fmt.Sprintf(", %d of the applied undecided", n)
	}
	return text
}

// stands reports whether what the row of the history says still holds.
func (s Script) stands() bool {
	return s.Type != "DELETE" && s.State != "Deleted" && s.State != "Superseded" && s.State != "Outdated" &&
		!strings.HasPrefix(s.State, "Failed")
}

type printer struct {
	untrusted.Printer
	begun bool // nothing begins with an empty line
}

func (p *printer) line(format string, args ...any) {
	if p.begun || format != "" {
		p.begun = true
		p.Line(format, args...)
	}
}

func (p *printer) where(r *Report) {
	d := r.Database
	if d.Host == "" && d.Name == "" {
		return
	}
	server := ""
	if d.ServerVersion != "" {
		server = ", PostgreSQL " + d.ServerVersion
	}
	p.line("Database  %s on %s:%d as %s%s", d.Name, d.Host, d.Port, d.User, server)
	if r.Release != "" {
		p.line("Release   %s", r.Release)
	}
	if d.ServerVersion == "" {
		return // it was never reached
	}
	if r.SchemaVersionBefore != r.SchemaVersionAfter {
		p.line("Schema    %s → %s", orNone(r.SchemaVersionBefore), orNone(r.SchemaVersionAfter))
	} else {
		p.line("Schema    %s", orNone(r.SchemaVersionAfter))
	}
}

// table prints scripts in columns; state adds when, by whom and how far.
func (p *printer) table(title string, scripts []Script, state bool) {
	p.line("")
	if title != "" {
		p.line("%s", title)
	}
	t := tabwriter.NewWriter(p.W, 0, 8, 2, ' ', 0)
	head := "Version\tDescription\tType\tDuration"
	if state {
		head += "\tState\tInstalled on (UTC)"
	}
	fmt.Fprintln(t, head)
	for _, s := range scripts {
		row := []string{untrusted.Line(s.Version), untrusted.Line(s.Description), untrusted.Line(s.Type), ""}
		if s.Version == "" {
			row[0] = "R"
		}
		if s.InstalledOn != nil || (!state && !strings.HasPrefix(title, "Pending") && !strings.HasPrefix(title,
			"To be")) {
			row[3] = (time.Duration(s.Milliseconds) * time.Millisecond).String()
		}
		if state {
			on := ""
			if s.InstalledOn != nil {
				on = s.InstalledOn.UTC().Format(time.DateTime)
			}
			row = append(row, untrusted.Line(s.State), on)
		}
		fmt.Fprintln(t, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	if err := t.Flush(); p.Err == nil {
		p.Err = err
	}
}

func (p *printer) outcome(r *Report) {
	took := (time.Duration(r.DurationMs) * time.Millisecond).String()
	p.line("")
	if r.OK() {
		for _, problem := range r.Problems {
			p.line("  - %s", problem)
		}
		p.line("%s  %s, in %s", p.Paint(32, "OK"), r.done(), took)
		return
	}
	p.line("%s  after %s", p.Paint(31, string(r.Code)), took)
	if r.Script != "" {
		at := r.Script
		if r.Line > 0 {
			at += fmt.Sprintf(", line %d", r.Line)
		}
		p.line("script    %s", at)
	}
	if r.SQLState != "" {
		p.line("SQLSTATE  %s", r.SQLState)
	}
	p.line("%s", strings.TrimRight(r.Message, "\n"))
	for _, line := range r.Excerpt.Text(r.Line) {
		p.line("%s", line)
	}
	for _, problem := range r.Problems {
		if len(r.Problems) > 1 || !strings.Contains(r.Message, problem.Reason) {
			p.line("  - %s", problem)
		}
	}
	for _, b := range r.Blockers {
		p.line("  - %s", b)
	}
	if r.Next != "" {
		p.line("Next: %s", r.Next)
	}
	if r.Restore != "" {
		p.line("To restore the cluster as it was before, as a new cluster:\n  %s", r.Restore)
	}
}

// done says in words what a successful run did.
func (r *Report) done() string {
	switch r.Command {
	case "migrate":
		if len(r.Applied) == 0 {
			return "nothing is pending"
		}
		return fmt.Sprintf("%d applied, schema version %s", len(r.Applied), orNone(r.SchemaVersionAfter))
	case "validate":
		if len(r.Undecided) > 0 {
			return "no difference found; undecided is what only Flyway could tell"
		}
		return "history and release agree"
	case "info":
		return "schema version " + orNone(r.SchemaVersionAfter)
	case "repair":
		if r.DryRun {
			rows := "rows"
			if len(r.Actions) == 1 {
				rows = "row"
			}
			return fmt.Sprintf("%d %s of the history would be changed; nothing was changed", len(r.Actions), rows)
		}
	case "revert":
		if r.DryRun {
			return fmt.Sprintf("%d would be reverted, schema version then %s; nothing was changed", len(r.Reverted),
				orNone(r.SchemaVersionAfter))
		}
		return fmt.Sprintf("%d reverted, schema version %s", len(r.Reverted), orNone(r.SchemaVersionAfter))
	}
	return r.Command + " done"
}
