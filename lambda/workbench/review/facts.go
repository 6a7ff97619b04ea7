package review

import (
	"fmt"

	"slipway/lambda/workbench/check"
	"slipway/lambda/workbench/rehearse"
)

// facts are the figures at the top. One is green only where it was measured to
// its end.
func (r *Review) facts() []fact {
	var list []fact
	add := func(n int, label, tone string, complete bool) {
		if n == 0 {
			tone = map[bool]string{true: "good"}[complete]
		}
		list = append(list, fact{number(n), label, tone})
	}
	if c := r.Check; c != nil {
		add(c.Failures(), plural(c.Failures(), "error"), "bad", c.Linter != "")
		warnings := c.Count(func(f check.Finding) bool { return f.Level == check.Warning && f.Waived == "" })
		add(warnings, plural(warnings, "warning"), "warn", false)
	}
	h := r.Rehearsal
	if h == nil {
		return list
	}
	ran, failed, hidden, rewritten := 0, 0, map[string]bool{}, 0
	var longest rehearse.Lock
	for _, s := range h.Scripts {
		if s.Failed {
			failed++
		} else {
			ran++
		}
		rewritten += len(s.Rewritten)
		for _, l := range s.Locks {
			if l.Blocks == "reads and writes" {
				hidden[l.Table] = true
				if l.HeldMs > longest.HeldMs {
					longest = l
				}
			}
		}
	}
	list = append(list, fact{number(ran), plural(ran, "script") + " ran", ""})
	if failed > 0 {
		list = append(list, fact{number(failed), plural(failed, "script") + " failed", "bad"})
	}
	complete := h.Failure == nil && ran > 0
	add(len(hidden), plural(len(hidden), "table")+" locked against reads and writes", "warn", complete)
	if h.Restored && longest.Table != "" {
		list = append(list, fact{rehearse.Duration(longest.HeldMs), "longest of these locks, on " + longest.Table,
			"warn"})
	}
	add(rewritten, plural(rewritten, "table")+" rewritten", "warn", complete)
	return append(list, undoFact(h)...)
}

func undoFact(h *rehearse.Report) []fact {
	bad, tried := 0, 0
	for _, u := range h.Undo {
		if u.Skipped != "" {
			continue
		}
		tried++
		if !u.Restores {
			bad++
		}
	}
	if tried == 0 {
		return nil
	}
	tone := map[bool]string{true: "bad", false: "good"}[bad > 0]
	return []fact{{fmt.Sprintf("%d of %d", tried-bad, tried), "undo scripts restore the schema", tone}}
}
