package migrator

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/history"
	"slipway/lambda/plan"
	"slipway/lambda/report"
)

// errLost ends Flyway when the own session is gone: with it went the run's
// lock, so another run may begin.
var errLost = errors.New("the session that holds the run's lock was lost")

// watcher looks at the database while Flyway runs: it logs how far it is,
// remembers who blocks the run, and notices when the session is lost.
type watcher struct {
	ctx      context.Context
	end      context.CancelCauseFunc
	done     sync.WaitGroup
	quit     chan struct{}
	blockers []report.Blocker
	rows     []history.Row // what came into the history meanwhile
	lost     bool
}

func (r *run) watch(ctx context.Context) *watcher {
	w := &watcher{quit: make(chan struct{})}
	w.ctx, w.end = context.WithCancelCause(ctx)
	rank := history.LastRank(r.rows)
	w.done.Go(func() {
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-w.quit:
				return
			case <-t.C:
			}
			if err := r.glance(w, &rank); err != nil {
				w.lost = true
				r.log.Error("lost the session that holds the run's lock", "error", err.Error())
				w.end(errLost)
				return
			}
		}
	})
	return w
}

// stop ends the watcher and answers what it saw.
func (w *watcher) stop() (blockers []report.Blocker, lost bool) {
	close(w.quit)
	w.done.Wait()
	w.end(nil)
	return w.blockers, w.lost
}

// glance is one look; its errors are those of the session.
func (r *run) glance(w *watcher, rank *int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	// At the end of the work others need the session; one that is well answers by then.
	defer context.AfterFunc(w.ctx, func() { time.AfterFunc(200*time.Millisecond, cancel) })()
	r.connMu.Lock()
	defer r.connMu.Unlock()
	rows, err := r.conn.HistoryAfter(ctx, r.table, *rank)
	if err != nil {
		return err
	}
	if n := len(rows); n > 0 {
		last := rows[n-1]
		*rank, w.rows = last.Rank, append(w.rows, rows...)
		if r.req.Command != "revert" { // which knows better itself how far it is
			applied := plan.AppliedSince(math.MinInt, w.rows, r.plan.Pending)
			r.log.Info(fmt.Sprintf("applied %d of %d", len(applied), len(r.plan.Pending)), "last", last.Script)
		}
	}
	blockers, err := r.conn.BlockersOf(ctx, r.application(false))
	if len(blockers) > 0 {
		w.blockers = blockers
	}
	return err
}

// cancelStatements cancels what Flyway's sessions run, so that Flyway can
// roll back, record a failed script, and end by itself. False: the database
// could not be reached.
func (r *run) cancelStatements() bool { return r.endSessions(false) }

// sweep ends what is left of Flyway's sessions in the database, when Flyway
// itself is gone: a killed client does not stop its statement.
func (r *run) sweep() { r.endSessions(true) }

// alive asks a session for no more than half of the time.
func alive(ctx context.Context, conn *database.Conn) bool {
	deadline, _ := ctx.Deadline()
	ctx, cancel := context.WithTimeout(ctx, time.Until(deadline)/2)
	defer cancel()
	return conn.Alive(ctx)
}

func (r *run) endSessions(terminate bool) (reached bool) {
	ctx, cancel := r.lastly(4*time.Second, 0.2)
	defer cancel()
	r.connMu.Lock()
	conn, borrowed := r.conn, r.conn
	if !alive(ctx, conn) {
		fresh, err := database.Connect(ctx, r.target, r.application(true), 0)
		if err != nil {
			r.connMu.Unlock()
			r.log.Warn("could not reach the database to end the run's statements", "error", err.Error())
			return false
		}
		conn = fresh
	}
	defer r.connMu.Unlock()
	if conn != borrowed {
		defer conn.Close()
	}
	// A session that has just ended by itself may show for a moment.
	for pause := 20 * time.Millisecond; ctx.Err() == nil; pause *= 2 {
		left, err := conn.Sessions(ctx, r.application(false))
		if err != nil || len(left) == 0 {
			return err == nil
		}
		if !terminate || pause > 100*time.Millisecond {
			for _, s := range left {
				r.log.Info("ending a statement of this run", "pid", s.PID, "terminate", terminate, "query", s.Query)
				_ = conn.Cancel(ctx, s.PID, terminate)
			}
		}
		if !terminate {
			return true
		}
		_ = sleep(ctx, pause)
	}
	return true
}
