package review

import (
	"fmt"
	"slices"
	"strings"

	"slipway/lambda/workbench/check"
	"slipway/lambda/workbench/rehearse"
)

// rewriting are the linter's rules that warn of a rewrite of the table, whether
// or not PostgreSQL does one for these types.
var rewriting = []string{
	"changing-column-type", "adding-field-with-default", "adding-serial-primary-key-field", "adding-required-field",
	"full-rewrite",
}

// measuredText is what the rehearsal saw of the table that a finding is about, ""
// where it saw nothing or the script did not run to its end.
func measuredText(f check.Finding, s *rehearse.Script, restored bool) string {
	if s == nil || s.Failed || f.Table == "" {
		return ""
	}
	i := slices.IndexFunc(s.Locks, func(l rehearse.Lock) bool { return l.Table == f.Table })
	if i < 0 {
		return ""
	}
	l := s.Locks[i]
	text := fmt.Sprintf("%s locked %s", strings.TrimSuffix(l.Mode, "Lock"), l.Table)
	if l.Blocks != "" {
		text += ", which keeps out " + l.Blocks
	}
	text += fmt.Sprintf(", for %s at most on %s.", rehearse.Duration(l.HeldMs), rowsText(l.Rows, restored))
	switch {
	case slices.Contains(s.Rewritten, f.Table):
		text += " The table was rewritten, so the time grows with its rows."
	case slices.Contains(rewriting, f.Rule):
		text += " The table was not rewritten. The linter reads the statement alone and knows neither the column's " +
			"type of before nor how PostgreSQL changes it: a longer varchar, text or a constant default need no " +
			"rewrite. The lock is still taken."
	}
	return text
}

func rowsText(rows int64, restored bool) string {
	if restored {
		return number(int(rows)) + " " + plural(int(rows), "row") + " of the copy"
	}
	return number(int(rows)) + " made-up " + plural(int(rows), "row")
}
