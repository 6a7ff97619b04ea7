package migrator

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"slipway/lambda/history"
	"slipway/lambda/plan"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// named is a row that the request names, with what it gets.
type named struct {
	row    history.Row
	script string
	sum    plan.NewChecksum
	gone   bool // it is marked as deleted
}

// repairNamed repairs the history by what the request names. Flyway's repair
// goes by the scripts of this image, and after a failed deployment that is the
// former one, which would put back what the next release does not have. So
// failed rows go and named rows change, in one transaction under both locks, and
// nothing else does.
func (r *run) repairNamed(ctx context.Context) error {
	if err := r.checkOthers(ctx); err != nil {
		return err
	}
	w, err := r.openLocked(ctx)
	if err != nil {
		return err
	}
	defer r.session.CloseWork(w)
	if f := r.plan.UnreadableFailure(r.session.Table); f != nil {
		return f
	}
	rows, err := r.namedRows()
	if err != nil {
		return err
	}
	var statements, actions []string
	for _, row := range r.rows {
		if !row.Success {
			statements = append(statements, "DELETE FROM "+r.session.Table.String()+row.Condition()+";")
			actions = append(actions, plan.Removal(row))
		}
	}
	for _, n := range rows {
		statements = append(statements, r.statement(n))
		if n.gone {
			actions = append(actions, plan.Deletion(n.script))
		} else {
			actions = append(actions, n.sum.Action(n.script))
		}
	}
	if len(statements) == 0 {
		return nil
	}
	if err := r.rewrite(ctx, w, statements); err != nil {
		return err
	}
	r.report.Actions = append(r.report.Actions, actions...)
	if err := r.lookAgain(); err != nil {
		return err
	}
	r.warnOlderScripts(rows)
	return nil
}

// statement changes the row, or adds the one with which Flyway's repair marks it as deleted.
func (r *run) statement(n named) string {
	if !n.gone {
		return fmt.Sprintf("UPDATE %s SET checksum = %d%s AND checksum = %d;", r.session.Table, n.sum.Now,
			n.row.Condition(), n.sum.Was)
	}
	by := "current_user"
	if name := r.Config.Flyway.Environment["FLYWAY_INSTALLED_BY"]; name != "" {
		by = history.Literal(name)
	}
	return fmt.Sprintf(`INSERT INTO %[1]s
		(installed_rank, version, description, type, script, checksum, installed_by, execution_time, success)
		SELECT (SELECT max(installed_rank) + 1 FROM %[1]s),
			version, description, 'DELETE', script, checksum, %[2]s, 0, true FROM %[1]s%[3]s;`,
		r.session.Table, by, n.row.Condition())
}

// namedRows finds the rows that the request names, by rank. If one of them is not as
// the request has it, the failure names it, and all others like it.
func (r *run) namedRows() ([]named, error) {
	ranks := map[int]history.Row{}
	for _, row := range r.rows {
		ranks[row.Rank] = row
	}
	var rows []named
	var problems []report.Problem
	for _, name := range slices.Sorted(maps.Keys(r.req.Checksums)) {
		row, reason := r.plan.NamedRow(name, r.req.Checksums[name], ranks)
		if reason != "" {
			problems = append(problems, report.Problem{Script: name, Reason: reason})
			continue
		}
		rows = append(rows, named{row: row, script: name, sum: r.req.Checksums[name]})
	}
	for _, rank := range slices.Sorted(maps.Keys(r.req.Deleted)) {
		name := r.req.Deleted[rank]
		if !r.plan.Stands(rank) || ranks[rank].Script != name {
			reason := fmt.Sprintf("does not stand in row %d of the history as applied", rank)
			problems = append(problems, report.Problem{Script: name, Reason: reason})
			continue
		}
		rows = append(rows, named{row: ranks[rank], script: name, gone: true})
	}
	if len(problems) > 0 {
		f := report.Failf(report.ValidationFailed, "the history is not as the request has it in %s; nothing was "+
			"changed", report.Count(len(problems), "script")).
			Next("Run `slipway info` to see the history as it is now; then name the scripts again.")
		f.Script, f.Problems = problems[0].Script, problems
		return nil, f
	}
	slices.SortFunc(rows, func(a, b named) int { return a.row.Rank - b.row.Rank })
	return rows, nil
}

// warnOlderScripts says what the deployed scripts are good for until the next deployment.
func (r *run) warnOlderScripts(rows []named) {
	own := map[string]script.File{}
	for _, f := range slices.Concat(r.set.Versioned, r.set.Repeatable) {
		own[f.Version.Key()+" "+plan.Abbreviate(f.Description)] = f
	}
	var older, again []string
	for _, n := range rows {
		v, _ := script.ParseVersion(plan.ScriptOf(n.row).Version)
		f, ok := own[v.Key()+" "+n.row.Description]
		switch {
		case ok && n.gone:
			again = append(again, n.script)
		case ok && f.Checksum != n.sum.Now:
			older = append(older, n.script)
		}
	}
	if len(older) > 0 {
		r.warn("deploy the release with the edited scripts next: the deployed one has %s as before, "+
			"and `slipway info` calls that edited until then", report.Some(older, 5))
	}
	if len(again) > 0 {
		r.warn("deploy the release without the deleted scripts next: the deployed one still has %s, "+
			"and a run of it would apply that again", report.Some(again, 5))
	}
}
