package migrator_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
)

// Everything that is wrong is named at once, and nothing is changed.
func TestRevertRefusals(t *testing.T) {
	t.Parallel()
	tables := func(n int) map[string]string {
		scripts := map[string]string{}
		for v := 1; v <= n; v++ {
			scripts[fmt.Sprintf("V%d__t.sql", v)] = fmt.Sprintf("CREATE TABLE t%d (id int);", v)
			scripts[fmt.Sprintf("U%d__t.sql", v)] = fmt.Sprintf("DROP TABLE t%d;", v)
		}
		return scripts
	}
	y := newYard(t, tables(5))
	y.prime()
	before, history := y.snapshot(), y.history()
	refused := func(what, to string, wants ...string) {
		t.Helper()
		rep := y.fails(report.RevertRefused, migrator.Request{Command: "revert", To: to})
		got := rep.Message + "\n"
		for _, p := range rep.Problems {
			got += p.String() + "\n"
		}
		contains(t, what, got, append(wants, "nothing was changed")...)
		if rep.Next == "" {
			t.Errorf("%s: no way on", what)
		}
	}
	y.remove("U3__t.sql")
	y.remove("U5__t.sql")
	refused("missing scripts", "1", "undo scripts are missing for 2 versions",
		"V5__t.sql: has no undo script: the release lacks U5__", "U3__")
	y.write("U3__t.sql", "DROP TABLE t3;\n\nCOMMIT;\nSELECT ${who}, '${', 1;")
	y.write("U4__t.sql", "-- x\nDROP TABLE t4;\nVACUUM;")
	y.write("U5__t.sql", "DROP TABLE t5; -- ${what}\n")
	y.write("V1__t.sql", "CREATE TABLE t1 (id bigint);")
	refused("a heap of problems", "1", "reasons",
		"V1__t.sql: edited after it was applied", "U3__t.sql, line 3: COMMIT",
		"U3__t.sql, line 4: the placeholder ${who}", "U3__t.sql, line 4: a placeholder begins",
		"U4__t.sql, line 2: can't run in one transaction", "U5__t.sql, line 1: the placeholder ${what}")
	for name, text := range tables(5) {
		y.write(name, text)
	}
	for statement, line := range map[string]string{
		"BEGIN;": "BEGIN", "ROLLBACK;": "ROLLBACK", "SELECT 1; ABORT;": "ABORT",
		"BEGIN ISOLATION LEVEL SERIALIZABLE; COMMIT;":   "BEGIN ISOLATION",
		"START TRANSACTION; START TRANSACTION; COMMIT;": "START TRANSACTION",
		"BEGIN; COMMIT AND CHAIN; COMMIT":               "COMMIT AND CHAIN",
		"PREPARE TRANSACTION 'x';":                      "PREPARE TRANSACTION",
	} {
		y.write("U5__t.sql", "DROP TABLE t5;\n"+statement)
		refused(statement, "4", "U5__t.sql, line 2: "+line)
	}
	y.remove("V5__t.sql")
	refused("a release that is older", "4", "V5__t.sql: is applied, and the release does not have it")
	y.equal("history", y.history(), history)
	y.equal("schema", y.snapshot(), before)
}

// A failed row keeps a revert from starting, as it does a migrate.
func TestRevertOverFailedRow(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);", "U1__a.sql": "DROP TABLE a;",
		"V2__i.sql": "CREATE INDEX CONCURRENTLY i ON a (nothing);"})
	y.fails(report.MigrationFailed, migrator.Request{Command: "migrate"})
	rep := y.fails(report.RevertRefused, migrator.Request{Command: "revert", To: "0"})
	contains(t, "problems", fmt.Sprint(rep.Problems), "V2__i.sql: failed in an earlier run")
}

// A database that was adopted has no way back beyond that.
func TestRevertToBaseline(t *testing.T) {
	t.Parallel()
	scripts := shop()
	y := newYard(t, scripts)
	y.exec(scripts["V1__customers.sql"] + scripts["V2__orders.sql"])
	y.config.Baseline = "2"
	y.migrate()
	for _, to := range []string{"1", "0"} {
		contains(t, "below", y.fails(report.RevertRefused, migrator.Request{Command: "revert", To: to}).Message,
			"adopted at version 2")
	}
	contains(t, "steps", y.fails(report.RevertRefused, migrator.Request{Command: "revert", Steps: 3}).Message,
		"only 2 versions")
	rep := y.revert("2")
	y.equal("schema version", rep.SchemaVersionAfter, "2")
	y.equal("history", y.history(), "2 BASELINE; 3 SQL; 4 SQL; order count SQL; 4 DELETE; 3 DELETE")
	y.flywayOK("migrate")
}

// An undo that fails takes back its own version's changes only, says where, and stops.
func TestRevertFailsHalfway(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{
		"V1__t.sql": "CREATE TABLE t1 (id int);", "U1__t.sql": "DROP TABLE t1;",
		"V2__t.sql": "CREATE TABLE t2 (id int);", "U2__t.sql": "DROP TABLE t2;",
		"V3__t.sql": "CREATE TABLE t3 (id int); CREATE VIEW v AS SELECT id FROM t3;",
		"V4__t.sql": "CREATE TABLE t4 (id int);", "U4__t.sql": "DROP TABLE t4;",
	})
	y.prime()
	before := 1 // versions that are reverted before the script that fails
	for name, test := range map[string]struct {
		undo       string
		line       int
		state, say string
	}{
		"no such table": {"DROP VIEW v;\n-- ü\nDROP TABLE t3;\nDROP TABLE nothing;", 4, "42P01",
			`table "nothing" does not exist`},
		"syntax":   {"DROP VIEW v;\n\n  DROP TABEL t3;", 3, "42601", "syntax error"},
		"a column": {"DROP VIEW v;\nUPDATE t3\nSET ü = 1,\nnothing = 2;", 3, "42703", "ü"},
		"depends":  {"\nDROP TABLE t3;", 2, "2BP01", "view v depends on table t3"},
		"raised":   {"DROP VIEW v;\nDO $$\nBEGIN\nRAISE EXCEPTION 'not now';\nEND $$;", 2, "P0001", "not now"},
		"copy":     {"DROP VIEW v;\nCOPY t3 (id) FROM STDIN;\n1\nx\n\\.\nDROP TABLE t3;", 2, "22P02", "line 2"},
		"at the commit": {"DROP VIEW v;\nALTER TABLE t3 ADD CONSTRAINT c CHECK (id > 0);\nCREATE TABLE k (id int " +
			"PRIMARY KEY);\nCREATE TABLE l (k int REFERENCES k DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO l " +
			"VALUES (1);", 0, "23503", "violates foreign key"},
		"the history": {"DROP VIEW v;\nDROP TABLE flyway_schema_history;", 0, "42P01", "flyway_schema_history"},
	} {
		t.Run(name, func(t *testing.T) {
			y := *y
			y.T = t
			y.write("U3__t.sql", test.undo)
			rep := y.fails(report.MigrationFailed, migrator.Request{Command: "revert", To: "1"})
			y.equal("place", fmt.Sprintf("%s:%d %s", rep.Script, rep.Line, rep.SQLState),
				fmt.Sprintf("U3__t.sql:%d %s", test.line, test.state))
			contains(t, "message", rep.Message, test.say, "the undo of version 3 did was rolled back",
				"stands at version 3")
			y.equal("schema version", rep.SchemaVersionAfter, "3")
			if len(rep.Reverted) != before || (rep.RestorePoint != nil) != (before > 0) {
				t.Errorf("reverted: %+v, to restore to: %v", rep.Reverted, rep.RestorePoint)
			}
			contains(t, "message", rep.Message,
				map[int]string{0: "Nothing was reverted", 1: "Reverted before it: 1 version"}[before])
			before = 0
			y.equal("history", y.history(), "1 SQL; 2 SQL; 3 SQL; 4 SQL; 4 DELETE")
			y.equal("tables", y.text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND "+
				"relkind IN ('r', 'v') AND relname !~ 'flyway' ORDER BY 1"), "t1; t2; t3; v")
		})
	}
}

// What an undo script may do: as Flyway runs a script, in one transaction.
func TestRevertRunsScriptsAsFlyway(t *testing.T) {
	t.Parallel()
	const look = "CREATE TABLE IF NOT EXISTS saw (by text, path text, who text, placeholder text);\nINSERT INTO saw " +
		"VALUES ('%s', current_setting('search_path'), current_user, " +
		"'${own}|${flyway:defaultSchema}|${flyway:database}|${flyway:table}|${flyway:user}|${flyway:filename}');"
	y := newYard(t, map[string]string{
		"V1__look.sql": fmt.Sprintf(look, "flyway"),
		"U1__look.sql": "\ufeffBEGIN;\nSET search_path = '';\nSET ROLE none;\nCOPY other.saw (by) FROM " +
			"STDIN;\na;b\n\\.\nCOMMIT;",
		"V2__look.sql":  "SELECT 1;",
		"U2__look.sql":  fmt.Sprintf(look, "slipway"),
		"V3__latin.sql": "SELECT 1;",
		"U3__latin.sql": "INSERT INTO saw (by) VALUES ('caf\xe9'); SET search_path = nowhere; SELECT " +
			"pg_advisory_unlock_all(); SELECT generate_series(1, 100000);",
		"U3__latin.sql.conf": "encoding=ISO-8859-1\nplaceholderReplacement=false\n",
	})
	y.config.Flyway.Placeholders["own"] = "mine"
	y.config.Flyway.Environment["FLYWAY_INSTALLED_BY"] = "the operator"
	y.config.Flyway.Environment["FLYWAY_DEFAULT_SCHEMA"], y.config.Schema = "other", "other"
	y.exec("CREATE SCHEMA other")
	y.migrate()
	rep := y.revert("0")
	if len(rep.Reverted) != 3 {
		t.Fatalf("%+v", rep.Reverted)
	}
	rows := strings.Split(y.text("SELECT by || ' ' || coalesce(path || ' ' || who || ' ' || placeholder, '') FROM "+
		"other.saw ORDER BY by DESC"), "; ")
	name := y.text("SELECT current_database()")
	same := `"other","$user", public tester mine|other|` + name + `|flyway_schema_history|tester|`
	y.equal("what the scripts saw", strings.Join(rows, "\n"), "slipway "+same+"U2__look.sql\nflyway "+same+
		"V1__look.sql\ncafé \na;b ")
	y.equal("by", y.text("SELECT DISTINCT installed_by FROM other.flyway_schema_history WHERE type = 'DELETE'"),
		"the operator")
}

// What the server says by the way is passed on: an undo that found nothing to
// drop, or took more along, is not hidden; nor one that is empty.
// Each undo script starts as if it were the first of a new session.
func TestRevertStartsEachScriptWithACleanSession(t *testing.T) {
	t.Parallel()
	y := newYard(t, with(release("1", "2"),
		"U2__leaves.sql", "CREATE TEMP TABLE leftover (id int);\nPREPARE leftover AS SELECT 1;\nLISTEN leftover;\n"+
			"SELECT pg_advisory_lock(4711);\nSET timezone = 'Asia/Tokyo';\nSET app.tenant = 'x';\n"+
			"DECLARE leftover CURSOR WITH HOLD FOR SELECT 1;",
		"U1__looks.sql", "CREATE TABLE saw AS SELECT (SELECT count(*) FROM pg_class WHERE relname = 'leftover')"+
			" + (SELECT count(*) FROM pg_prepared_statements) + (SELECT count(*) FROM pg_listening_channels())"+
			" + (SELECT count(*) FROM pg_cursors WHERE is_holdable)"+
			" + (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711) AS left_over,"+
			" current_setting('timezone') || coalesce(current_setting('app.tenant', true), '') AS settings;"))
	y.exec(world{rows: applied("1", "2")}.insert())
	y.ok(migrator.Request{Command: "revert", To: "0"})
	y.equal("left by the script before", y.text("SELECT left_over || ' ' || settings FROM saw"), "0 UTC")
}

func TestRevertPassesNoticesOn(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{
		"V1__a.sql": "CREATE TABLE a (id int); CREATE VIEW b AS SELECT * FROM a;",
		"U1__a.sql": "DROP TABLE IF EXISTS misspelt; DROP TABLE a CASCADE;",
		"V2__c.sql": "SELECT 1;", "U2__c.sql": "-- nothing to do\n",
	})
	y.prime()
	rep := y.revert("0")
	contains(t, "warnings", strings.Join(rep.Warnings, "\n"), `U1__a.sql: table "misspelt" does not exist, skipping`,
		"U1__a.sql: drop cascades to view b", "U2__c.sql holds no statement")
}

// An undo that can't run in a transaction marks its version as failed while it
// is at work, as Flyway does with a script.
func TestRevertOutsideTransaction(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{
		"V1__a.sql": "CREATE TABLE a (id int);", "U1__a.sql": "DROP TABLE a;",
		"V2__i.sql":      "CREATE INDEX CONCURRENTLY i ON a (id);",
		"U2__i.sql":      "-- as it was made\nDROP INDEX CONCURRENTLY i;",
		"V3__i.sql":      "CREATE INDEX CONCURRENTLY j ON a (id);",
		"U3__i.sql":      "DROP INDEX j;\nCREATE TABLE half (id int);\nSELECT 1/0;\n",
		"U3__i.sql.conf": "executeInTransaction=false\n",
	})
	y.migrate()
	rep := y.fails(report.MigrationFailed, migrator.Request{Command: "revert", To: "0"})
	y.equal("place", fmt.Sprintf("%s:%d %s", rep.Script, rep.Line, rep.SQLState), "U3__i.sql:3 22012")
	contains(t, "message", rep.Message+rep.Next, "may be half undone", "slipway repair")
	y.equal("history", y.history(), "1 SQL; 2 SQL; 3 SQL failed")
	contains(t, "Flyway's view", y.states(), "3 Failed")
	if _, err := y.flyway("migrate"); err == nil {
		t.Error("Flyway migrates over a version that is half undone")
	}
	y.fails(report.PreviousFailed, migrator.Request{Command: "migrate"})
	y.exec("DROP TABLE half")
	y.ok(migrator.Request{Command: "repair"})
	y.equal("history", y.history(), "1 SQL; 2 SQL")
	y.migrate()
	y.write("U3__i.sql", "DROP INDEX CONCURRENTLY j;")
	y.revert("0")
	y.equal("history", y.history(), "1 SQL; 2 SQL; 3 SQL; 3 DELETE; 2 DELETE; 1 DELETE")
	y.sameInfo()
}

// The time runs out during an undo: it is cancelled, and the version whole.
func TestRevertOutOfTime(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{
		"V1__a.sql": "CREATE TABLE a (id int);", "U1__a.sql": "DROP TABLE a;",
		"V2__b.sql": "CREATE TABLE b (id int);", "U2__b.sql": "DROP TABLE b;\nSELECT pg_sleep(60);",
	})
	y.prime()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	rep := y.run(ctx, migrator.Request{Command: "revert", To: "0"})
	if ctx.Err() != nil {
		t.Error("the report came after the deadline")
	}
	y.equal("outcome", fmt.Sprintf("%s %s:%d %s", rep.Code, rep.Script, rep.Line, rep.SQLState),
		"DEADLINE U2__b.sql:2 57014")
	y.equal("history", y.history(), "1 SQL; 2 SQL")
	y.equal("table", y.text("SELECT count(*) FROM b"), "0")
	y.equal("sessions", y.text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "+
		"application_name LIKE 'slipway%'"), "0")

	cause, end := context.WithCancelCause(t.Context())
	time.AfterFunc(500*time.Millisecond, func() { end(migrator.ErrInterrupted) })
	rep = y.run(cause, migrator.Request{Command: "revert", To: "0"})
	y.equal("outcome", fmt.Sprintf("%s %s", rep.Code, rep.Script), "INTERRUPTED U2__b.sql")
	y.equal("history", y.history(), "1 SQL; 2 SQL")
}

// A table lock that somebody holds is waited for a moment, tried again, and
// then given up, with names.
func TestRevertAndTableLocks(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);", "U1__a.sql": "DROP TABLE a;"})
	y.prime()
	y.config.LockTimeout, y.config.LockWait = 200*time.Millisecond, time.Second
	holder := y.connect()
	if _, err := holder.Exec(t.Context(), "SET application_name = 'the app'; BEGIN; LOCK TABLE a"); err != nil {
		t.Fatal(err)
	}
	rep := y.fails(report.Locked, migrator.Request{Command: "revert", To: "0"})
	y.equal("place", fmt.Sprintf("%s:%d %s", rep.Script, rep.Line, rep.SQLState), "U1__a.sql:1 55P03")
	y.config.LockWait = 20 * time.Second
	done := make(chan *report.Report)
	go func() { done <- y.run(t.Context(), migrator.Request{Command: "revert", To: "0"}) }()
	y.await("a revert that waits", "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() "+
		"AND wait_event_type = 'Lock'")
	if _, err := holder.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if rep := <-done; !rep.OK() {
		t.Errorf("after the lock was free: %s", rep.Message)
	}
	y.equal("history", y.history(), "1 SQL; 1 DELETE")
}
