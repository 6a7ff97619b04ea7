package migrator

import (
	"fmt"
	"slices"
	"strings"

	"slipway/lambda/judge"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// checkScripts refuses pending scripts, and callbacks that run with them, for
// what is known to go wrong before anything is run: see [judge.Script].
func (r *run) checkScripts() error {
	if len(r.plan.Pending) == 0 {
		return nil
	}
	var problems []report.Problem
	var nexts []string
	db := judge.Database{
		Table: r.session.Table.Name, Schema: r.session.Table.Schema,
		// Flyway's heap is half of it, and a statement takes ten times its size there
		LongestMB: r.Config.MemoryMB / 20,
	}
	for _, f := range slices.Concat(r.plan.Pending, r.callbacksOfRun()) {
		text, err := f.Text()
		if err != nil {
			return notAsRead(f, err)
		}
		for _, finding := range judge.Script(f, r.filled(f, string(text)), db) {
			problems = append(problems, report.Problem{
				Script: f.Script, Version: f.Version.String(), Line: finding.Line, Reason: finding.Reason,
			})
			if !slices.Contains(nexts, finding.Next) {
				nexts = append(nexts, finding.Next)
			}
		}
	}
	if len(problems) == 0 {
		return nil
	}
	first := problems[0]
	failure := &report.Failure{
		Code: report.BadRelease, Script: first.Script, Line: first.Line, Problems: problems,
		Message: fmt.Sprintf("%s; nothing was run", first.Reason), NextStep: nexts[0],
	}
	if len(problems) > 1 {
		failure.Message = fmt.Sprintf("%s (the first of %s); nothing was run", first.Reason,
			report.Count(len(problems), "problem"))
		failure.NextStep = strings.Join(nexts[:min(3, len(nexts))], " ")
	}
	return failure
}

// filled is the script as Flyway reads it: with the values of placeholders.
func (r *run) filled(f script.File, text string) string {
	c := r.Config.Flyway
	if !c.Replace || f.LiteralPlaceholders {
		return text
	}
	filled, _ := script.Replace(text, c.Prefix, c.Suffix, r.undoPlaceholders(f))
	return filled
}

// callbacksOfRun are the callbacks that migrate may run.
func (r *run) callbacksOfRun() []script.File {
	return slices.DeleteFunc(slices.Clone(r.set.Callbacks), func(f script.File) bool {
		for _, command := range []string{"Clean", "Undo", "Info", "Repair"} {
			if strings.Contains(f.Event, command) {
				return true
			}
		}
		return false
	})
}
