package migrator

import (
	"context"
	"fmt"
	"slices"

	"slipway/lambda/database"
	"slipway/lambda/history"
	"slipway/lambda/report"
	"slipway/lambda/script"
	"slipway/lambda/session"
)

// checkEmptied refuses a B script that would begin a database which only looks
// new: all its versions are marked as deleted, as Flyway's repair does when their
// scripts are gone, and its tables are there. After a revert they are not.
func (r *run) checkEmptied(ctx context.Context) error {
	begins := slices.IndexFunc(r.plan.Pending, func(f script.File) bool { return f.Kind == script.Baseline })
	if begins < 0 {
		return nil
	}
	mark := highestMark(r.rows)
	if mark == nil {
		return nil
	}
	has, err := session.Ask(r.session, func(c *database.Conn) (bool, error) {
		return c.HasTables(ctx, r.session.Table)
	})
	if err != nil || !has {
		return err
	}
	b := r.plan.Pending[begins]
	f := report.Failf(report.ValidationFailed,
		"%s would run on a database that is not new: its versions up to %s are marked as deleted, and it has "+
			"tables; nothing was run",
		b.Script, *mark.Version).
		Next(fmt.Sprintf("If it still has what version %s made, put the V script of that version back into the "+
			"release beside %s, and take the mark back: DELETE FROM %s WHERE installed_rank = %d; if it is to be "+
			"built anew, drop its tables.",
			*mark.Version, b.Script, r.session.Table, mark.Rank))
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
