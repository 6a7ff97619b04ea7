package migrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"slipway/lambda/database"
	"slipway/lambda/report"
)

// undoError is why a step was not taken.
type undoError struct {
	step *step
	line int // in the undo script, 0 where it has none
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

// undoAll takes the steps, one after the other. One that could not get a table
// lock in time, or was picked to end a deadlock, is tried again while there is time.
func (r *run) undoAll(ctx context.Context, w *database.Work, p *revertPlan) error {
	u := &undoing{run: r, w: w, rank: lastRank(r.history), repeats: slices.Clone(p.repeats)}
	giveUp := time.Now().Add(r.Config.LockWait)
	for i := range p.steps {
		s := &p.steps[i]
		for pause := time.Second; ; pause = min(2*pause, 10*time.Second) {
			r.log.Info(fmt.Sprintf("reverting %d of %d", i+1, len(p.steps)), "script", s.undo.Script)
			err := r.supervise(ctx, w, func(work context.Context) error { return u.undo(ctx, work, s) })
			if err == nil {
				break
			}
			var pg *pgconn.PgError
			if !errors.As(err, &pg) || pg.Code != lockNotAvailable && pg.Code != deadlockDetected || s.outside || ctx.Err() != nil || time.Now().Add(pause).After(giveUp) {
				return err
			}
			r.log.Warn("a table lock was not to be had; trying again", "script", s.undo.Script, "in", pause.String())
			if sleep(ctx, pause) != nil {
				return err
			}
		}
	}
	return nil
}

const deadlockDetected = "40P01"

// supervise runs f, whose context ends only when nothing else helps: once ctx
// is done, the statement is cancelled in the server, then the session is ended
// there, and at last the connection is cut.
func (r *run) supervise(ctx context.Context, w *database.Work, f func(context.Context) error) error {
	work, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	done := make(chan struct{})
	grace := grace(ctx)
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
			r.cancelStatements()
			if within(300 * time.Millisecond) {
				return
			}
		}
		r.sweep()
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
		err = report.Failf(report.Internal, "Run it again.", "somebody else changed the history meanwhile: its last entry is %d, not %d", rank, u.rank)
	}
	if err == nil && len(u.repeats) > 0 && u.objects == nil {
		u.objects, err = u.w.Objects(work)
	}
	return err
}

func (u *undoing) pieces(ctx, work context.Context, s *step) error {
	for _, p := range s.pieces {
		err := context.Cause(ctx)
		if err == nil {
			err = u.w.Run(work, p.Piece)
		}
		if err != nil {
			failed := &undoError{step: s, err: err}
			var at *database.PieceError
			if errors.As(err, &at) {
				failed.line = s.lineOf(p.at + at.At)
			}
			return failed
		}
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
// scripts that lost something. It answers the state after the commit, and what
// runs again in words.
func (u *undoing) bury(work context.Context, s *step, milliseconds int) (then undoing, again []string, err error) {
	then = *u
	tombstone := func(row database.Row, milliseconds int) {
		row.Type, row.Success, row.InstalledBy, row.Duration = "DELETE", true, u.Config.Flyway.Environment["FLYWAY_INSTALLED_BY"], milliseconds
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
		again = append(again, fmt.Sprintf("%s runs again at the next migrate: %s took away %s", a.file.Script, s.undo.Script, what))
	}
	return then, again, err
}

// tell passes on what the server had to say: an IF EXISTS that found nothing,
// a CASCADE that took more along.
func (u *undoing) tell(s *step, notices []string) {
	const most = 10
	for i, n := range notices {
		if i == most {
			u.warn("%s: %d more notices", s.undo.Script, len(notices)-most)
			return
		}
		u.warn("%s: %s", s.undo.Script, n)
	}
}

// rollback ends the transaction after an error, and answers that.
func (u *undoing) rollback(work context.Context, failed error) error {
	ctx, cancel := context.WithTimeout(work, 5*time.Second)
	defer cancel()
	_ = u.w.Rollback(ctx) // fails only with the session, and then the server does it
	return failed
}

// explainUndo turns what a step ended with into a typed failure that says
// where the database stands.
func (r *run) explainUndo(ctx context.Context, err error, lost bool, blockers []report.Blocker) error {
	r.nameRestore()
	var u *undoError
	if !errors.As(err, &u) {
		return err
	}
	var pg *pgconn.PgError
	var f *report.Failure
	switch known := errors.As(err, &pg); {
	case lost && ctx.Err() == nil:
		f = report.Failf(report.DatabaseUnreachable, "Run it again when the server takes connections.", "the connection to the database was lost")
	case ctx.Err() != nil:
		f = r.ended(ctx)
	case errors.As(err, &f):
	case database.IsConnectionError(err):
		f = report.Failf(report.DatabaseUnreachable, "Run it again when the server takes connections.", "the connection to the database was lost: %w", err)
	case known && pg.Code == "25006":
		f = report.Failf(report.DatabaseUnreachable, "Connect to the writer (the cluster endpoint); after a failover, run it again.", "%s", pg.Message)
	case known && pg.Code == lockNotAvailable:
		f = report.Failf(report.Locked, "Run it again when the named sessions have ended; how long a script waits is SLIPWAY_LOCK_TIMEOUT.", "a table lock was not to be had within %s", r.Config.LockTimeout)
		f.Blockers = blockers
	case known:
		f = report.Failf(report.MigrationFailed, "Correct the undo script and revert again, or go forward with a new script.", "%s", pgMessage(pg))
		f.Err = err
	default:
		f = report.AsFailure(err)
	}
	f.Script, f.Line = u.step.undo.Script, u.line
	if pg != nil {
		f.SQLState = pg.Code
	}
	version := *u.step.row.Version
	stands := orNone(r.plan.current)
	switch {
	case len(r.report.Reverted) > 0 && r.report.Reverted[len(r.report.Reverted)-1].Version == version:
		// The answer to the COMMIT was lost, not the COMMIT.
		f.Message += fmt.Sprintf("\nVersion %s had been reverted before that; the database stands at version %s.", version, stands)
	case u.half:
		f.Message += fmt.Sprintf("\nThe script ran outside a transaction, so version %s may be half undone; it counts as failed.", version)
		f.Next = fmt.Sprintf("Finish by hand what the script left half done, then run `slipway repair`: version %s is then pending.", version)
		if drops := r.dropInvalid(); drops != "" {
			f.Next = fmt.Sprintf("It left an invalid index: run `%s` and what else the script would have done, then `slipway repair`: version %s is then pending.", drops, version)
		}
	default:
		f.Message += fmt.Sprintf("\nVersion %s was rolled back to as it was. %s; the database stands at version %s.", version, revertedBefore(len(r.report.Reverted)), stands)
	}
	return f
}

func revertedBefore(n int) string {
	if n == 0 {
		return "Nothing was reverted"
	}
	return fmt.Sprintf("%s reverted before it", map[bool]string{true: "1 version was", false: fmt.Sprintf("%d versions were", n)}[n == 1])
}

// pgMessage is all that the server said of an error.
func pgMessage(e *pgconn.PgError) string {
	var b strings.Builder
	b.WriteString(e.Message)
	for _, more := range []struct{ name, text string }{{"Detail", e.Detail}, {"Hint", e.Hint}, {"Where", e.Where}} {
		if more.text != "" {
			fmt.Fprintf(&b, "\n%s: %s", more.name, more.text)
		}
	}
	return b.String()
}
