package migrator

import (
	"context"
	"errors"
	"strings"

	"slipway/lambda/database"
	"slipway/lambda/report"
	"slipway/lambda/session"
)

// rewriteRows makes the rows that Flyway can't read into such as it can, once
// the request names all of them: whoever asks has then seen the statements. It
// is one transaction under both locks.
func (r *run) rewriteRows(ctx context.Context) error {
	if err := r.checkRows(); err != nil || r.req.Rows == "" {
		return err
	}
	w, err := r.openLocked(ctx)
	if err != nil {
		return err
	}
	defer r.session.CloseWork(w)
	if err := r.checkRows(); err != nil {
		return err
	}
	statements := r.plan.Rewrites(r.session.Table)
	if err := r.rewrite(ctx, w, statements); err != nil {
		return err
	}
	r.report.Actions = statements
	if err := r.look(ctx); err != nil {
		return err
	}
	if f := r.plan.UnreadableFailure(r.session.Table); f != nil {
		return f
	}
	return nil
}

// rewrite changes rows of the history, all of them or none.
func (r *run) rewrite(ctx context.Context, w *database.Work, statements []string) error {
	err := w.Rewrite(ctx, statements)
	if err == nil || database.IsConnectionError(err) || ctx.Err() != nil {
		return err
	}
	return report.Failf(report.ValidationFailed, "the rows could not be rewritten, and none was changed: %w", err).
		Next("Run `slipway info` to see the rows as they are now.")
}

// checkRows compares the rows that the request names with those there are.
func (r *run) checkRows() error {
	f := r.plan.UnreadableFailure(r.session.Table)
	there := r.plan.UnreadableRanks()
	asked := strings.ReplaceAll(r.req.Rows, " ", "")
	switch {
	case f != nil && (asked == "" || asked == there && !r.plan.Rewritable()):
		return f
	case asked != "" && asked != there && f == nil:
		return report.Failf(report.BadRequest, "Flyway can read every row of the history, so there is none to "+
			"rewrite; nothing was changed").
			Next("Leave the rows out.")
	case asked != there:
		refused := report.Failf(report.BadRequest, "the rows that Flyway can't read are %s, not %s; nothing was "+
			"changed", there, asked).
			Next(f.NextStep)
		refused.Problems = f.Problems
		return refused
	}
	return nil
}

// checkTable refuses a history to which Flyway can't write, before anything runs.
func (r *run) checkTable(ctx context.Context) error {
	fault, err := session.Ask(r.session, func(c *database.Conn) (*database.TableFault, error) {
		return c.CheckTable(ctx, r.session.Table)
	})
	if err != nil || fault == nil {
		return err
	}
	f := report.Failf(report.ValidationFailed, "%w; nothing was run", errors.New(fault.Reason)).
		Next("Name another table (FLYWAY_TABLE), or replace this one by a plain table.")
	if fault.Fix != "" {
		f.NextStep = "Run this as the owner of the table, then try again: " + fault.Fix
	}
	if fault.Rights {
		f.Code, f.SQLState = report.AccessDenied, "42501"
	}
	return f
}
