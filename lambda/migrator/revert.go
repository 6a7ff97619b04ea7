package migrator

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	defer r.closeWork(w)
	r.report.SchemaVersionBefore = r.plan.Current.String()
	p, err := r.planRevert()
	if err != nil || len(p.steps) == 0 {
		return err
	}
	if now, err := r.conn.Now(ctx); err == nil {
		r.report.RestorePoint = &now
	}
	before := history.LastRank(r.rows)
	watched := r.watch(ctx)
	err = r.undoAll(watched.ctx, w, p)
	blockers, lost := watched.stop()
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
		return report.Failf(report.RevertRefused, "there is no history in schema %s, so there is nothing to revert", r.table.Schema).
			Next("Run `slipway info`.")
	}
	return nil
}

// openLocked opens the session of [run.openWork] and holds Flyway's lock with it.
// The caller closes it with [run.closeWork].
func (r *run) openLocked(ctx context.Context) (*database.Work, error) {
	w, err := r.openWork(ctx)
	if err != nil {
		return nil, err
	}
	err = r.waitForFlyway(ctx, w)
	if err == nil {
		// Another Flyway may have been at work until the lock was held.
		err = r.look(ctx)
	}
	if err != nil {
		r.closeWork(w)
		return nil, err
	}
	return w, nil
}

// openWork opens the session that runs the undo scripts. It goes by the name
// of Flyway's sessions, so that whoever ends or counts those finds it.
func (r *run) openWork(ctx context.Context) (*database.Work, error) {
	settings := r.conn.SessionSettings()
	if deadline, ok := ctx.Deadline(); ok {
		settings["statement_timeout"] = fmt.Sprint(time.Until(deadline).Milliseconds() + 15000)
	}
	if limit := r.Config.LockTimeout.Milliseconds(); limit > 0 {
		settings["lock_timeout"] = fmt.Sprint(limit)
	}
	return r.conn.OpenWork(ctx, r.table, r.application(false), settings)
}

func (r *run) closeWork(w *database.Work) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	w.Close(ctx)
	r.sweep()
}

// waitForFlyway takes the lock under which a Flyway that is not Slipway's works.
func (r *run) waitForFlyway(ctx context.Context, w *database.Work) error {
	giveUp := time.Now().Add(r.Config.LockWait)
	for first := true; ; first = false {
		got, err := w.TryLock(ctx)
		if err != nil || got {
			return err
		}
		if first {
			r.log.Info("Flyway is at work on this database; waiting for it")
		}
		if time.Now().After(giveUp) {
			f := report.Failf(report.Locked, "another Flyway holds the lock of this history").
				Next("Wait for the other Flyway to end, then run again.")
			f.Blockers = r.holders(database.FlywayLock(r.table))
			return f
		}
		if err := sleep(ctx, 300*time.Millisecond); err != nil {
			return err
		}
	}
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
		r.warn("the next deployment that runs applies what was reverted again, unless the release drops or corrects it first: %s", report.Some(again, 5))
	}
}
