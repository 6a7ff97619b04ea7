package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/report"
)

// Lock takes the run's lock, so that one run at a time works on a history. A
// run that waits costs no JVM. Once it is held, sessions of earlier runs are
// orphans: their program lost the lock, so it is gone. patient waits until the
// deadline instead of for [Options].LockWait. waited says that the lock could not be acquired.
func (s *Session) Lock(ctx context.Context, patient bool) (waited bool, err error) {
	l := runLock{s, patient}
	if err := l.wait(ctx); err != nil {
		return true, err
	}
	return false, l.endOrphans(ctx)
}

// runLock is the run's lock on its way to be held.
type runLock struct {
	*Session
	patient bool
}

func (l runLock) wait(ctx context.Context) error {
	key := database.RunLock(l.Table)
	giveUp := time.Now().Add(l.options.LockWait)
	waiting := false
	var holders []report.Blocker
	for {
		got, now, err := l.try(ctx, key)
		if err != nil || got {
			return err
		}
		if len(now) > 0 {
			holders = now
		}
		if !waiting {
			waiting = true
			l.options.Log.Info("another run is at work on this database; waiting for it", "holders",
				fmt.Sprint(holders))
		}
		if l.patient && ctx.Err() == nil {
			giveUp = time.Now().Add(time.Minute)
		}
		if ctx.Err() == nil && time.Now().Before(giveUp) {
			if Sleep(ctx, 300*time.Millisecond) == nil {
				continue
			}
		}
		if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, ErrDeadline) {
			return cause
		}
		f := report.Failf(report.Locked, "another run holds this database's migrations").
			Next("Wait for the other run to end, then run again; if its session hangs, end it with " +
				"pg_terminate_backend.")
		f.Blockers = holders
		return f
	}
}

// try tries the lock once and says who holds it instead. It does not end with
// ctx: a query that is cut off would cost the session.
func (l runLock) try(ctx context.Context, key int64) (got bool, holders []report.Blocker, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	if got, err = l.conn.TryLock(ctx, key); err == nil && !got {
		holders, err = l.conn.LockHolders(ctx, key)
	}
	return got, holders, err
}

// endOrphans ends what dead runs left running in the database. A statement of
// theirs would go on, hold its locks, and could still commit.
func (l runLock) endOrphans(ctx context.Context) error {
	named := map[int]bool{}
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		orphans, err := Ask(l.Session, func(c *database.Conn) ([]report.Blocker, error) {
			return c.Sessions(ctx, applicationPrefix(l.Table))
		})
		if err != nil || len(orphans) == 0 {
			return err
		}
		for _, o := range orphans {
			if err := l.end(ctx, o.PID); err != nil {
				return notOurs(o, err)
			}
			if !named[o.PID] {
				named[o.PID] = true
				l.options.Warn("ended the session of a run that had died: pid %d, %s, since %s: %s", o.PID,
					o.Application, o.Since.UTC().Format(time.RFC3339), o.Query)
			}
		}
		if err := Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func (l runLock) end(ctx context.Context, pid int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn.Cancel(ctx, pid, true)
}

// notOurs is the failure to end an orphan of another role's, as a secret that
// rotates between two users can leave it.
func notOurs(orphan report.Blocker, err error) error {
	denied := database.Denied(err)
	if denied == err {
		return err
	}
	f := report.Failf(report.Locked, "a session of a run that had died is still at work, and this role may not end it").
		Next(fmt.Sprintf("End it as the user %s or an administrator, SELECT pg_terminate_backend(%d);, then run again.",
			orphan.User, orphan.PID))
	f.Blockers, f.SQLState, f.Err = []report.Blocker{orphan}, "42501", err
	return f
}
