package migrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"slipway/lambda/database"
	"slipway/lambda/history"
	"slipway/lambda/report"
	"slipway/lambda/retry"
	"slipway/lambda/session"
)

// undoError is why a step was not taken.
type undoError struct {
	step *step
	line int    // in the step's text, 0 where it has none
	at   *place // there, nil where it has none
	// half: the script ran outside a transaction, so what it did stays.
	half bool
	err  error
}

func (e *undoError) Error() string { return e.err.Error() }
func (e *undoError) Unwrap() error { return e.err }

// undoing is a revert at work.
type undoing struct {
	*run
	w       *database.Work
	rank    int      // last one of the history
	repeats []repeat // that still stand
	objects map[string]database.Object
}

// undoAll takes the steps, one after the other. One that failed because of other
// sessions is tried again while there is time: its transaction was rolled back.
func (r *run) undoAll(ctx context.Context, w *database.Work, p *revertPlan) error {
	u := &undoing{run: r, w: w, rank: history.LastRank(r.rows), repeats: slices.Clone(p.repeats)}
	retries := retry.New(r.Config.LockWait, false)
	defer retries.Tell(r.warn)
	for i := range p.steps {
		s := &p.steps[i]
		for {
			r.log.Info(fmt.Sprintf("reverting %d of %d", i+1, len(p.steps)), "script", s.undo.Script)
			begun := time.Now()
			err := r.supervise(ctx, w, func(work context.Context) error { return u.undo(ctx, work, s) })
			if err == nil {
				break
			}
			var pg *pgconn.PgError
			if !errors.As(err, &pg) || s.outside || ctx.Err() != nil || retry.Elsewhere().MatchString(s.text) {
				return err
			}
			why := retry.Passing(pg.Code, pg.Message)
			if why == "" {
				return err
			}
			r.log.Warn("an undo script failed because of others; trying again while there is time",
				"script", s.undo.Script, "reason", why)
			if !retries.Wait(ctx, s.undo.Script, pg.Code, why, time.Since(begun)) {
				return err
			}
		}
	}
	return nil
}

// supervise runs f, whose context ends only when nothing else helps: once ctx
// is done, the statement is cancelled in the server, then the session is ended
// there, and at last the connection is cut.
func (r *run) supervise(ctx context.Context, w *database.Work, f func(context.Context) error) error {
	work, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	done := make(chan struct{})
	grace := session.GraceFor(ctx)
	var ending sync.WaitGroup
	ending.Go(func() {
		select {
		case <-done:
			return
		case <-ctx.Done():
		}
		within := func(d time.Duration) bool {
			select {
			case <-done:
				return true
			case <-time.After(d):
				return false
			}
		}
		// The statement may be between two: cancel until it is over.
		for end := time.Now().Add(grace.Interrupt); time.Now().Before(end); {
			r.session.CancelStatements()
			if within(300 * time.Millisecond) {
				return
			}
		}
		r.session.Sweep()
		if !within(grace.Terminate) {
			cut()
		}
	})
	err := f(work)
	close(done)
	ending.Wait()
	return err
}

// undo takes one step. ctx is asked whether to go on, work is for the session.
func (u *undoing) undo(ctx, work context.Context, s *step) error {
	begun := time.Now()
	if err := u.begin(work, s); err != nil {
		return u.rollback(work, &undoError{step: s, err: err})
	}
	if s.outside {
		if err := u.outside(ctx, work, s); err != nil {
			return err
		}
	} else if err := u.pieces(ctx, work, s); err != nil {
		return u.rollback(work, err)
	}
	then, again, err := u.bury(work, s, int(time.Since(begun).Milliseconds()))
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return u.rollback(work, &undoError{step: s, half: s.outside, err: err})
	}
	notices, err := u.w.Commit(work)
	if err != nil {
		return &undoError{step: s, half: s.outside, err: err}
	}
	*u = then
	u.report.Actions = append(u.report.Actions, again...)
	u.tell(s, notices)
	return nil
}

// begin opens the transaction, and looks at what it may take away.
func (u *undoing) begin(work context.Context, s *step) error {
	rank, err := u.w.Begin(work)
	if err == nil && rank != u.rank {
		err = report.Failf(report.Internal, "somebody else changed the history meanwhile: its last entry is %d, not %d",
			rank, u.rank).
			Next("Run it again.")
	}
	if err == nil && len(u.repeats) > 0 && u.objects == nil {
		u.objects, err = u.w.Objects(work)
	}
	return err
}

// pieces runs the script under its own search path. What comes after it is SQL
// of our own, whatever role or path the script left.
func (u *undoing) pieces(ctx, work context.Context, s *step) error {
	if err := u.w.ScriptPath(work); err != nil {
		return &undoError{step: s, err: err}
	}
	for _, p := range s.pieces {
		err := context.Cause(ctx)
		if err == nil {
			err = u.w.Run(work, p.Piece)
		}
		if err != nil {
			failed := &undoError{step: s, err: err}
			var at *database.PieceError
			if errors.As(err, &at) {
				failed.line = s.lines.Of(p.at + at.At)
				failed.at = p.placeOf(at)
			}
			return failed
		}
	}
	if err := u.w.Pin(work); err != nil {
		return &undoError{step: s, err: err}
	}
	return nil
}

// outside runs a script that can't run in a transaction, with the care that
// Flyway takes: until all of it is done, the version counts as failed, so that
// neither Flyway nor Slipway goes on over what may be half undone.
func (u *undoing) outside(ctx, work context.Context, s *step) error {
	err := u.w.Mark(work, s.row.Rank, false)
	if err == nil {
		_, err = u.w.Commit(work)
	}
	if err != nil {
		return u.rollback(work, &undoError{step: s, err: err})
	}
	// With a lock_timeout, CONCURRENTLY dies on any older snapshot.
	if err = u.w.NoLockTimeout(work); err == nil {
		err = u.pieces(ctx, work, s)
	}
	if err == nil {
		if err = u.begin(work, s); err == nil {
			err = u.w.Mark(work, s.row.Rank, true)
		}
	}
	if err == nil {
		return nil
	}
	var failed *undoError
	if !errors.As(err, &failed) {
		failed = &undoError{step: s, err: err}
	}
	failed.half = true
	return u.rollback(work, failed)
}

// bury writes the tombstone of the version, and those of the repeatable
// scripts that lost something. It returns the state after the commit, and what
// runs again in words.
func (u *undoing) bury(work context.Context, s *step, milliseconds int) (then undoing, again []string, err error) {
	then = *u
	tombstone := func(row history.Row, milliseconds int) {
		row.Type, row.Success, row.InstalledBy, row.Duration = history.Delete, true,
			u.Config.Flyway.Environment["FLYWAY_INSTALLED_BY"], milliseconds
		if err == nil {
			err = u.w.Append(work, row)
		}
		then.rank++
	}
	var lost []database.Object
	if len(u.repeats) > 0 {
		if then.objects, err = u.w.Objects(work); err != nil {
			return then, nil, err
		}
		lost = gone(u.objects, then.objects)
	}
	tombstone(s.row, milliseconds)
	then.repeats = nil
	for _, a := range u.repeats {
		what := a.lost(lost)
		if what == "" {
			then.repeats = append(then.repeats, a)
			continue
		}
		tombstone(a.row, 0)
		again = append(again, fmt.Sprintf("%s runs again at the next migrate: %s took away %s", a.file.Script,
			s.undo.Script, what))
	}
	return then, again, err
}

// tell passes on what the server had to say: an IF EXISTS that found nothing,
// a CASCADE that took more along.
func (u *undoing) tell(s *step, notices database.Notices) {
	for _, n := range notices.First {
		u.warn("%s: %s", s.undo.Script, n)
	}
	if notices.More > 0 {
		u.warn("%s: %d more notices", s.undo.Script, notices.More)
	}
}

// rollback ends the transaction after an error, and returns that.
func (u *undoing) rollback(work context.Context, failed error) error {
	ctx, cancel := context.WithTimeout(work, 5*time.Second)
	defer cancel()
	_ = u.w.Rollback(ctx) // fails only with the session, and then the server does it
	return failed
}
