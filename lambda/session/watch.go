package session

import (
	"context"
	"errors"
	"sync"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/history"
	"slipway/lambda/report"
)

// errLost ends Flyway when the own session is gone: with it went the run's
// lock, so another run may begin.
var errLost = errors.New("the session that holds the run's lock was lost")

// Watcher looks at the database while Flyway runs: it logs how far it is,
// remembers who blocks the run, and notices when the session is lost.
type Watcher struct {
	// Context is for the start of Flyway: it ends when the session is lost.
	Context  context.Context
	end      context.CancelCauseFunc
	done     sync.WaitGroup
	quit     chan struct{}
	blockers []report.Blocker
	Rows     []history.Row // what came into the history meanwhile
	lost     bool
}

// Watch looks once a second. rank is the history's last one; progress, where it is
// not nil, gets all the rows that came since. The caller stops the watcher.
func (s *Session) Watch(ctx context.Context, rank int, progress func([]history.Row)) *Watcher {
	w := &Watcher{quit: make(chan struct{})}
	w.Context, w.end = context.WithCancelCause(ctx)
	w.done.Go(func() {
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-w.quit:
				return
			case <-t.C:
			}
			if err := w.poll(s, &rank, progress); err != nil {
				w.lost = true
				s.options.Log.Error("lost the session that holds the run's lock", "error", err.Error())
				w.end(errLost)
				return
			}
		}
	})
	return w
}

// Stop ends the watcher and returns what it saw.
func (w *Watcher) Stop() (blockers []report.Blocker, lost bool) {
	close(w.quit)
	w.done.Wait()
	w.end(nil)
	return w.blockers, w.lost
}

// poll is one look; its errors are those of the session.
func (w *Watcher) poll(s *Session, rank *int, progress func([]history.Row)) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	// At the end of the work others need the session; one that is well answers by then.
	defer context.AfterFunc(w.Context, func() { time.AfterFunc(200*time.Millisecond, cancel) })()
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, err := s.conn.HistoryAfter(ctx, s.Table, *rank)
	if err != nil {
		return err
	}
	if n := len(rows); n > 0 {
		last := rows[n-1]
		*rank, w.Rows = last.Rank, append(w.Rows, rows...)
		if progress != nil {
			progress(w.Rows)
		}
	}
	blockers, err := s.conn.BlockersOf(ctx, s.Application())
	if len(blockers) > 0 {
		w.blockers = blockers
	}
	return err
}

// CancelStatements cancels what Flyway's sessions run, so that Flyway can
// roll back, record a failed script, and end by itself. False: the database
// could not be reached.
func (s *Session) CancelStatements() bool { return endSessions(s, false) }

// Sweep ends what is left of Flyway's sessions in the database, when Flyway
// itself is gone: a killed client does not stop its statement.
func (s *Session) Sweep() { endSessions(s, true) }

// alive asks a session for no more than half of the time.
func alive(ctx context.Context, conn *database.Conn) bool {
	deadline, _ := ctx.Deadline()
	ctx, cancel := context.WithTimeout(ctx, time.Until(deadline)/2)
	defer cancel()
	return conn.Alive(ctx)
}

func endSessions(s *Session, terminate bool) (reached bool) {
	ctx, cancel := s.Cleanup(4*time.Second, 0.2)
	defer cancel()
	s.mu.Lock()
	conn, borrowed := s.conn, s.conn
	if !alive(ctx, conn) {
		fresh, err := database.Connect(ctx, s.target, ownApplication(s.options.RunID), 0)
		if err != nil {
			s.mu.Unlock()
			s.options.Log.Warn("could not reach the database to end the run's statements", "error", err.Error())
			return false
		}
		conn = fresh
	}
	defer s.mu.Unlock()
	if conn != borrowed {
		defer conn.Close()
	}
	// A session that has just ended by itself may show for a moment.
	for pause := 20 * time.Millisecond; ctx.Err() == nil; pause *= 2 {
		left, err := conn.Sessions(ctx, s.Application())
		if err != nil || len(left) == 0 {
			return err == nil
		}
		if !terminate || pause > 100*time.Millisecond {
			for _, other := range left {
				s.options.Log.Info("ending a statement of this run", "pid", other.PID, "terminate", terminate, "query",
					other.Query)
				_ = conn.Cancel(ctx, other.PID, terminate)
			}
		}
		if !terminate {
			return true
		}
		_ = Sleep(ctx, pause)
	}
	return true
}
