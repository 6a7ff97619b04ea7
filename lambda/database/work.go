package database

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Work is a session that runs scripts as Flyway's sessions do, one transaction
// at a time. It holds Flyway's lock itself, so that the lock and the work are
// lost together or not at all.
type Work struct {
	pg      *pgx.Conn
	table   Table
	key     int64
	notices []string
}

// OpenWork opens a session beside this one, under that application_name and
// with those server settings, for work on the history in t.
func (c *Conn) OpenWork(ctx context.Context, t Table, application string, settings map[string]string) (*Work, error) {
	config, err := c.target.config(application)
	if err != nil {
		return nil, err
	}
	maps.Copy(config.RuntimeParams, settings)
	w := &Work{table: t, key: FlywayLock(t)}
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if n.SeverityUnlocalized == "NOTICE" || n.SeverityUnlocalized == "WARNING" {
			w.notices = append(w.notices, n.Message)
		}
	}
	w.pg, err = pgx.ConnectConfig(ctx, config)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		_, err = c.target.classify(err)
	}
	return w, err
}

// TryLock takes Flyway's lock for as long as the session lives, if it is free.
func (w *Work) TryLock(ctx context.Context) (got bool, err error) {
	err = w.pg.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", w.key).Scan(&got)
	return got, err
}

// Begin opens a transaction in the state in which Flyway runs a script: as the
// role that logged in, with the history's schema first in the search path, and
// nothing left of what a script before it had set. It answers the history's last rank.
func (w *Work) Begin(ctx context.Context) (rank int, err error) {
	w.notices = nil
	// A script may have let go of the session's lock; it can't of the transaction's.
	if _, err = w.pg.Exec(ctx, "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL"); err == nil {
		_, err = w.pg.Exec(ctx, fmt.Sprintf("BEGIN; SELECT pg_advisory_xact_lock(%d)", w.key))
	}
	if err == nil {
		err = w.setPath(ctx)
	}
	if err == nil {
		err = w.pg.QueryRow(ctx, "SELECT coalesce(max(installed_rank), 0) FROM "+w.table.String()).Scan(&rank)
	}
	return rank, err
}

func (w *Work) setPath(ctx context.Context) error {
	var path string
	if err := w.pg.QueryRow(ctx, "SHOW search_path").Scan(&path); err != nil {
		return err
	}
	if path == w.table.Schema || strings.HasPrefix(path, w.table.Schema+",") {
		return nil
	}
	first := pgx.Identifier{w.table.Schema}.Sanitize()
	if path != "" {
		first += "," + path
	}
	_, err := w.pg.Exec(ctx, "SELECT set_config('search_path', $1, false)", first)
	return err
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

// Append adds a row to the history in the same transaction, as the role that
// logged in. Its rank, its time and, with "", its InstalledBy are set here.
func (w *Work) Append(ctx context.Context, r Row) error {
	if _, err := w.pg.Exec(ctx, "RESET SESSION AUTHORIZATION; RESET ROLE"); err != nil {
		return err
	}
	_, err := w.pg.Exec(ctx, `INSERT INTO `+w.table.String()+` (installed_rank, version, description, type, script, checksum, installed_by, execution_time, success)
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

// Commit ends the transaction and answers what the server had to say in it.
func (w *Work) Commit(ctx context.Context) (notices []string, err error) {
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

// Object is something in the database that a script can have made.
type Object struct {
	Kind, Name string
	State      string // differs when the object was made anew or got another definition
}

// Objects lists, by identity, what repeatable scripts usually make or fill,
// and all that can be dropped from under it. What PostgreSQL has itself and
// the history are left out.
func (w *Work) Objects(ctx context.Context) (map[string]Object, error) {
	rows, err := w.pg.Query(ctx, objects, w.table.Schema, w.table.Name)
	if err != nil {
		return nil, err
	}
	all := map[string]Object{}
	var key string
	var o Object
	_, err = pgx.ForEachRow(rows, []any{&key, &o.Kind, &o.Name, &o.State}, func() error {
		all[key] = o
		return nil
	})
	return all, err
}

// Row versions (xmin) tell a view, function, trigger, policy or rule that was
// replaced. A table changes for many reasons, so there only a new one counts.
const objects = `
WITH mine AS (SELECT oid, nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema')
SELECT 'r' || c.oid, CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' ELSE 'table' END,
	c.relname::text, coalesce((SELECT string_agg(w.xmin::text, ',' ORDER BY w.oid) FROM pg_rewrite w WHERE w.ev_class = c.oid), '') || coalesce(c.relacl::text, '')
	FROM pg_class c JOIN mine n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I') AND NOT (n.nspname = $1 AND c.relname = $2)
UNION ALL SELECT 'f' || p.oid, 'function', p.proname::text, p.xmin::text FROM pg_proc p JOIN mine n ON n.oid = p.pronamespace
UNION ALL SELECT 't' || t.oid, 'type', t.typname::text, '' FROM pg_type t JOIN mine n ON n.oid = t.typnamespace
	WHERE t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND t.typrelid IN (SELECT oid FROM pg_class WHERE relkind = 'c')
UNION ALL SELECT 'g' || g.oid, 'trigger', g.tgname::text, g.xmin::text FROM pg_trigger g WHERE NOT g.tgisinternal
UNION ALL SELECT 'p' || p.oid, 'policy', p.polname::text, p.xmin::text FROM pg_policy p
UNION ALL SELECT 'n' || oid, 'schema', nspname::text, '' FROM mine`
