package migrator_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"slipway/lambda/sqltext"
)

// The server is the judge of which statements it refuses in a transaction.
func TestStatementsOutsideTransactionByTheServer(t *testing.T) {
	y := newYard(t, nil)
	y.exec(`CREATE TABLE t (id int PRIMARY KEY); CREATE INDEX i ON t (id);
		CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
		CREATE TYPE e AS ENUM ('a')`)
	ctx := context.Background()
	conn := y.connect()
	for _, sql := range []string{
		"VACUUM t", "VACUUM (FULL, ANALYZE) t", "CLUSTER", "CLUSTER VERBOSE", "CLUSTER (VERBOSE)",
		"CLUSTER t USING t_pkey", "ANALYZE",
		"REINDEX INDEX CONCURRENTLY i", "REINDEX (VERBOSE) TABLE CONCURRENTLY t", "REINDEX (CONCURRENTLY) TABLE t",
		"REINDEX (VERBOSE, CONCURRENTLY ON) TABLE t", "REINDEX (CONCURRENTLY FALSE) TABLE t",
		"REINDEX (CONCURRENTLY OFF, VERBOSE) TABLE t",
		"REINDEX (CONCURRENTLY, VERBOSE) SCHEMA public", "REINDEX (VERBOSE, CONCURRENTLY TRUE) INDEX i",
		"REINDEX (CONCURRENTLY 1) TABLE t",
		"REINDEX SCHEMA public", "REINDEX TABLE t", "REINDEX SCHEMA CONCURRENTLY public", "REINDEX INDEX i",
		"CREATE INDEX CONCURRENTLY x ON t (id)", "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS x ON t (id)",
		"DROP INDEX CONCURRENTLY i",
		"ALTER TABLE p DETACH PARTITION p1", "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY",
		"ALTER TABLE ONLY p DETACH PARTITION p1 CONCURRENTLY",
		"ALTER TABLE p DETACH PARTITION p1 FINALIZE", "ALTER SYSTEM SET work_mem = '8MB'", "ALTER SYSTEM RESET ALL",
		"CREATE DATABASE x", "DROP DATABASE IF EXISTS x", "ALTER DATABASE postgres SET TABLESPACE pg_default",
		"ALTER DATABASE postgres SET work_mem = '8MB'",
		"CREATE TABLESPACE x LOCATION '/nowhere'", "DROP TABLESPACE IF EXISTS x", "ALTER TYPE e ADD VALUE 'b'",
		"DISCARD ALL", "DISCARD TEMP", "DISCARD PLANS",
		"COMMIT PREPARED 'x'", "ROLLBACK PREPARED 'x'", "CHECKPOINT", "LISTEN a", "UNLISTEN *", "DEALLOCATE ALL",
		"REFRESH MATERIALIZED VIEW CONCURRENTLY v", "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p",
	} {
		tx, err := conn.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		_, err = tx.Exec(ctx, sql)
		_ = tx.Rollback(ctx)
		var refused *pgconn.PgError
		is := errors.As(err, &refused) && refused.Code == "25001"
		if got := sqltext.Split(sql)[0].OutsideTransaction(); got != is {
			t.Errorf("%s: %t, and the server says %v", sql, got, err)
		}
	}
}

// The server is the judge of where statements end: it takes one at a time, and
// says so when two stand in one piece.
func TestStatementsAreCutAsTheServerDoes(t *testing.T) {
	y := newYard(t, nil)
	conn := y.connect()
	ctx := context.Background()
	scripts := map[string]string{
		"here": `SELECT $$$$; SELECT a$b$c; SELECT 1 AS end; SELECT E'a' -- x
			'\';'; SELECT U&'\0041;', "a;""b", $x$ $$; $x$; (SELECT 1; /* a; /* b; */ ; */ SELECT '\';
			CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN CASE b WHEN 1 THEN 2 END END; SELECT 1 AS end; SELECT (x).end; END;
			CREATE PROCEDURE f() BEGIN ATOMIC END; CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); PREPARE x AS SELECT $1; SELECT 1-/*x;*/-2;`,
	}
	if root := os.Getenv("SLIPWAY_SQL_FILES"); root != "" {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".sql") {
				raw, _ := os.ReadFile(path)
				scripts[path] = string(raw)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	statements := 0
	for name, sql := range scripts {
		if !utf8.ValidString(sql) || strings.Contains(sql, "\x00") {
			continue
		}
		for _, s := range sqltext.Split(sql) {
			statements++
			text := sql[s.Start:s.End]
			_, err := conn.PgConn().Prepare(ctx, "", text, nil)
			if err != nil && strings.Contains(err.Error(), "cannot insert multiple commands") {
				t.Errorf("%s: two statements in one piece: %.300q", name, text)
			}
			if err != nil && strings.Contains(err.Error(), "at end of input") {
				t.Logf("%s: an incomplete one, or meant so: %.300q", name, text)
			}
			if conn.IsClosed() {
				conn = y.connect()
			}
		}
	}
	t.Logf("%d statements of %d scripts", statements, len(scripts))
}
