package migrator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"slipway/lambda/database"
	"slipway/lambda/proof/pgtest"
	"slipway/lambda/session"
	"slipway/lambda/workbench/postgres"
)

// Each row of the advice is met with the error that the real server raises:
// setup is the superuser's, the statements are one script's in one transaction.
func TestAdvice(t *testing.T) {
	server := pgtest.Server(t)
	databaseURL := pgtest.NewDatabase(t)
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := pgx.Connect(t.Context(),
		server.URLFor(postgres.Superuser, server.Password(), strings.TrimPrefix(u.Path, "/")))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(t.Context())
	if _, err := admin.Exec(t.Context(), `CREATE ROLE advice_owner NOLOGIN; CREATE ROLE "Odd Owner" NOLOGIN;
		CREATE SCHEMA app AUTHORIZATION advice_owner; GRANT USAGE ON SCHEMA app TO tester;
		CREATE TABLE app.hidden (id int); CREATE TABLE public."Customers" (id int); CREATE FUNCTION app.twice(int) RETURNS int LANGUAGE sql RETURN $1 * 2;
		CREATE TABLE theirs (id int); ALTER TABLE theirs OWNER TO "Odd Owner"; CREATE EXTENSION dblink;
		SET ROLE tester;
		CREATE TABLE t (id int PRIMARY KEY, name varchar(3), kind text CHECK (kind <> 'x')); INSERT INTO t VALUES (1, 'a', 'b'), (2, 'a', 'b');
		CREATE TABLE refs (id int REFERENCES t DEFERRABLE INITIALLY DEFERRED); INSERT INTO refs VALUES (1);
		CREATE TABLE p (at int) PARTITION BY RANGE (at); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2); CREATE INDEX p_at ON p (at);
		CREATE TYPE state AS ENUM ('new'); CREATE VIEW v AS SELECT name FROM t; CREATE MATERIALIZED VIEW m AS SELECT 1 AS one WITH NO DATA;
		CREATE PROCEDURE ends() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;
		CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$; CREATE SEQUENCE s`); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_, err := admin.Exec(t.Context(),
			`RESET ROLE; DROP OWNED BY advice_owner, "Odd Owner" CASCADE; DROP ROLE advice_owner, "Odd Owner"`)
		if err != nil {
			t.Error(err)
		}
	}()
	target := database.Target{
		Host: u.Hostname(), Name: strings.TrimPrefix(u.Path, "/"), User: pgtest.User, TLS: database.TLS{Insecure: true},
	}
	_, _ = fmt.Sscan(u.Port(), &target.Port)
	own := session.New(session.Options{
		Override: target, Log: slog.Default(), Deadline: time.Now().Add(time.Hour),
		IAMAuth: func(context.Context, string, string) (string, error) { return pgtest.Password, nil },
	})
	if err := own.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	for _, c := range []struct{ sql, state, says string }{
		{"CALL ends()", "2D000", "put executeInTransaction=false into V2__x.sql.conf"},
		{"DO $$ BEGIN COMMIT; END $$", "2D000", "leave the CALL or DO alone"},
		{"VACUUM t", "25001", "executeInTransaction=false into V2__x.sql.conf"},
		{"CREATE INDEX CONCURRENTLY i ON t (name)", "25001", "executeInTransaction=false"},
		{"DO $$ BEGIN EXECUTE 'VACUUM t'; END $$", "25001", "not in a function, procedure or DO block"},
		{"SELECT 1; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "25001", "BEGIN ISOLATION LEVEL"},
		{"SET TRANSACTION READ ONLY; INSERT INTO t VALUES (9)", "25006", "makes its transaction read-only"},
		{"SET statement_timeout = 20; SELECT pg_sleep(1)", "57014", "sets statement_timeout itself"},
		{"SELECT pg_terminate_backend(pg_backend_pid())", "57P01", "pid <> pg_backend_pid()"},
		{"SELECT dblink_connect('host=127.0.0.1 port=1 user=x password=y')", "08001", "a connection of its own"},
		{"ALTER TYPE state ADD VALUE 'paused'; SELECT 'paused'::state", "55P04", "into an earlier script"},
		{"UPDATE refs SET id = 2; ALTER TABLE refs ADD COLUMN more int", "55006",
			"SET CONSTRAINTS ALL IMMEDIATE; between the change of rows and the ALTER TABLE of refs"},
		{"DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM t LOOP EXECUTE 'ALTER TABLE t ADD COLUMN z int'; END " +
			"LOOP; END $$", "55006", "end it before"},
		{"SELECT lastval(), currval('s')", "55000", "RETURNING"},
		{"SELECT * FROM m", "55000", "REFRESH MATERIALIZED VIEW"},
		{"REFRESH MATERIALIZED VIEW CONCURRENTLY m", "0A000", "without CONCURRENTLY first"},
		{"REFRESH MATERIALIZED VIEW m; REFRESH MATERIALIZED VIEW CONCURRENTLY m", "55000", "unique index"},
		{"PREPARE TRANSACTION 'x'", "55000", "Take PREPARE TRANSACTION out"},
		{"SET max_connections = 5", "55P02", "parameter group"},
		{"INSERT INTO refs VALUES (77)", "23503", "constraint is deferred"},
		{"ALTER TABLE refs ADD CONSTRAINT now FOREIGN KEY (id) REFERENCES t; INSERT INTO refs VALUES (78)", "23503",
			"NOT VALID"},
		{"DELETE FROM t; SET CONSTRAINTS ALL IMMEDIATE", "23503", "delete or change those first"},
		{"ALTER TABLE t ADD COLUMN needed int NOT NULL", "23502", "DEFAULT, or fill its rows"},
		{"CREATE UNIQUE INDEX u ON t (name)", "23505", "Remove the duplicates"},
		{"INSERT INTO t VALUES (1)", "23505", "ON CONFLICT"},
		{"ALTER TABLE t ADD CONSTRAINT c CHECK (id > 1)", "23514", "VALIDATE CONSTRAINT"},
		{"INSERT INTO p VALUES (7)", "23514", "Make the partition of p"},
		{"UPDATE t SET name = 'long'", "22001", "longer than its column"},
		{"SELECT 'x'::int", "22P02", "no value of that type"},
		{"ALTER TABLE t ALTER COLUMN name TYPE int USING name::int", "0A000", "Drop the view"},
		{"CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION noted()", "42501", "rds_superuser"},
		{"CREATE EXTENSION file_fdw", "42501", "rds_superuser"},
		{"CREATE EXTENSION nowhere", "0A000", "pg_available_extensions"},
		{"COPY t FROM '/etc/passwd'", "42501", "COPY … FROM STDIN"},
		{"COPY t FROM PROGRAM 'true'", "42501", "COPY … FROM STDIN"},
		{"ALTER DEFAULT PRIVILEGES FOR ROLE advice_owner IN SCHEMA public GRANT SELECT ON TABLES TO tester", "42501",
			"GRANT advice_owner TO tester;"},
		{"ALTER TABLE t OWNER TO advice_owner", "42501", "GRANT advice_owner TO tester;"},
		{"SET ROLE advice_owner", "42501", "GRANT advice_owner TO tester;"},
		{"GRANT advice_owner TO tester", "42501", "WITH ADMIN OPTION"},
		{"CREATE ROLE another", "42501", "CREATEROLE"},
		{"CREATE TABLE app.mine (id int)", "42501", "GRANT USAGE, CREATE ON SCHEMA app TO tester;"},
		{"ALTER TABLE theirs ADD COLUMN x int", "42501", `"Odd Owner" owns it: GRANT "Odd Owner" TO tester;`},
		{"SELECT * FROM theirs", "42501", `let that role grant it (GRANT … ON theirs TO tester;)`},
		{"ALTER TABLE refs DISABLE TRIGGER ALL", "42501", "DISABLE TRIGGER USER"},
		{"SET log_statement = 'all'", "42501", "parameter group"},
		{"GRANT SELECT ON t TO nobody_here", "42704", "CREATE ROLE nobody_here;"},
		{"SET ROLE nobody_here", "22023", "CREATE ROLE nobody_here;"},
		{"SELECT * FROM hidden", "42P01", "There is app.hidden: write the name so"},
		{"SELECT * FROM customers", "42P01", `There is public."Customers"`},
		{"SELECT twice(1)", "42883", "There is app.twice(integer)"},
		{"SELECT app.twice('now'::date)", "42883", "There is app.twice(integer)"},
		{"CREATE TABLE x (g geometry)", "42704", "extension that brings it"},
		{"GRANT CONNECT ON DATABASE production TO tester", "3D000", "current_database()"},
		{"CREATE TABLE nowhere.x (id int)", "3F000", "CREATE SCHEMA nowhere;"},
		{"CREATE TABLE t (id int)", "42P07", "exists already"},
		{"ALTER TABLE t ADD COLUMN name text", "42701", "exists already"},
		{"CREATE TYPE state AS ENUM ()", "42710", "exists already"},
		{"ALTER TABLE t DROP COLUMN name", "2BP01", "Other objects need it"},
		{"LOCK TABLE nothing_such NOWAIT", "42P01", ""},
		{"SELECT 1/0", "22012", "A value does not fit"},
		{"DO $$ BEGIN RAISE 'run the other one first'; END $$", "P0001", "what the message asks for"},
		{"CREATE TABEL x (id int)", "42601", ""}, // nothing better is known
	} {
		s := situation{script: "V2__x.sql", role: pgtest.User, database: target.Name, statement: c.sql}
		s.fails(t, databaseURL, c.sql)
		r := &run{session: own}
		r.examine(&s, c.sql)
		next := s.advise()
		if s.state != c.state || !strings.Contains(next, c.says) || c.says == "" && next != "" ||
			strings.ContainsAny(next, "{}") && !strings.Contains(next, "${flyway") {
			t.Errorf("%s\n%s %s\nnext: %s", c.sql, s.state, s.message, next)
		}
	}
}

// fails runs the statements, which have to fail, in one transaction.
func (s *situation) fails(t *testing.T, databaseURL, sql string) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	if _, err = db.Exec(t.Context(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	_, err = db.PgConn().Exec(t.Context(), sql).ReadAll()
	if err == nil {
		_, err = db.Exec(t.Context(), "COMMIT")
		s.atCommit = true
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		t.Fatalf("%s: %v", sql, err)
	}
	s.state, s.message = pg.Code, pgMessage(pg)
}

// What a rehearsal on a throw-away server can't judge, and what it can.
func TestWhatAThrowAwayServerLacks(t *testing.T) {
	for message, want := range map[string]bool{
		`42501 permission denied to create event trigger "e"` +
			"\nHint: Must be superuser to create an event trigger.": true,
		`42501 permission denied to create extension "file_fdw"` +
			"\nHint: Must be superuser to create this extension.": true,
		`42501 must be able to SET ROLE "app_reader"`: true,
		`42704 role "app_reader" does not exist`:      true,
		`0A000 extension "postgis" is not available`:  true,
		`42501 permission denied to COPY from a file` +
			"\nHint: Only roles with privileges of the \"pg_read_server_files\" role may": false,
		`42501 must be owner of table t`:                                  false,
		`42704 type "state" does not exist`:                               false,
		`0A000 cannot create index on partitioned table "p" concurrently`: false,
		`23502 column "x" of relation "t" contains null values`:           false,
	} {
		if got := ServerLacks(message[:5], message[6:]); got != want {
			t.Errorf("%s: %t", message, got)
		}
	}
}

// Texts that no server here raises.
func TestAdviceWithoutAServer(t *testing.T) {
	for _, c := range []struct {
		s    situation
		says string
	}{
		{situation{state: "0A000", message: `cannot create index on partitioned table "logs" concurrently`},
			"CREATE INDEX … ON ONLY logs"},
		{situation{state: "25P04", setting: "transaction_timeout is 3s (set for the database): lift it"},
			"transaction_timeout is 3s"},
		{situation{state: "57014", message: "canceling statement due to user request"}, "Somebody cancelled"},
		{situation{state: "57014", message: "annulation de la requête", setting: "statement_timeout is 2s"},
			"statement_timeout is 2s"},
		{situation{state: "57014", message: "annulation de la requête"}, "by somebody or by statement_timeout"},
		{situation{state: "25001", message: "VACUUM cannot run inside a transaction block", outside: true},
			"A BEGIN of the script"},
		{situation{state: "2D000", outside: true}, "not in a function"},
		{situation{state: "53200", message: "out of shared memory"}, "max_locks_per_transaction"},
		{situation{state: "53100"}, "disk"}, {situation{state: "XX000", message: "tuple concurrently updated"},
			"run it again"},
		{situation{state: "40001"}, "run it again"}, {situation{state: "40P01"}, "run it again"},
		{situation{state: "XX002"}, "REINDEX"},
		{situation{state: "08006", message: "An I/O error occurred", setting: "transaction_timeout is 3s"},
			"transaction_timeout is 3s"},
		{situation{state: "08006", message: "The server's client_encoding parameter was changed"}, "Take the SET out"},
		{situation{state: "42704", message: `role "app_reader" does not exist`, rehearsal: OnThrowAwayServer},
			"--roles app_reader"},
		{situation{state: "42501", message: `Must be superuser to create an event trigger.`,
			rehearsal: OnThrowAwayServer}, "--superuser"},
		{situation{state: "42501", message: `must be able to SET ROLE "owner"`, rehearsal: OnThrowAwayServer},
			"COPY=postgres://"},
		{situation{state: "42501", message: `permission denied to change default privileges`, owner: "o",
			rehearsal: OnThrowAwayServer}, "GRANT o TO it"},
		{situation{state: "42501", message: `must be able to SET ROLE "owner"`}, "GRANT owner TO"},
		{situation{state: "55P03", message: `could not obtain lock on relation "t"`}, "NOWAIT"},
	} {
		if next := c.s.advise(); !strings.Contains(next, c.says) {
			t.Errorf("%s %s: %s", c.s.state, c.s.message, next)
		}
	}
}
