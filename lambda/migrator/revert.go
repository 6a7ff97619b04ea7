package migrator

import (
	"context"
	"errors"

	"slipway/lambda/database"
	"slipway/lambda/history"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// revert undoes versions, the newest first: by version, as Flyway tells which
// one is current, not by when they were applied. Each undo script and its
// tombstone in the history go into one transaction. Flyway's lock is held from
// the plan to the last tombstone. Nothing is run unless all of it can be.
func (r *run) revert(ctx context.Context) error {
	if err := r.checkRevert(); err != nil {
		return err
	}
	if r.req.DryRun {
		p, err := r.planRevert()
		if err == nil {
			r.announce(p)
		}
		return err
	}
	if err := r.checkOthers(ctx); err != nil {
		return err
	}
	if err := r.checkTable(ctx); err != nil {
		return err
	}
	w, err := r.openLocked(ctx)
	if err != nil {
		return err
	}
	defer r.session.CloseWork(w)
	r.report.SchemaVersionBefore = r.plan.Current.String()
	p, err := r.planRevert()
	if err != nil || len(p.steps) == 0 {
		return err
	}
	if now, err := r.now(ctx); err == nil {
		r.report.RestorePoint = &now
	}
	before := history.LastRank(r.rows)
	watched := r.session.Watch(ctx, before, nil)
	err = r.undoAll(watched.Context, w, p)
	blockers, lost := watched.Stop()
	// Whatever the session answered, the history tells what was undone.
	if again := r.lookAgain(); again != nil {
		return errors.Join(err, again)
	}
	r.report.Reverted = p.reverted(before, r.rows)
	if len(r.report.Reverted) == 0 {
		r.report.RestorePoint = nil
	}
	r.warnPending()
	if err != nil {
		return r.explainUndo(ctx, err, lost, blockers)
	}
	return nil
}

// checkRevert judges the request by itself.
func (r *run) checkRevert() error {
	refuse := func(format string, args ...any) error {
		return report.Failf(report.BadRequest, format, args...).
			Next("Name the version to go back to (--to 12; --to 0 undoes everything), or how many to undo (--steps 1).")
	}
	switch {
	case r.req.To == "" && r.req.Steps == 0:
		return refuse("it is not said how far to revert")
	case r.req.To != "" && r.req.Steps != 0:
		return refuse("give either a version to revert to or a number of steps, not both")
	case r.req.Steps < 0:
		return refuse("%d is no number of steps", r.req.Steps)
	case !r.exists:
		return report.Failf(report.RevertRefused, "there is no history in schema %s, so there is nothing to revert",
			r.session.Table.Schema).
			Next("Run `slipway info`.")
	}
	return nil
}

// openLocked opens the session that changes the history, and looks at it again: another
// Flyway may have been at work until the lock was held. The caller closes it.
func (r *run) openLocked(ctx context.Context) (*database.Work, error) {
	w, err := r.session.OpenWork(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.look(ctx); err != nil {
		r.session.CloseWork(w)
		return nil, err
	}
	return w, nil
}

// warnPending says what the next deployment does to what was reverted.
func (r *run) warnPending() {
	undone := map[string]bool{}
	for _, s := range r.report.Reverted {
		if v, err := script.ParseVersion(s.Version); err == nil {
			undone[v.Key()] = true
		}
	}
	var again []string
	for _, f := range r.plan.Pending {
		if f.Kind == script.Versioned && undone[f.Version.Key()] {
			again = append(again, f.Script)
		}
	}
	if len(again) > 0 {
		r.warn("the next deployment that runs applies what was reverted again, unless the release drops or corrects "+
			"it first: %s", report.Some(again, 5))
	}
}
