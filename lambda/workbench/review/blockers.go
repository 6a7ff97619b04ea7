package review

import (
	"fmt"
	"strings"

	"slipway/lambda/workbench/check"
	"slipway/lambda/workbench/rehearse"
)

// Blocker is one thing that blocks the merge.
type Blocker struct {
	Script string // or another file
	Line   int    // 0 for the whole of it
	Text   string
}

// At is the script, with the line where there is one.
func (b Blocker) At() string {
	if b.Line > 0 {
		return fmt.Sprintf("%s:%d", b.Script, b.Line)
	}
	return b.Script
}

// Blockers are what blocks the merge, each once: a script that the check refuses
// and the rehearsal can't run for that reason is one thing.
func (r *Review) Blockers() []Blocker {
	var list []Blocker
	if r.Check != nil {
		for _, f := range r.Check.Findings {
			if f.Fails() {
				list = append(list, Blocker{f.Script + f.File, f.Line, f.Rule})
			}
		}
	}
	h := r.Rehearsal
	if h == nil {
		return list
	}
	if f := h.Failure; f != nil && !f.Server && !r.found(f) {
		list = append(list, Blocker{f.Script, f.Line, firstLine(f.Code + ": " + f.Message)})
	}
	for _, u := range h.Undo {
		if u.Fails() {
			list = append(list, Blocker{u.Script, u.Line, "does not restore the schema"})
		}
	}
	return list
}

// found reports whether the check has an error that is the failure's reason:
// about the same line, or about the script that was refused before it ran.
func (r *Review) found(f *rehearse.Failure) bool {
	return r.Check != nil && r.Check.Count(func(c check.Finding) bool {
		same := f.Code != "MIGRATION_FAILED" || c.Line == f.Line || c.Rule == "syntax-error"
		return c.Fails() && c.Script == f.Script && same
	}) > 0
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
