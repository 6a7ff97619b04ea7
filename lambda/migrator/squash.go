package migrator

import (
	"context"
	"fmt"
	"slices"

	"slipway/lambda/history"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// squash is what the B scripts of a release mean for a database that did not
// begin with one. Flyway runs a B script only where no version stands, and never
// asks whether the database has what the script stands for.
type squash struct {
	script   script.File // the highest B script; its Script is "" without any
	anchored bool        // a version of the history is in the release and succeeded
	adopted  bool        // a row of a baseline stands in the history
	gone     bool        // the database is below script, and the release has no V script up to it
	lacks    bool        // the same, but only the V script of its very version is not there
}

func (s *squash) judge(set *script.Set, last, baseline script.Version) {
	if len(set.Baselines) == 0 {
		return
	}
	s.script = set.Baselines[len(set.Baselines)-1]
	s.adopted = !baseline.IsZero()
	below, same := false, false
	for _, f := range set.Versioned {
		c := f.Version.Compare(s.script.Version)
		below = below || c <= 0
		same = same || c == 0
	}
	behind := !last.IsZero() && last.Compare(s.script.Version) < 0
	s.gone = behind && !below
	s.lacks = behind && below && !same
}

// runsAfterRepair reports whether repair would leave a database with tables and no
// version, on which the B script would then run.
func (p *plan) runsAfterRepair() bool {
	s := p.squash
	return s.script.Script != "" && !s.anchored && !s.adopted && len(p.missing)+len(p.future) > 0
}

// keepOne says how a history outlives the removal of the scripts that a B
// script stands for.
func (s squash) keepOne() string {
	v := s.script.Version
	return fmt.Sprintf("Put the V script of version %s back into the release beside %s; then run `slipway repair`, which marks the scripts before it as deleted.",
		v, s.script.Script)
}

// problem is why no script may run on a database below the B script.
func (s squash) problem() (report.Problem, bool) {
	return report.Problem{
		Script: s.script.Script, Version: s.script.Version.String(),
		Reason: "stands for scripts that this database has not applied and the release does not have: it runs on new databases only",
	}, s.gone
}

// warning names what Flyway passes over in silence.
func (s squash) warning() (string, bool) {
	return fmt.Sprintf("%s is not run on this database, which has versions already; if a script of version %s was removed, the database lacks its changes",
		s.script.Script, s.script.Version), s.lacks
}

// checkEmptied refuses a B script that would begin a database which only looks
// new: all its versions are marked as deleted, as Flyway's repair does when their
// scripts are gone, and its tables are there. After a revert they are not.
func (r *run) checkEmptied(ctx context.Context) error {
	begins := slices.IndexFunc(r.plan.pending, func(f script.File) bool { return f.Kind == script.Baseline })
	if begins < 0 {
		return nil
	}
	mark := highestMark(r.rows)
	if mark == nil {
		return nil
	}
	has, err := r.conn.HasTables(ctx, r.table)
	if err != nil || !has {
		return err
	}
	b := r.plan.pending[begins]
	f := report.Failf(report.ValidationFailed,
		"%s would run on a database that is not new: its versions up to %s are marked as deleted, and it has tables; nothing was run",
		b.Script, *mark.Version).
		Next(fmt.Sprintf("If it still has what version %s made, put the V script of that version back into the release beside %s, and "+
			"take the mark back: DELETE FROM %s WHERE installed_rank = %d; if it is to be built anew, drop its tables.",
			*mark.Version, b.Script, r.table, mark.Rank))
	f.Script = b.Script
	return f
}

// highestMark is the row that marks the highest version as deleted, nil if there is none.
func highestMark(rows []history.Row) (mark *history.Row) {
	var highest script.Version
	for i, row := range rows {
		if row.Type != history.Delete || row.Version == nil {
			continue
		}
		if v, err := script.ParseVersion(*row.Version); err == nil && v.Compare(highest) >= 0 {
			highest = v
			mark = &rows[i]
		}
	}
	return mark
}
