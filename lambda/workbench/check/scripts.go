package check

import (
	"cmp"
	"fmt"
	"slices"

	"slipway/lambda/judge"
)

// judgeScripts finds what a run would refuse before it runs anything, see
// [judge.Script], and placeholders that it would pass over.
func (r *Result) judgeScripts(texts []*text, o Options) {
	db := judge.Database{Table: cmp.Or(o.Table, "flyway_schema_history"), Schema: o.Schema}
	for _, t := range texts {
		if !t.lint || !t.read {
			continue
		}
		for _, f := range judge.Script(t.file, t.filled, db) {
			r.add(Finding{Rule: string(f.Rule), Level: Error, Script: t.path, Line: f.Line, Message: f.Reason,
				Help: f.Next})
		}
		for _, p := range t.passedOver {
			r.add(Finding{
				Rule: "placeholder-kept", Level: Warning, Script: t.path, Line: p.Line,
				Message: fmt.Sprintf("the placeholder %s is not replaced here: Flyway passes over it behind the "+
					"letter before it", p.Name),
				Help: "Put a space or another letter between.",
			})
		}
	}
}

// refused reports whether the line was found to be one that no run would take.
func (r *Result) refused(path string, line int) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool {
		return f.Script == path && f.Line == line && !waivable(f.Rule)
	})
}
