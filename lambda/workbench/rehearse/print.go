package rehearse

import (
	"fmt"
	"io"
	"strings"

	"slipway/lambda/untrusted"
)

// WriteJSON prints the report as one indented JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	return untrusted.WriteJSON(w, r)
}

// WriteText prints the report for people.
func (r *Report) WriteText(w io.Writer, color bool) error {
	p := &printer{untrusted.Printer{W: w, Color: color}}
	p.line("On PostgreSQL %s, %s; %s of the target branch ran first.", r.Server, r.Where(),
		plural(r.TargetScripts, "script"))
	if text := r.FilledText(); text != "" {
		p.line("%s", text)
	}
	for _, s := range r.Scripts {
		p.script(s)
	}
	if len(r.Scripts) == 0 && r.Failure == nil {
		p.line("\nNo script is new.")
	}
	p.undo(r)
	for _, warning := range r.Warnings {
		p.line("warning: %s", warning)
	}
	p.line("")
	if f := r.Failure; f != nil {
		if f.Server {
			p.line("%s could not be rehearsed: the throw-away server lacks what it needs.", f.Script)
		}
		p.line("%s  %s", p.Paint(31, f.Code), f.Text())
		for _, line := range f.Excerpt.Text(f.Line) {
			p.line("%s", line)
		}
		for _, problem := range f.Problems {
			p.line("  - %s", problem)
		}
		if f.Next != "" {
			p.line("Next: %s", f.Next)
		}
		return p.Err
	}
	p.line("%s", r.Summary())
	return p.Err
}

// Where says in words on what the scripts ran.
func (r *Report) Where() string {
	if r.Restored {
		return "on a restored copy"
	}
	return "a throw-away server"
}

// FilledText says which tables had rows, "" for a copy, which has its
// own, and for a target branch without scripts.
func (r *Report) FilledText() string {
	if r.Restored || r.TargetScripts == 0 {
		return ""
	}
	var total int64
	tables := 0
	var empty []string
	for _, f := range r.Filled {
		total += f.Rows
		if f.Rows > 0 {
			tables++
		} else {
			empty = append(empty, f.Table+" ("+strings.TrimSuffix(f.Reason, ".")+")")
		}
	}
	text := "All tables were empty: durations tell little, and what fails on rows does not show."
	if tables > 0 {
		text = fmt.Sprintf("%s made-up rows in %s.", thousands(total), plural(tables, "table"))
	}
	if more := len(empty) - 5; more > 0 {
		empty = append(empty[:5], fmt.Sprintf("%d more", more))
	}
	if len(empty) > 0 {
		text += " Left empty: " + strings.Join(empty, "; ") + "."
	}
	return text
}

// Summary is the outcome in one sentence.
func (r *Report) Summary() string {
	bad, tried := 0, 0
	for _, u := range r.Undo {
		if u.Skipped == "" {
			tried++
		}
		if u.Fails() {
			bad++
		}
	}
	text := fmt.Sprintf("%s ran", plural(len(r.Scripts), "new script"))
	switch {
	case bad > 0:
		text += fmt.Sprintf("; %d of %s not restore the schema", bad, plural(tried, "undo script")+
			map[bool]string{true: " does", false: " do"}[tried == 1])
	case tried > 0:
		text += fmt.Sprintf("; %s restore the schema", plural(tried, "undo script"))
	case r.UndoSkipped != "":
		text += "; no undo script was tried: " + r.UndoSkipped
	}
	return text
}

// Text is the failure in one sentence.
func (f *Failure) Text() string {
	at := f.Script
	if f.Line > 0 {
		at += fmt.Sprintf(", line %d", f.Line)
	}
	if f.SQLState != "" {
		at += " (SQLSTATE " + f.SQLState + ")"
	}
	return strings.TrimSpace(fmt.Sprintf("in %s: %s: %s", f.Where, at, strings.TrimSpace(f.Message)))
}

func (p *printer) script(s Script) {
	how := ""
	if !s.Transaction {
		how = ", outside a transaction"
	}
	failed := untrusted.Painted("")
	if s.Failed {
		failed = ", " + p.Paint(31, "failed")
	}
	p.line("\n%s  %s%s%s", s.Script, Duration(s.DurationMs), how, failed)
	for _, l := range s.Locks {
		waited := ""
		if l.Waited {
			waited = ", waited for"
		}
		p.line("  lock  %-20s %-24s held %s%s%s", l.Table, l.Mode, Duration(l.HeldMs), blocking(l), waited)
	}
	for _, t := range s.Rewritten {
		p.line("  %s %s", p.Paint(33, "rewritten"), t)
	}
	for _, t := range s.Emptied {
		p.line("  %s %s", p.Paint(33, "emptied"), t)
	}
	for _, r := range s.Rows {
		p.line("  rows  %-20s %s", r.Table, r.Text())
	}
}

func blocking(l Lock) string {
	if l.Blocks == "" {
		return ""
	}
	return ", keeps out " + l.Blocks
}

// Text is the counts that are not zero.
func (r Rows) Text() string {
	var parts []string
	for _, c := range []struct {
		n    int64
		what string
	}{{r.Inserted, "inserted"}, {r.Updated, "updated"}, {r.Deleted, "deleted"}} {
		if c.n > 0 {
			parts = append(parts, thousands(c.n)+" "+c.what)
		}
	}
	return strings.Join(parts, ", ")
}

func (p *printer) undo(r *Report) {
	for i, u := range r.Undo {
		if i == 0 {
			p.line("")
		}
		switch {
		case u.Skipped != "":
			p.line("undo  %s %s", u.Script, u.Skipped)
		case u.Restores:
			p.line("undo  %s restores the schema", u.Script)
		default:
			word := p.Paint(31, "does not restore the schema")
			if u.Waived != "" {
				word = untrusted.Painted(untrusted.Line("does not restore the schema, waived because " + u.Waived))
			}
			p.line("undo  %s %s", u.Script, word)
			for _, line := range u.Excerpt.Text(u.Line) {
				p.line("      %s", line)
			}
			for _, text := range []string{u.Message, u.Diff} {
				if text != "" {
					p.line("      %s", strings.ReplaceAll(text, "\n", "\n  "))
				}
			}
		}
	}
}

type printer struct{ untrusted.Printer }

func (p *printer) line(format string, args ...any) { p.Line(format, args...) }

// Duration prints milliseconds for people.
func Duration(ms float64) string {
	switch {
	case ms >= 60000:
		return fmt.Sprintf("%.1f min", ms/60000)
	case ms >= 1000:
		return fmt.Sprintf("%.1f s", ms/1000)
	case ms >= 10:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f ms", ms)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// thousands prints 1234567 as 1,234,567.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
