package database

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/history"
	"slipway/lambda/report"
)

// TryLock takes an advisory lock for as long as the session lives, if it is
// free. One run at a time holds it; its loss with the session proves that the
// run is over.
func (c *Conn) TryLock(ctx context.Context, key int64) (got bool, err error) {
	err = c.pg.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", key).Scan(&got)
	return got, err
}

// What a session works on is told by its locks: tables and views of this
// database, with those that it waits for. Its statement would have to be read
// for that, and may be cut off anywhere.
const session = `a.pid, coalesce(a.usename, ''), coalesce(a.application_name, ''),
	coalesce(a.xact_start, a.backend_start, now()), coalesce(a.query, ''),
	ARRAY(SELECT DISTINCT CASE WHEN n.nspname = 'public' THEN '' ELSE quote_ident(n.nspname) || '.' END || quote_ident(c.relname)
		FROM pg_locks held JOIN pg_class c ON c.oid = held.relation JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE held.pid = a.pid AND held.locktype = 'relation' AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
		ORDER BY 1 LIMIT ` + maxTables + `)`

// maxTables is how many of a session's tables are named.
const maxTables = "5"

// LockHolders are the sessions that hold that advisory lock.
func (c *Conn) LockHolders(ctx context.Context, key int64) ([]report.Blocker, error) {
	return c.sessions(ctx, `SELECT `+session+` FROM pg_locks l JOIN pg_stat_activity a USING (pid)
		WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
		AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND (l.classid::bigint << 32) | l.objid::bigint = $1`, key)
}

// BlockersOf are the sessions that the sessions under that application_name wait for.
func (c *Conn) BlockersOf(ctx context.Context, application string) ([]report.Blocker, error) {
	return c.sessions(ctx, `SELECT `+session+` FROM pg_stat_activity w, unnest(pg_blocking_pids(w.pid)) AS p
		JOIN pg_stat_activity a ON a.pid = p
		WHERE w.application_name = $1 AND w.datname = current_database()`, application)
}

// Sessions are those in this database whose application_name begins with the
// prefix, this one aside.
func (c *Conn) Sessions(ctx context.Context, prefix string) ([]report.Blocker, error) {
	// There are none nearly always, and to say so without the view's joins
	// takes a new session a third of the time.
	var some bool
	err := c.pg.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_stat_get_activity(NULL) AS a WHERE "+
		"starts_with(a.application_name, $1) AND a.pid <> pg_backend_pid())", prefix).Scan(&some)
	if err != nil || !some {
		return nil, err
	}
	return c.sessions(ctx, `SELECT `+session+` FROM pg_stat_activity a
		WHERE starts_with(a.application_name, $1) AND a.datname = current_database() AND a.pid <> pg_backend_pid()`, prefix)
}

func (c *Conn) sessions(ctx context.Context, sql string, arg any) ([]report.Blocker, error) {
	rows, err := c.pg.Query(ctx, sql, arg)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (b report.Blocker, err error) {
		var statement string
		var tables []string
		err = r.Scan(&b.PID, &b.User, &b.Application, &b.Since, &statement, &tables)
		b.Query = kindOf(statement)
		if len(tables) > 0 {
			b.Query = report.Cut(b.Query+" on "+strings.Join(tables, ", "), 200)
		}
		return b, err
	})
}

// Cancel cancels what a session runs (as pg_cancel_backend); terminate ends the session.
func (c *Conn) Cancel(ctx context.Context, pid int, terminate bool) error {
	sql := "SELECT pg_cancel_backend($1)"
	if terminate {
		sql = "SELECT pg_terminate_backend($1)"
	}
	_, err := c.pg.Exec(ctx, sql, pid)
	return err
}

// InvalidIndexes are the indexes that an interrupted CREATE INDEX CONCURRENTLY
// left behind: quoted, with their schemas.
func (c *Conn) InvalidIndexes(ctx context.Context) ([]string, error) {
	rows, err := c.pg.Query(ctx, `SELECT format('%I.%I', n.nspname, r.relname) FROM pg_index i
		JOIN pg_class r ON r.oid = i.indexrelid JOIN pg_namespace n ON n.oid = r.relnamespace
		WHERE NOT i.indisvalid AND r.relkind = 'i' AND n.nspname NOT LIKE 'pg\_%' AND NOT EXISTS
			(SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
		ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// MayCreate reports whether the role may make tables in that schema; in one
// that does not exist yet, nothing is in the way.
func (c *Conn) MayCreate(ctx context.Context, schema string) (may bool, err error) {
	err = c.pg.QueryRow(ctx, "SELECT coalesce((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE "+
		"nspname = $1), true)", schema).Scan(&may)
	return may, err
}

// HasTables reports whether the database has a table besides the history and
// those of extensions, outside of the schemas that have another history.
func (c *Conn) HasTables(ctx context.Context, t history.Table) (has bool, err error) {
	err = c.pg.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p', 'f') AND c.relname <> $2 AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
			AND (n.nspname = $1 OR NOT EXISTS (SELECT FROM pg_class h WHERE h.relnamespace = n.oid AND h.relname = $2)))`,
		t.Schema, t.Name).Scan(&has)
	return has, err
}

// Now is the server's clock.
func (c *Conn) Now(ctx context.Context) (now time.Time, err error) {
	err = c.pg.QueryRow(ctx, "SELECT now()").Scan(&now)
	return now.UTC(), err
}

// ReadOnly keeps the transactions of this session from changing anything.
func (c *Conn) ReadOnly(ctx context.Context) error {
	_, err := c.pg.Exec(ctx, "SET default_transaction_read_only = on")
	return err
}

// Alive reports whether the session still answers.
func (c *Conn) Alive(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return c.pg.Ping(ctx) == nil
}

// Half is a partition that an interrupted DETACH PARTITION … CONCURRENTLY left
// neither attached nor detached. The names are quoted, with their schemas.
type Half struct {
	Parent, Partition string
}

// Finalize is the statement that ends it.
func (h Half) Finalize() string {
	return "ALTER TABLE " + h.Parent + " DETACH PARTITION " + h.Partition + " FINALIZE;"
}

// HalfDetached are those partitions, without those that a session is at work on.
func (c *Conn) HalfDetached(ctx context.Context) ([]Half, error) {
	// 13 does not have the column.
	rows, err := c.pg.Query(ctx,
		`SELECT format('%I.%I', pn.nspname, p.relname), format('%I.%I', rn.nspname, r.relname) FROM pg_inherits i
		JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
		JOIN pg_class r ON r.oid = i.inhrelid JOIN pg_namespace rn ON rn.oid = r.relnamespace
		WHERE to_jsonb(i) ->> 'inhdetachpending' = 'true' AND NOT EXISTS (SELECT FROM pg_locks l
			WHERE l.relation = i.inhparent AND l.mode = 'ShareUpdateExclusiveLock' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
		ORDER BY 2`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Half])
}
