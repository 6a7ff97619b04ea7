package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/report"
)

var lockFaults = []fault{
	{"table-lock", "a lock that the application keeps: the run gives up and is tried again, then LOCKED names who holds it; the holder is not touched", func(l *lab) {
		l.migrated()
		l.script("V2__alter.sql", "CREATE TABLE t2 (id int);\nALTER TABLE t1 ADD COLUMN more int;")
		app := l.session()
		l.do(app, "BEGIN; SELECT count(*) FROM t1")
		l.env["SLIPWAY_LOCK_WAIT"] = "9s"
		before := l.look()
		o := l.run("migrate")
		l.answered(o, report.Locked, before)
		l.blockedBy(o, app)
		l.check(strings.Count(o.log, "starting Flyway") >= 2, "it was not tried again")
		l.do(app, "COMMIT") // its transaction is still there
		l.next("2")
	}},
	{"table-lock-passes", "a lock that passes costs a retry: the run completes", func(l *lab) {
		l.migrated()
		l.script("V2__alter.sql", "CREATE TABLE t2 (id int);\nALTER TABLE t1 ADD COLUMN more int;")
		l.three()
		app := l.session()
		l.do(app, "BEGIN; SELECT count(*) FROM t1")
		before := l.look()
		run := l.start("migrate")
		l.await("the run is tried again", func() bool { return strings.Contains(run.err.String(), "trying again") })
		l.do(app, "COMMIT")
		o := run.answer()
		l.answered(o, report.OK, before)
		l.check(len(o.Applied) == 2, "applied: %v", o.Applied)
	}},
	{"application-does-not-queue", "while a script waits for a lock, the application's queries behind it wait no longer than SLIPWAY_LOCK_TIMEOUT", func(l *lab) {
		l.migrated()
		l.script("V2__alter.sql", "ALTER TABLE t1 ADD COLUMN more int;")
		holder, app := l.session(), l.session()
		l.do(holder, "BEGIN; SELECT count(*) FROM t1")
		run := l.start("migrate")
		l.awaitStatement("ALTER TABLE%")
		at := time.Now()
		l.do(app, "SELECT count(*) FROM t1")
		l.check(time.Since(at) < 1900*time.Millisecond, "the application waited %s", time.Since(at))
		l.do(holder, "COMMIT")
		l.answered(run.answer(), report.OK, nil)
		l.saw("a SELECT behind it waits under 2 s with a limit of 1 s")
	}},
	{"old-snapshot-in-mixed-run", "CREATE INDEX CONCURRENTLY among other scripts waits out an old snapshot, without lock_timeout, and ends with a valid index", func(l *lab) {
		l.migrated()
		l.two()
		l.script("V3__index.sql", "CREATE INDEX CONCURRENTLY i3 ON t1 (id);")
		l.script("V4__four.sql", "CREATE TABLE t4 (id int);")
		app := l.session()
		l.do(app, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t1")
		before := l.look()
		run := l.start("migrate")
		l.awaitStatement("CREATE INDEX%")
		l.await("it has waited for longer than lock_timeout", func() bool {
			return l.ask(`SELECT coalesce(max(now() - query_start), '0') > '2.5s' FROM pg_stat_activity WHERE datname = $1 AND query LIKE 'CREATE INDEX%'`, l.database) == "true"
		})
		l.do(app, "COMMIT")
		l.answered(run.answer(), report.OK, before)
		l.check(l.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i3'::regclass") == "true", "the index is not valid")
		l.saw("the index is valid")
	}},
	{"lock-timeout-in-mixed-run", "the transactional scripts of a mixed run keep their lock_timeout", func(l *lab) {
		l.migrated()
		l.script("V2__index.sql", "CREATE INDEX CONCURRENTLY i2 ON t1 (id);")
		l.script("V3__alter.sql", "CREATE TABLE t3 (id int);\nALTER TABLE held ADD COLUMN more int;")
		l.exec("CREATE TABLE held (id int); ALTER TABLE held OWNER TO " + l.role)
		app := l.session()
		l.do(app, "BEGIN; SELECT count(*) FROM held")
		l.env["SLIPWAY_LOCK_WAIT"] = "2s"
		before := l.look()
		o := l.run("migrate")
		// The snapshot is released between statements, so the index comes through.
		l.answered(o, report.Locked, before)
		l.blockedBy(o, app)
		l.do(app, "COMMIT")
		l.next("3")
	}},
	{"foreign-flyway-lock", "the lock of a Flyway that is not ours is waited for, then LOCKED names its holder; it is not touched", func(l *lab) {
		l.migrated()
		l.two()
		app := l.session()
		l.do(app, fmt.Sprintf("SELECT pg_advisory_lock(%d)", flywayLock))
		l.env["SLIPWAY_LOCK_WAIT"] = "2s"
		before := l.look()
		o := l.run("migrate")
		l.answered(o, report.Locked, before)
		l.blockedBy(o, app)
		l.check(l.ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = $1", app.PgConn().PID()) == "1", "its lock is gone")
		l.do(app, "SELECT pg_advisory_unlock_all()")
		l.next("2")
	}},
	{"another-run", "a run waits for another one, then LOCKED names it; the other is not touched", func(l *lab) {
		l.one()
		l.slow()
		first := l.start("migrate")
		l.awaitStatement("%pg_sleep%")
		l.env["SLIPWAY_LOCK_WAIT"] = "1s"
		o := l.run("migrate")
		l.check(o.Code == report.Locked && o.exit == 4 && len(o.Blockers) == 1, "%s with %v", o.Code, o.Blockers)
		l.contains(o.Blockers[0].Application, "slipway-run/")
		l.saw("LOCKED, exit 4, names the other run")
		l.quick()
		l.exec("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND query LIKE '%pg_sleep%' AND application_name LIKE 'slipway/%'", l.database)
		first.wait()
		l.nothingLeft()
		l.next("2")
	}},
	{"deadlock", "a script that ends in a deadlock with the application is rolled back and run again: the run completes, and says so", func(l *lab) {
		l.migrated()
		l.exec("CREATE TABLE other (id int); ALTER TABLE other OWNER TO " + l.role)
		l.script("V2__locks.sql", "CREATE TABLE t2 (id int);\nLOCK TABLE t1;\nSELECT pg_advisory_xact_lock(42);\nLOCK TABLE other;")
		l.env["SLIPWAY_LOCK_TIMEOUT"] = "30s"
		app := l.session()
		l.do(app, "SET deadlock_timeout = '1min'; BEGIN; LOCK TABLE other; SELECT pg_advisory_lock(42)")
		before := l.look()
		run := l.start("migrate")
		l.awaitStatement("%pg_advisory_xact_lock(42)%")
		asked := make(chan error)
		go func() {
			_, err := app.Exec(l.ctx, "SELECT pg_advisory_unlock(42); LOCK TABLE t1")
			asked <- err
		}()
		l.must(<-asked)
		l.await("the run is tried again", func() bool { return strings.Contains(run.err.String(), "trying again") })
		l.check(l.ask("SELECT to_regclass('t2') IS NULL") == "true", "the failed try left its table")
		l.do(app, "COMMIT; SELECT pg_advisory_unlock_all()")
		o := run.answer()
		l.answered(o, report.OK, before)
		l.contains(strings.Join(o.Warnings, "\n"), "V2__locks.sql was run again", "deadlock", "rolled back")
	}},
	{"deadlock-each-time", "a script that others bring down each time is run five times, then 40P01 is reported; nothing of it stays", func(l *lab) {
		l.migrated()
		l.script("V2__locks.sql", "CREATE TABLE t2 (id int);\nDO $$ BEGIN RAISE EXCEPTION 'a circle' USING ERRCODE = '40P01'; END $$;")
		before := l.look()
		o := l.run("migrate")
		l.check(o.SQLState == "40P01", "SQLSTATE %s: %s", o.SQLState, o.Message)
		l.contains(o.Message, "It was run 5 times")
		l.answered(o, report.MigrationFailed, before)
	}},
	{"deadlock-outside-a-transaction", "what ran outside a transaction is not run again by itself: some of it may stay, and the report says how to go on", func(l *lab) {
		l.migrated()
		l.script("V2__locks.sql", "INSERT INTO t1 VALUES (0, 'kept');\nDO $$ BEGIN RAISE EXCEPTION 'a circle' USING ERRCODE = '40P01'; END $$;")
		l.script("V2__locks.sql.conf", "executeInTransaction=false\n")
		before := l.look()
		o := l.run("migrate")
		l.answered(o, report.MigrationFailed, before)
		l.check(!strings.Contains(o.Message+o.Next, "rolled back"), "%s %s", o.Message, o.Next)
		l.contains(o.Next, "slipway repair")
		l.check(l.ask("SELECT count(*) FROM t1 WHERE id = 0") == "1", "it ran more than once")
	}},
}

// flywayLock is the key of Flyway 12's lock for "public"."flyway_schema_history".
const flywayLock = 77433833903597

// blockedBy fails unless the report names that session of the application,
// which still lives, as the one that the run waited for.
func (l *lab) blockedBy(o *outcome, app *pgx.Conn) {
	l.check(len(o.Blockers) == 1, "the blockers are %v", o.Blockers)
	b := o.Blockers[0]
	l.check(b.PID == int(app.PgConn().PID()) && b.User == shop && b.Application == shop && !b.Since.IsZero() && b.Query != "", "the blocker is %+v", b)
	l.check(l.ask("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", b.PID) == "1", "the blocker was ended")
	l.saw("names pid, user, application, since and query of the holder, which lives on")
}
