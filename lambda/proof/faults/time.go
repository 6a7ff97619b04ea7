package main

import (
	"fmt"
	"net"
	"slices"
	"time"

	"slipway/lambda/report"
)

var timeFaults = []fault{
	{"deadline-in-statement", "the statement is cancelled, the run ends before the limit, what was applied before stays", func(l *lab) {
		l.one()
		l.slow()
		before := l.look()
		l.limit = 8 * time.Second
		o := l.run("migrate", "--timeout", "8s")
		l.answered(o, report.Deadline, before)
		l.check(len(o.Applied) == 1 && o.Script == "V2__slow.sql", "applied %v, failed in %q", o.Applied, o.Script)
		l.saw("V1 applied, V2 named and rolled back")
		l.again("2")
	}},
	{"deadline-in-lock-wait", "the wait is ended and who holds the lock is named", func(l *lab) {
		l.migrated()
		l.script("V2__alter.sql", "ALTER TABLE t1 ADD COLUMN more int;")
		app := l.session()
		l.do(app, "BEGIN; SELECT count(*) FROM t1")
		l.env["SLIPWAY_LOCK_TIMEOUT"] = "1m"
		before := l.look()
		l.limit = 8 * time.Second
		o := l.run("migrate", "--timeout", "8s")
		l.answered(o, report.Deadline, before)
		l.blockedBy(o, app)
		l.do(app, "COMMIT")
		l.next("2")
	}},
	{"deadline-between-scripts", "each script is applied as a whole or not at all", func(l *lab) {
		for i := 1; i <= 150; i++ {
			l.script(fmt.Sprintf("V%d__s.sql", i), fmt.Sprintf("CREATE TABLE t%d (id int); SELECT pg_sleep(0.05);", i))
		}
		before := l.look()
		l.limit = 6 * time.Second
		o := l.run("migrate", "--timeout", "6s")
		l.check(len(o.Applied) > 2 && len(o.Pending) > 2, "the deadline did not come between scripts: %d applied, %d pending", len(o.Applied), len(o.Pending))
		seen := l.seen
		l.answered(o, report.Deadline, before)
		l.seen = append(seen, "DEADLINE, exit 5; history, tables and report agree on each of 150 scripts")
		l.limit = time.Minute
		l.next("150")
	}},
	{"deadline-non-transactional", "CREATE INDEX CONCURRENTLY is cancelled, its failed row is recorded, the invalid index is named with the statement that removes it", func(l *lab) {
		l.migrated()
		l.script("V2__index.sql", "CREATE INDEX CONCURRENTLY i2 ON t1 (id);")
		app := l.session()
		l.do(app, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t1")
		before := l.look()
		l.limit = 12 * time.Second
		o := l.run("migrate", "--timeout", "12s")
		l.answered(o, report.Deadline, before)
		l.contains(o.Next, "DROP INDEX CONCURRENTLY public.i2;", "repair")
		l.do(app, "COMMIT")
		l.mend(o, "2")
	}},
	{"deadline-while-connecting", "DATABASE_UNREACHABLE with the last reason, before the limit", func(l *lab) {
		l.migrated()
		l.two()
		l.env["SLIPWAY_CONNECT_WAIT"] = "5m"
		l.proxy(func(_ *proxy, c net.Conn, _ int) { refuse(c, "57P03", "the database system is starting up") })
		before := l.look()
		l.limit = 5 * time.Second
		o := l.run("migrate", "--timeout", "5s")
		l.contains(o.Message, "starting up")
		l.answered(o, report.DatabaseUnreachable, nil)
		l.unchanged(before)
		l.limit = 30 * time.Second
		l.direct()
		l.next("2")
	}},
	{"deadline-server-silent", "an answer before the limit even though the server can't be asked to cancel", func(l *lab) {
		l.one()
		l.slow()
		p := l.proxy((*proxy).freezable)
		l.limit = 16 * time.Second
		run := l.start("migrate", "--timeout", "16s")
		pid := l.awaitStatement("%pg_sleep%")
		p.freeze()
		o := run.answer()
		l.check(o.Code == report.Deadline || o.Code == report.DatabaseUnreachable, "the code is %s: %s", o.Code, o.Message)
		l.check(o.exit == o.Code.Exit() && o.Next != "", "exit code %d, next %q", o.exit, o.Next)
		l.check(slices.ContainsFunc(o.Warnings, func(w string) bool { return len(w) > 0 }), "no warning that the history could not be read again")
		l.saw("a typed answer that warns that the history could not be read")
		// The client is gone; this server hears it, as its keepalives would tell it.
		p.cut()
		l.await("the server has ended the statement", func() bool {
			return l.ask("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", pid) == "0"
		})
		l.direct()
		l.again("2")
	}},
	{"deadline-in-lambda", "the handler answers Lambda with a function error DEADLINE before the sandbox would be killed", func(l *lab) {
		l.one()
		l.slow()
		before := l.look()
		api := l.lambda()
		limit := 8 * time.Second
		a := api.invoke(`{"command":"migrate"}`, limit)
		l.check(a.took < limit, "it took %s of %s", a.took, limit)
		l.check(a.ErrorType == "DEADLINE", "the answer is %s: %s", a.ErrorType, a.ErrorMessage)
		o := a.report()
		l.nothingLeft(api.pid())
		l.asReported(o, before)
		l.saw("DEADLINE as a function error, at version %s", o.SchemaVersionAfter)
		l.quick()
		a = api.invoke(`{"command":"migrate"}`, time.Minute)
		l.check(a.ErrorType == "" && a.report().SchemaVersionAfter == "2", "the next invocation: %s %s", a.ErrorType, a.ErrorMessage)
		l.saw("the next invocation of the same sandbox completes at 2")
	}},
}

// again is next for a release with a slow script, made quick.
func (l *lab) again(version string) *outcome {
	l.quick()
	l.limit = 30 * time.Second
	return l.next(version)
}

// unchanged fails if the database is not as it was.
func (l *lab) unchanged(before *look) {
	after := l.look()
	l.check(after.objects == before.objects && slices.Equal(after.applied, before.applied) && slices.Equal(after.failed, before.failed), "the database has changed: %+v, before %+v", after, before)
}
