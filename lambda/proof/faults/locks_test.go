//go:build faults

package faults

import (
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/report"
)

var lockFaults = []fault{
	{"table-lock", "a lock that the application keeps: the run gives up and is tried again, then LOCKED names who " +
		"holds it; the holder is not touched", func(t *testbed) {
		t.migrated()
		t.script("V2__alter.sql", "CREATE TABLE t2 (id int);\nALTER TABLE t1 ADD COLUMN more int;")
		app := t.session()
		t.do(app, "BEGIN; SELECT count(*) FROM t1")
		t.env["SLIPWAY_LOCK_WAIT"] = "9s"
		before := t.look()
		o := t.run("migrate")
		t.answered(o, report.Locked, before)
		t.blockedBy(o, app)
		t.check(strings.Count(o.log, "starting Flyway") >= 2, "it was not tried again")
		t.do(app, "COMMIT") // its transaction is still there
		t.next("2")
	}},
	{"table-lock-passes", "a lock that passes costs a retry: the run completes", func(t *testbed) {
		t.migrated()
		t.script("V2__alter.sql", "CREATE TABLE t2 (id int);\nALTER TABLE t1 ADD COLUMN more int;")
		t.three()
		app := t.session()
		t.do(app, "BEGIN; SELECT count(*) FROM t1")
		before := t.look()
		run := t.start("migrate")
		t.await("the run is tried again", func() bool { return strings.Contains(run.err.String(), "trying again") })
		t.do(app, "COMMIT")
		o := run.answer()
		t.answered(o, report.OK, before)
		t.check(len(o.Applied) == 2, "applied: %v", o.Applied)
	}},
	{"application-does-not-queue", "while a script waits for a lock, the application's queries behind it wait no " +
		"longer than SLIPWAY_LOCK_TIMEOUT", func(t *testbed) {
		t.migrated()
		t.script("V2__alter.sql", "ALTER TABLE t1 ADD COLUMN more int;")
		holder, app := t.session(), t.session()
		t.do(holder, "BEGIN; SELECT count(*) FROM t1")
		run := t.start("migrate")
		t.awaitStatement("ALTER TABLE%")
		at := time.Now()
		t.do(app, "SELECT count(*) FROM t1")
		t.check(time.Since(at) < 1900*time.Millisecond, "the application waited %s", time.Since(at))
		t.do(holder, "COMMIT")
		t.answered(run.answer(), report.OK, nil)
		t.saw("a SELECT behind it waits under 2 s with a limit of 1 s")
	}},
	{"old-snapshot-in-mixed-run", "CREATE INDEX CONCURRENTLY among other scripts waits out an old snapshot, without " +
		"lock_timeout, and ends with a valid index", func(t *testbed) {
		t.migrated()
		t.two()
		t.script("V3__index.sql", "CREATE INDEX CONCURRENTLY i3 ON t1 (id);")
		t.script("V4__four.sql", "CREATE TABLE t4 (id int);")
		app := t.session()
		t.do(app, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t1")
		before := t.look()
		run := t.start("migrate")
		t.awaitStatement("CREATE INDEX%")
		t.await("it has waited for longer than lock_timeout", func() bool {
			return t.ask(`SELECT coalesce(max(now() - query_start), '0') > '2.5s' FROM pg_stat_activity WHERE datname = $1 AND query LIKE 'CREATE INDEX%'`, t.database) == "true"
		})
		t.do(app, "COMMIT")
		t.answered(run.answer(), report.OK, before)
		t.check(t.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i3'::regclass") == "true",
			"the index is not valid")
		t.saw("the index is valid")
	}},
	{"lock-timeout-in-mixed-run", "the transactional scripts of a mixed run keep their lock_timeout", func(t *testbed) {
		t.migrated()
		t.script("V2__index.sql", "CREATE INDEX CONCURRENTLY i2 ON t1 (id);")
		t.script("V3__alter.sql", "CREATE TABLE t3 (id int);\nALTER TABLE held ADD COLUMN more int;")
		t.exec("CREATE TABLE held (id int); ALTER TABLE held OWNER TO " + t.role)
		app := t.session()
		t.do(app, "BEGIN; SELECT count(*) FROM held")
		t.env["SLIPWAY_LOCK_WAIT"] = "2s"
		before := t.look()
		o := t.run("migrate")
		// The snapshot is released between statements, so the index comes through.
		t.answered(o, report.Locked, before)
		t.blockedBy(o, app)
		t.do(app, "COMMIT")
		t.next("3")
	}},
	{"foreign-flyway-lock", "the lock of a Flyway that is not ours is waited for, then LOCKED names its holder; it " +
		"is not touched", func(t *testbed) {
		t.migrated()
		t.two()
		app := t.session()
		t.do(app, fmt.Sprintf("SELECT pg_advisory_lock(%d)", flywayLock))
		t.env["SLIPWAY_LOCK_WAIT"] = "2s"
		before := t.look()
		o := t.run("migrate")
		t.answered(o, report.Locked, before)
		t.blockedBy(o, app)
		t.check(t.ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = $1",
			app.PgConn().PID()) == "1", "its lock is gone")
		t.do(app, "SELECT pg_advisory_unlock_all()")
		t.next("2")
	}},
	{"another-run", "a run waits for another one, then LOCKED names it; the other is not touched", func(t *testbed) {
		t.one()
		t.slow()
		first := t.start("migrate")
		t.awaitStatement("%pg_sleep%")
		t.env["SLIPWAY_LOCK_WAIT"] = "1s"
		o := t.run("migrate")
		t.check(o.Code == report.Locked && o.exit == 4 && len(o.Blockers) == 1, "%s with %v", o.Code, o.Blockers)
		t.contains(o.Blockers[0].Application, "slipway-run/")
		t.saw("LOCKED, exit 4, names the other run")
		t.quick()
		t.exec("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND query LIKE '%pg_sleep%' "+
			"AND application_name LIKE 'slipway/%'", t.database)
		first.wait()
		t.nothingLeft()
		t.next("2")
	}},
	{"deadlock", "a script that ends in a deadlock with the application is rolled back and run again: the run " +
		"completes, and says so", func(t *testbed) {
		t.migrated()
		t.exec("CREATE TABLE other (id int); ALTER TABLE other OWNER TO " + t.role)
		t.script("V2__locks.sql", "CREATE TABLE t2 (id int);\nLOCK TABLE t1;\nSELECT "+
			"pg_advisory_xact_lock(42);\nLOCK TABLE other;")
		t.env["SLIPWAY_LOCK_TIMEOUT"] = "30s"
		app := t.session()
		t.do(app, "SET deadlock_timeout = '1min'; BEGIN; LOCK TABLE other; SELECT pg_advisory_lock(42)")
		before := t.look()
		run := t.start("migrate")
		t.awaitStatement("%pg_advisory_xact_lock(42)%")
		asked := make(chan error)
		go func() {
			_, err := app.Exec(t.ctx, "SELECT pg_advisory_unlock(42); LOCK TABLE t1")
			asked <- err
		}()
		t.must(<-asked)
		t.await("the run is tried again", func() bool { return strings.Contains(run.err.String(), "trying again") })
		t.check(t.ask("SELECT to_regclass('t2') IS NULL") == "true", "the failed try left its table")
		t.do(app, "COMMIT; SELECT pg_advisory_unlock_all()")
		o := run.answer()
		t.answered(o, report.OK, before)
		t.contains(strings.Join(o.Warnings, "\n"), "V2__locks.sql was run again", "deadlock", "rolled back")
	}},
	{"deadlock-each-time", "a script that others bring down each time is run five times, then 40P01 is reported; " +
		"nothing of it stays", func(t *testbed) {
		t.migrated()
		t.script("V2__locks.sql", "CREATE TABLE t2 (id int);\nDO $$ BEGIN RAISE EXCEPTION 'a circle' USING ERRCODE "+
			"= '40P01'; END $$;")
		before := t.look()
		o := t.run("migrate")
		t.check(o.SQLState == "40P01", "SQLSTATE %s: %s", o.SQLState, o.Message)
		t.contains(o.Message, "It was run 5 times")
		t.answered(o, report.MigrationFailed, before)
	}},
	{"deadlock-outside-a-transaction", "what ran outside a transaction is not run again by itself: some of it may " +
		"stay, and the report says how to go on", func(t *testbed) {
		t.migrated()
		t.script("V2__locks.sql", "INSERT INTO t1 VALUES (0, 'kept');\nDO $$ BEGIN RAISE EXCEPTION 'a circle' USING "+
			"ERRCODE = '40P01'; END $$;")
		t.script("V2__locks.sql.conf", "executeInTransaction=false\n")
		before := t.look()
		o := t.run("migrate")
		t.answered(o, report.MigrationFailed, before)
		t.check(!strings.Contains(o.Message+o.Next, "rolled back"), "%s %s", o.Message, o.Next)
		t.contains(o.Next, "slipway repair")
		t.check(t.ask("SELECT count(*) FROM t1 WHERE id = 0") == "1", "it ran more than once")
	}},
}

// flywayLock is the key of Flyway 12's lock for "public"."flyway_schema_history".
const flywayLock = 77433833903597

// blockedBy fails unless the report names that session of the application,
// which still lives, as the one that the run waited for.
func (t *testbed) blockedBy(o *outcome, app *pgx.Conn) {
	t.check(len(o.Blockers) == 1, "the blockers are %v", o.Blockers)
	b := o.Blockers[0]
	t.check(b.PID == int(app.PgConn().PID()) && b.User == shop && b.Application == shop && !b.Since.IsZero() &&
		b.Query != "", "the blocker is %+v", b)
	t.check(t.ask("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", b.PID) == "1", "the blocker was ended")
	t.saw("names pid, user, application, since and query of the holder, which lives on")
}
