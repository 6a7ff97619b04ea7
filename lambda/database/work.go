package database

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"slipway/lambda/history"
)

// Work is a session that runs scripts as Flyway's sessions do, one transaction
// at a time. It holds Flyway's lock itself, so that the lock and the work are
// lost together or not at all.
type Work struct {
	pg      *pgx.Conn
	table   history.Table
	key     int64
	path    string // the search path of scripts
	notices Notices
}

// OpenWork opens a session beside this one, under that application_name and
// with those server settings, for work on the history in t.
func (c *Conn) OpenWork(ctx context.Context, t history.Table, application string, settings map[string]string) (*Work,
	error) {
	config, err := c.target.config(application)
	if err != nil {
		return nil, err
	}
	maps.Copy(config.RuntimeParams, settings)
	w := &Work{table: t, key: FlywayLock(t)}
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if n.SeverityUnlocalized == "NOTICE" || n.SeverityUnlocalized == "WARNING" {
			w.notices.add(n.Message)
		}
	}
	w.pg, err = pgx.ConnectConfig(ctx, config)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		_, err = c.target.classify(err)
		return nil, err
	}
	if err = w.learnPath(ctx); err != nil {
		w.Close(ctx)
		return nil, err
	}
	return w, nil
}

// learnPath decides the search path of scripts as Flyway does: the role's,
// with the history's schema before it. The session's own is then pinned.
func (w *Work) learnPath(ctx context.Context) error {
	if err := w.pg.QueryRow(ctx, "SHOW search_path").Scan(&w.path); err != nil {
		return err
	}
	if w.path != w.table.Schema && !strings.HasPrefix(w.path, w.table.Schema+",") {
		first := pgx.Identifier{w.table.Schema}.Sanitize()
		if w.path != "" {
			first += "," + w.path
		}
		w.path = first
	}
	_, err := w.pg.Exec(ctx, pin)
	return err
}

// ScriptPath gives what follows the search path of scripts: the pieces of an
// undo script, and the deferred triggers that a commit fires.
func (w *Work) ScriptPath(ctx context.Context) error {
	_, err := w.pg.Exec(ctx, "SELECT pg_catalog.set_config('search_path', $1, false)", w.path)
	return err
}

// Pin ends what [Work.ScriptPath] began, and takes back any role or search
// path that the script has set: what follows is SQL of our own again.
func (w *Work) Pin(ctx context.Context) error {
	_, err := w.pg.Exec(ctx, "RESET SESSION AUTHORIZATION; RESET ROLE; "+pin)
	return err
}

// TryLock takes Flyway's lock for as long as the session lives, if it is free.
func (w *Work) TryLock(ctx context.Context) (got bool, err error) {
	err = w.pg.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", w.key).Scan(&got)
	return got, err
}

// clean makes the session like a new one. DISCARD ALL would free its locks as well.
const clean = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; CLOSE ALL; UNLISTEN *; DEALLOCATE ALL; DISCARD " +
	"TEMP; "

// Begin opens a transaction as the role that logged in, with nothing left of
// what a script before it had set, and with the search path pinned. It returns
// the history's last rank.
func (w *Work) Begin(ctx context.Context) (rank int, err error) {
	w.notices = Notices{}
	if _, err = w.pg.Exec(ctx, clean+pin); err == nil {
		// A script may have let go of the session's lock, or taken others. While the
		// transaction has the lock as well, nobody else gets it in between.
		_, err = w.pg.Exec(ctx, fmt.Sprintf("BEGIN; SELECT pg_advisory_xact_lock(%[1]d); SELECT "+
			"pg_advisory_unlock_all(); SELECT pg_advisory_lock(%[1]d)", w.key))
	}
	if err == nil {
		err = w.pg.QueryRow(ctx, "SELECT coalesce(max(installed_rank), 0) FROM "+w.table.String()).Scan(&rank)
	}
	return rank, err
}

// Piece is a part of a script that is sent at once.
type Piece struct {
	SQL    string
	Starts []int   // where each of its statements begins in SQL, in bytes
	Data   *string // for a COPY … FROM STDIN, which is a piece by itself
}

// PieceError is an error of one piece. At is where, as an offset in bytes.
type PieceError struct {
	At  int
	Err error
}

func (e *PieceError) Error() string { return e.Err.Error() }

// Unwrap is the driver's error.
func (e *PieceError) Unwrap() error { return e.Err }

// Run runs a piece of a script in the transaction. Rows that it answers are
// dropped. An error of the server is a *PieceError.
func (w *Work) Run(ctx context.Context, p Piece) error {
	done := 0
	var err error
	if p.Data != nil {
		_, err = w.pg.PgConn().CopyFrom(ctx, strings.NewReader(*p.Data), p.SQL)
	} else {
		// PostgreSQL's own parser tells the statements apart. How many were
		// done tells which one failed, where the error itself does not.
		results := w.pg.PgConn().Exec(ctx, p.SQL)
		for results.NextResult() {
			if _, err = results.ResultReader().Close(); err != nil {
				break
			}
			done++
		}
		if end := results.Close(); err == nil {
			err = end
		}
	}
	if err == nil {
		return nil
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	at := 0
	switch {
	case pg.Position > 0:
		at = byteOffset(p.SQL, int(pg.Position)-1)
	case done < len(p.Starts):
		at = p.Starts[done]
	}
	return &PieceError{at, pg}
}

// byteOffset is where the character of that number, from 0, begins.
func byteOffset(s string, character int) int {
	for at := range s {
		if character == 0 {
			return at
		}
		character--
	}
	return len(s)
}

// Append adds a row to the history in the same transaction. Its rank, its time
// and, with "", its InstalledBy are set here.
func (w *Work) Append(ctx context.Context, r history.Row) error {
	_, err := w.pg.Exec(ctx, `INSERT INTO `+w.table.String()+
		` (installed_rank, version, description, type, script, checksum, installed_by, execution_time, success)
		SELECT max(installed_rank) + 1, $1, $2, $3, $4, $5::integer, coalesce(nullif($6, ''), current_user), $7::integer, $8::boolean FROM `+w.table.String(),
		r.Version, r.Description, r.Type, r.Script, r.Checksum, r.InstalledBy, r.Duration, r.Success)
	return err
}

// Mark sets the success of the history's row of that rank.
func (w *Work) Mark(ctx context.Context, rank int, success bool) error {
	tag, err := w.pg.Exec(ctx, `UPDATE `+w.table.String()+` SET success = $1 WHERE installed_rank = $2`, success, rank)
	if err == nil && tag.RowsAffected() != 1 {
		err = fmt.Errorf("the history has no entry %d any more", rank)
	}
	return err
}

// NoLockTimeout takes the limit on waiting for table locks away, until the next Begin.
func (w *Work) NoLockTimeout(ctx context.Context) error {
	_, err := w.pg.Exec(ctx, "SET lock_timeout = 0")
	return err
}

// Commit ends the transaction and returns what the server had to say in it.
// Until the next Begin the search path is the scripts'.
func (w *Work) Commit(ctx context.Context) (Notices, error) {
	if err := w.ScriptPath(ctx); err != nil {
		return w.notices, err
	}
	tag, err := w.pg.Exec(ctx, "COMMIT")
	if err == nil && tag.String() != "COMMIT" {
		err = errors.New("the transaction was rolled back instead of committed")
	}
	return w.notices, err
}

// Rollback ends the transaction. It fails only with the session.
func (w *Work) Rollback(ctx context.Context) error {
	_, err := w.pg.Exec(ctx, "ROLLBACK")
	return err
}

// Close ends the session, and with it its lock. It does not wait for a
// statement that still runs.
func (w *Work) Close(ctx context.Context) { _ = w.pg.Close(ctx) }
