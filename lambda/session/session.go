// Package session is a run's own session beside Flyway's: it finds the database,
// holds the run's lock, watches how far Flyway is and who blocks it, cancels and
// ends what is left, and divides the time until the run's deadline.
//
// It decides how long each of these may take and what a lost session means. What
// is run, and when, it leaves to its callers. The connection is locked: other
// packages reach it through [Ask] and [Session.AskAtEnd] alone, and may do so while
// a [Watcher] is at work. It may import database, history, flyway (for the
// times in which it ends) and report.
package session

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/history"
	"slipway/lambda/report"
)

// Options are what a session needs of an environment and of its run. The zero
// value of a duration is no wait.
type Options struct {
	SecretARN string                  // Secrets Manager secret with username and password
	Secrets   database.SecretsManager // reads it
	Override  database.Target         // fields that win over the secret's, where set; its TLS is the one used
	IAMAuth   TokenBuilder            // makes the password where set

	LockTimeout time.Duration // how long an undo script waits for a table lock
	LockWait    time.Duration // how long a lock of another run is waited for
	ConnectWait time.Duration // how long a server that does not answer is tried
	ReadOnly    bool          // the session changes nothing

	RunID    string
	Deadline time.Time // when the report must be there; zero for none
	Log      *slog.Logger
	Warn     func(format string, args ...any) // puts a warning into the report
}

// TokenBuilder makes an IAM authentication token for a database user.
type TokenBuilder func(ctx context.Context, address, user string) (string, error)

// Session is the run's own session. [Session.Open] has to come first.
type Session struct {
	Table history.Table // set once, before the run's lock is taken

	options Options
	target  database.Target
	mu      sync.Mutex // for conn, which the watcher uses too
	conn    *database.Conn
}

// New makes a session that is not open yet.
func New(o Options) *Session { return &Session{options: o} }

// Target is where the database is, as far as it is known.
func (s *Session) Target() database.Target { return s.target }

// Database is the target for the report, which holds no password.
func (s *Session) Database() report.Database {
	d := report.Database{Host: s.target.Host, Port: s.target.Port, Name: s.target.Name, User: s.target.User}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		d.ServerVersion = s.conn.Server
	}
	return d
}

// IsOpen reports whether there ever was a session.
func (s *Session) IsOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn != nil
}

// Ask asks the database by the run's own session, which has to be open.
func Ask[T any](s *Session, question func(*database.Conn) (T, error)) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return question(s.conn)
}

// AskAtEnd asks in the time that is kept for the end of a run, so also after the
// work's context has ended. Without a session nothing is asked.
func (s *Session) AskAtEnd(question func(context.Context, *database.Conn)) {
	ctx, cancel := s.Cleanup(3*time.Second, 0.15)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		question(ctx, s.conn)
	}
}

// Settings are the settings for a session that runs scripts; see
// [database.Conn.SessionSettings].
func (s *Session) Settings() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn.SessionSettings()
}

// Application is the application_name of the sessions that run scripts. Its
// prefix is the same for all runs on the same history.
func (s *Session) Application() string { return applicationPrefix(s.Table) + s.options.RunID }

// ownApplication is the application_name of the run's own sessions.
func ownApplication(runID string) string { return "slipway-run/" + runID }

func applicationPrefix(table history.Table) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(table.String()))
	return fmt.Sprintf("slipway/%08x/", h.Sum32())
}

// Cleanup is a context for one of the last things of a run, such as a cancel or
// a look at the history: it outlives the work's, and takes at most so long,
// and at most that part of the time left until the report must be there. With a
// server that says nothing any more, each of them uses its time up.
func (s *Session) Cleanup(limit time.Duration, part float64) (context.Context, context.CancelFunc) {
	if !s.options.Deadline.IsZero() {
		left := time.Duration(float64(time.Until(s.options.Deadline)) * part)
		limit = min(limit, max(left, 50*time.Millisecond))
	}
	return context.WithTimeout(context.Background(), limit)
}

// Close ends the session and thereby frees the run's lock.
func (s *Session) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		s.conn.Close()
	}
}

// Sleep waits, or returns the context's cause.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Well reports whether the run's own session still answers.
func (s *Session) Well() bool {
	ctx, cancel := s.Cleanup(3*time.Second, 0.15)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn != nil && alive(ctx, s.conn)
}
