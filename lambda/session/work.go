package session

import (
	"context"
	"fmt"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/report"
)

// FlywayLockHolders names who has Flyway's lock, as far as that can still be asked.
func (s *Session) FlywayLockHolders() (holders []report.Blocker) {
	s.AskAtEnd(func(ctx context.Context, c *database.Conn) {
		holders, _ = c.LockHolders(ctx, database.FlywayLock(s.Table))
	})
	return holders
}

// OpenWork opens the session that runs the undo scripts and rewrites rows, and
// holds Flyway's lock with it. It goes by the name of Flyway's sessions, so that
// whoever ends or counts those finds it. Another Flyway may have been at work until
// the lock was held. The caller closes it with [Session.CloseWork].
func (s *Session) OpenWork(ctx context.Context) (*database.Work, error) {
	settings := s.Settings()
	LimitStatements(ctx, settings)
	if limit := s.options.LockTimeout.Milliseconds(); limit > 0 {
		settings["lock_timeout"] = fmt.Sprint(limit)
	}
	w, err := Ask(s, func(c *database.Conn) (*database.Work, error) {
		return c.OpenWork(ctx, s.Table, s.Application(), settings)
	})
	if err != nil {
		return nil, err
	}
	if err := waitForFlyway(ctx, s, w); err != nil {
		s.CloseWork(w)
		return nil, err
	}
	return w, nil
}

// CloseWork ends that session, and what it still runs.
func (s *Session) CloseWork(w *database.Work) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	w.Close(ctx)
	s.Sweep()
}

// waitForFlyway takes the lock under which a Flyway that is not Slipway's works.
func waitForFlyway(ctx context.Context, s *Session, w *database.Work) error {
	giveUp := time.Now().Add(s.options.LockWait)
	for first := true; ; first = false {
		got, err := w.TryLock(ctx)
		if err != nil || got {
			return err
		}
		if first {
			s.options.Log.Info("Flyway is at work on this database; waiting for it")
		}
		if time.Now().After(giveUp) {
			f := report.Failf(report.Locked, "another Flyway holds the lock of this history").
				Next("Wait for the other Flyway to end, then run again.")
			f.Blockers = s.FlywayLockHolders()
			return f
		}
		if err := Sleep(ctx, 300*time.Millisecond); err != nil {
			return err
		}
	}
}
