package report

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"slipway/lambda/untrusted"
)

// Failure is an error that a Report can be made of. Message says what went
// wrong and Next, in one sentence, what to do.
type Failure struct {
	Code     Code
	Message  string
	NextStep string
	Script   string
	Line     int
	SQLState string
	Excerpt  *Excerpt // where in the script
	Problems []Problem
	Blockers []Blocker
	Err      error // the cause, if there is one; its text is in Message already
}

// Failf makes a Failure; an %w in the format becomes its cause.
func Failf(code Code, format string, args ...any) *Failure {
	err := fmt.Errorf(format, args...)
	return &Failure{Code: code, Message: err.Error(), Err: errors.Unwrap(err)}
}

// Next sets the next step and returns the same Failure.
func (f *Failure) Next(step string) *Failure {
	f.NextStep = step
	return f
}

func (f *Failure) Error() string { return string(f.Code) + ": " + f.Message }

// Unwrap is the cause.
func (f *Failure) Unwrap() error { return f.Err }

// AsFailure is the Failure in err, or err as an INTERNAL one. nil stays nil.
func AsFailure(err error) *Failure {
	if err == nil {
		return nil
	}
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return &Failure{
		Code: Internal, Message: err.Error(), Err: err,
		NextStep: "Run it again; if it stays, report it with this message and the log of the run.",
	}
}

// Fail puts the failure into the report.
func (r *Report) Fail(f *Failure) {
	r.Code, r.Message, r.Next = f.Code, f.Message, f.NextStep
	r.Script, r.Line, r.SQLState = f.Script, f.Line, f.SQLState
	r.Excerpt = f.Excerpt
	r.Problems, r.Blockers = f.Problems, f.Blockers
}

// Summary is the failure in one line of at most limit bytes, cut between
// characters: code, script, line, SQLSTATE, message, and, where there is room,
// what was applied and what to do next. It is what CloudFormation shows.
func (r *Report) Summary(limit int) string {
	var b strings.Builder
	b.WriteString(string(r.Code))
	if r.Script != "" {
		// A long name leaves room for the rest.
		fmt.Fprintf(&b, " in %s", Cut(untrusted.Line(r.Script), limit/3))
	}
	if r.Line > 0 {
		fmt.Fprintf(&b, " line %d", r.Line)
	}
	if r.SQLState != "" {
		fmt.Fprintf(&b, " (SQLSTATE %s)", r.SQLState)
	}
	tail := ""
	if n := len(r.Applied); n > 0 {
		tail = fmt.Sprintf(" Applied before it: %d (schema version %s).", n, orNone(r.SchemaVersionAfter))
	}
	if r.Next != "" {
		tail += " Next: " + r.Next
	}
	message := oneLine(r.Message)
	for _, p := range r.Problems {
		if len(message) > limit {
			break // the rest would be cut off
		}
		if s := p.String(); !strings.Contains(message, p.Reason) {
			message += "; " + oneLine(s)
		}
	}
	for _, b := range r.Blockers {
		message += "; held by " + oneLine(b.String())
	}
	// Made visible before it is measured: a character may take eight bytes then.
	head := untrusted.Line(b.String()) + ": "
	tail = "." + untrusted.Line(tail)
	room := max(limit-len(head)-len(tail), limit/2)
	return Cut(head+Cut(untrusted.Line(message), room)+tail, limit)
}

func (p Problem) String() string {
	at := p.Script
	if p.Line > 0 {
		at += fmt.Sprintf(", line %d", p.Line)
	}
	if at == "" {
		return p.Reason
	}
	return at + ": " + p.Reason
}

func (b Blocker) String() string {
	return fmt.Sprintf("pid %d, user %s, application %q, since %s: %s", b.PID, b.User, b.Application,
		b.Since.UTC().Format(time.RFC3339), b.Query)
}

func oneLine(s string) string {
	return untrusted.Line(strings.TrimRight(strings.Join(strings.Fields(s), " "), "."))
}

// Cut shortens s to at most limit bytes, never inside a character; what was cut
// shows as an ellipsis.
func Cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const mark = "…"
	if limit < len(mark) {
		return ""
	}
	end := limit - len(mark)
	for end > 0 && s[end]&0xC0 == 0x80 {
		end--
	}
	return s[:end] + mark
}

func orNone(version string) string {
	if version == "" {
		return "none"
	}
	return version
}
