package check

import (
	"fmt"
	"io"

	"slipway/lambda/untrusted"
)

// WriteJSON prints the result as one indented JSON object.
func (r *Result) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

func writeJSON(w io.Writer, value any) error {
	return untrusted.WriteJSON(w, value)
}

// WriteText prints the result for people.
func (r *Result) WriteText(w io.Writer, color bool) error {
	p := &printer{untrusted.Printer{W: w, Color: color}}
	switch {
	case r.Against == "":
		p.line("No target branch: every script counts as new.")
	case r.Base == r.Tip:
		p.line("Against %s (%s)", r.Against, r.Tip)
	default:
		p.line("Against %s (%s; branched off at %s)", r.Against, r.Tip, r.Base)
	}
	for _, s := range r.Scripts {
		p.line("  %-8s %s", s.Change, s.Script)
	}
	if len(r.Scripts) == 0 {
		p.line("  no script differs")
	}
	p.line("")
	for _, f := range r.Findings {
		p.finding(f)
	}
	p.line("%s", r.Summary())
	if r.Count(func(f Finding) bool { return f.Fails() && waivable(f.Rule) }) > 0 {
		p.line("What is meant can be waived, above the statement: -- slipway:allow RULE because REASON")
	}
	return p.Err
}

// Summary is the outcome in one sentence.
func (r *Result) Summary() string {
	waived := r.Count(func(f Finding) bool { return f.Waived != "" })
	warnings := r.Count(func(f Finding) bool { return f.Level == Warning && f.Waived == "" })
	linted := fmt.Sprintf("%s linted", plural(r.Linted, "script"))
	if r.Linter == "" {
		linted = "no SQL linted"
	}
	return fmt.Sprintf("%s, %s, %d waived; %s", plural(r.Failures(), "error"), plural(warnings, "warning"), waived,
		linted)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

type printer struct{ untrusted.Printer }

func (p *printer) line(format string, args ...any) { p.Line(format, args...) }

func (p *printer) finding(f Finding) {
	word, code := string(f.Level), map[Level]int{Error: 31, Warning: 33, Note: 2}[f.Level]
	if f.Waived != "" {
		word, code = "waived", 2
	}
	p.line("%s: %s [%s]", f.At(), p.Paint(code, word), f.Rule)
	p.line("    %s", f.Message)
	switch {
	case f.Waived != "":
		p.line("    because %s", f.Waived)
	case f.Help != "":
		p.line("    %s", f.Help)
	}
}

// At is where the finding is: the script, with the line where it has one, or
// another file.
func (f Finding) At() string {
	if f.File != "" {
		return f.File
	}
	if f.Line > 0 {
		return fmt.Sprintf("%s:%d", f.Script, f.Line)
	}
	return f.Script
}
