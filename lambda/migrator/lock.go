package migrator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/report"
)

// lock takes the run's lock, so that one run at a time works on a history. A
// run that waits costs no JVM. Once it is held, sessions of earlier runs are
// orphans: their program lost the lock, so it is gone.
func (r *run) lock(ctx context.Context) error {
	err := r.wait(ctx)
	waited := err != nil
	if !waited {
		err = r.endOrphans(ctx)
	}
	var f *report.Failure
	if !errors.As(err, &f) || f.Code != report.Locked {
		return err
	}
	// The report names the version in any case, and the other run may have done
	// what this one was to do.
	last, cancel := r.lastly(5*time.Second, 0.7)
	defer cancel()
	if r.look(last) != nil {
		return err
	}
	r.report.SchemaVersionBefore = r.plan.Current.String()
	if waited && r.req.WaitForLock && len(r.plan.Pending) == 0 && !r.unsure() && r.plan.Contradiction() == nil {
		r.warn("another run held the lock until the end; nothing is pending")
		return errNothingLeft
	}
	return err
}

// errNothingLeft ends a run as a success.
var errNothingLeft = errors.New("nothing left to do")

func (r *run) wait(ctx context.Context) error {
	key := database.RunLock(r.table)
	giveUp := time.Now().Add(r.Config.LockWait)
	waiting := false
	var holders []report.Blocker
	for {
		got, now, err := r.try(ctx, key)
		if err != nil || got {
			return err
		}
		if len(now) > 0 {
			holders = now
		}
		if !waiting {
			waiting = true
			r.log.Info("another run is at work on this database; waiting for it", "holders", fmt.Sprint(holders))
		}
		if r.req.WaitForLock && ctx.Err() == nil {
			giveUp = time.Now().Add(time.Minute)
		}
		if ctx.Err() == nil && time.Now().Before(giveUp) {
			if sleep(ctx, 300*time.Millisecond) == nil {
				continue
			}
		}
		if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, ErrDeadline) {
			return cause
		}
		f := report.Failf(report.Locked, "another run holds this database's migrations").
			Next("Wait for the other run to end, then run again; if its session hangs, end it with pg_terminate_backend.")
		f.Blockers = holders
		return f
	}
}

// try tries the lock once and says who holds it instead. It does not end with
// ctx: a query that is cut off would cost the session.
func (r *run) try(ctx context.Context, key int64) (got bool, holders []report.Blocker, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if got, err = r.conn.TryLock(ctx, key); err == nil && !got {
		holders, err = r.conn.LockHolders(ctx, key)
	}
	return got, holders, err
}

// endOrphans ends what dead runs left running in the database. A statement of
// theirs would go on, hold its locks, and could still commit.
func (r *run) endOrphans(ctx context.Context) error {
	named := map[int]bool{}
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		orphans, err := r.conn.Sessions(ctx, r.applicationPrefix())
		if err != nil || len(orphans) == 0 {
			return err
		}
		for _, o := range orphans {
			if err := r.conn.Cancel(ctx, o.PID, true); err != nil {
				return notOurs(o, err)
			}
			if !named[o.PID] {
				named[o.PID] = true
				r.warn("ended the session of a run that had died: pid %d, %s, since %s: %s", o.PID, o.Application, o.Since.UTC().Format(time.RFC3339), o.Query)
			}
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// notOurs is the failure to end an orphan of another role's, as a secret that
// rotates between two users can leave it.
func notOurs(orphan report.Blocker, err error) error {
	denied := database.Denied(err)
	if denied == err {
		return err
	}
	f := report.Failf(report.Locked, "a session of a run that had died is still at work, and this role may not end it").
		Next(fmt.Sprintf("End it as the user %s or an administrator, SELECT pg_terminate_backend(%d);, then run again.", orphan.User, orphan.PID))
	f.Blockers, f.SQLState, f.Err = []report.Blocker{orphan}, "42501", err
	return f
}
