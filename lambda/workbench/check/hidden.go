package check

import (
	"fmt"
	"regexp"
	"strings"
)

// hiddenRule is about statements whose changes only a run shows.
const hiddenRule = "hidden-ddl"

var (
	hides   = regexp.MustCompile(`^(DO|CALL|EXECUTE)\b`)
	mayHide = regexp.MustCompile(`^(DO|CALL|EXECUTE|SELECT|WITH|EXPLAIN)\b`) // a function can do anything
	ddl     = regexp.MustCompile(
		`(?i)\b(EXECUTE|CALL|PERFORM|ALTER|CREATE|DROP|TRUNCATE|CLUSTER|REINDEX|VACUUM|LOCK|REFRESH)\b`)
)

// hidden notes the statements in which no linter sees what happens, and keeps
// the rest of such a script for [Result.Reveal].
func (r *Result) hidden(t *text) {
	lines := newLines(t.sql)
	var visible strings.Builder
	any := false
	for _, s := range t.statements {
		sql := t.sqlOf(s)
		if !mayHide.MatchString(s.Head) {
			visible.WriteString(sql + "\n")
			continue
		}
		any = true
		if !hides.MatchString(s.Head) || strings.HasPrefix(s.Head, "DO") && !ddl.MatchString(sql) {
			continue
		}
		verb, _, _ := strings.Cut(s.Head, " ")
		r.add(Finding{
			Rule: hiddenRule, Level: Note, Script: t.path, Line: lines.of(s.Start),
			Message: "what " + verb + " does is not checked: locks and rewrites in it show in a rehearsal only",
			Help:    "Run `make rehearse`, or write the statements themselves.",
		})
	}
	if any {
		if r.visible == nil {
			r.visible = map[string]string{}
		}
		r.visible[t.path] = visible.String()
	}
}

// Reveal adds what a rehearsal saw a script do to a table of the target branch
// and the check could not see: a rewrite, which is an error, or a lock that
// keeps readers out, a warning. What the script's plain statements name was
// judged by them.
func (r *Result) Reveal(script, table string, rewritten bool) {
	visible, ok := r.visible[script]
	if !ok {
		return
	}
	name := table[strings.LastIndexByte(table, '.')+1:]
	if regexp.MustCompile(`(?i)(^|[^\w])` + regexp.QuoteMeta(name) + `([^\w]|$)`).MatchString(visible) {
		return
	}
	f := Finding{
		Rule: hiddenRule, Level: Warning, Script: script,
		Message: fmt.Sprintf("a function, procedure or DO block locks %s against readers and writers, as the "+
			"rehearsal saw", table),
		Help: "Write the statement itself, so that it can be judged; or keep the script short.",
	}
	if rewritten {
		f.Level = Error
		f.Message = fmt.Sprintf("a function, procedure or DO block rewrites %s under an ACCESS EXCLUSIVE lock, as "+
			"the rehearsal saw", table)
		f.Help = "Do it in steps that rewrite nothing: a new column, a backfill in parts, a swap."
	}
	for _, w := range r.waivers {
		if w.covers(f) {
			f.Waived, w.used = w.Reason, true
		}
	}
	r.add(f)
	r.sort()
}
