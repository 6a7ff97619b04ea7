//go:build faults

package faults

import (
	"fmt"
	"net"
	"slices"
	"time"

	"slipway/lambda/report"
)

var timeFaults = []fault{
	{"deadline-in-statement", "the statement is cancelled, the run ends before the limit, what was applied before " +
		"stays", func(t *testbed) {
		t.one()
		t.slow()
		before := t.look()
		t.limit = 8 * time.Second
		o := t.run("migrate", "--timeout", "8s")
		t.answered(o, report.Deadline, before)
		t.check(len(o.Applied) == 1 && o.Script == "V2__slow.sql", "applied %v, failed in %q", o.Applied, o.Script)
		t.saw("V1 applied, V2 named and rolled back")
		t.again("2")
	}},
	{"deadline-in-lock-wait", "the wait is ended and who holds the lock is named", func(t *testbed) {
		t.migrated()
		t.script("V2__alter.sql", "ALTER TABLE t1 ADD COLUMN more int;")
		app := t.session()
		t.do(app, "BEGIN; SELECT count(*) FROM t1")
		t.env["SLIPWAY_LOCK_TIMEOUT"] = "1m"
		before := t.look()
		t.limit = 8 * time.Second
		o := t.run("migrate", "--timeout", "8s")
		t.answered(o, report.Deadline, before)
		t.blockedBy(o, app)
		t.do(app, "COMMIT")
		t.next("2")
	}},
	{"deadline-between-scripts", "each script is applied as a whole or not at all", func(t *testbed) {
		for i := 1; i <= 150; i++ {
			t.script(fmt.Sprintf("V%d__s.sql", i), fmt.Sprintf("CREATE TABLE t%d (id int); SELECT pg_sleep(0.05);", i))
		}
		before := t.look()
		t.limit = 6 * time.Second
		o := t.run("migrate", "--timeout", "6s")
		t.check(len(o.Applied) > 2 && len(o.Pending) > 2,
			"the deadline did not come between scripts: %d applied, %d pending", len(o.Applied), len(o.Pending))
		seen := t.seen
		t.answered(o, report.Deadline, before)
		t.seen = append(seen, "DEADLINE, exit 5; history, tables and report agree on each of 150 scripts")
		t.limit = time.Minute
		t.next("150")
	}},
	{"deadline-non-transactional", "CREATE INDEX CONCURRENTLY is cancelled, its failed row is recorded, the invalid " +
		"index is named with the statement that removes it", func(t *testbed) {
		t.migrated()
		t.script("V2__index.sql", "CREATE INDEX CONCURRENTLY i2 ON t1 (id);")
		app := t.session()
		t.do(app, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t1")
		before := t.look()
		t.limit = 12 * time.Second
		o := t.run("migrate", "--timeout", "12s")
		t.answered(o, report.Deadline, before)
		t.contains(o.Next, "DROP INDEX CONCURRENTLY public.i2;", "repair")
		t.do(app, "COMMIT")
		t.mend(o, "2")
	}},
	{"deadline-while-connecting", "DATABASE_UNREACHABLE with the last reason, before the limit", func(t *testbed) {
		t.migrated()
		t.two()
		t.env["SLIPWAY_CONNECT_WAIT"] = "5m"
		t.proxy(func(_ *proxy, c net.Conn, _ int) { refuse(c, "57P03", "the database system is starting up") })
		before := t.look()
		t.limit = 5 * time.Second
		o := t.run("migrate", "--timeout", "5s")
		t.contains(o.Message, "starting up")
		t.answered(o, report.DatabaseUnreachable, nil)
		t.unchanged(before)
		t.limit = 30 * time.Second
		t.direct()
		t.next("2")
	}},
	{"deadline-server-silent", "an answer before the limit even though the server can't be asked to cancel",
		func(t *testbed) {
			t.one()
			t.slow()
			p := t.proxy((*proxy).freezable)
			t.limit = 16 * time.Second
			run := t.start("migrate", "--timeout", "16s")
			pid := t.awaitStatement("%pg_sleep%")
			p.freeze()
			o := run.answer()
			t.check(o.Code == report.Deadline || o.Code == report.DatabaseUnreachable, "the code is %s: %s", o.Code,
				o.Message)
			t.check(o.exit == o.Code.Exit() && o.Next != "", "exit code %d, next %q", o.exit, o.Next)
			t.check(slices.ContainsFunc(o.Warnings, func(w string) bool { return len(w) > 0 }),
				"no warning that the history could not be read again")
			t.saw("a typed answer that warns that the history could not be read")
			// The client is gone; this server hears it, as its keepalives would tell it.
			p.cut()
			t.await("the server has ended the statement", func() bool {
				return t.ask("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", pid) == "0"
			})
			t.direct()
			t.again("2")
		}},
	{"deadline-in-lambda", "the handler answers Lambda with a function error DEADLINE before the sandbox would be " +
		"killed", func(t *testbed) {
		t.one()
		t.slow()
		before := t.look()
		api := t.lambda()
		limit := 8 * time.Second
		a := api.invoke(`{"command":"migrate"}`, limit)
		t.check(a.took < limit, "it took %s of %s", a.took, limit)
		t.check(a.ErrorType == "DEADLINE", "the answer is %s: %s", a.ErrorType, a.ErrorMessage)
		o := a.report()
		t.nothingLeft(api.pid())
		t.asReported(o, before)
		t.saw("DEADLINE as a function error, at version %s", o.SchemaVersionAfter)
		t.quick()
		a = api.invoke(`{"command":"migrate"}`, time.Minute)
		t.check(a.ErrorType == "" && a.report().SchemaVersionAfter == "2", "the next invocation: %s %s", a.ErrorType,
			a.ErrorMessage)
		t.saw("the next invocation of the same sandbox completes at 2")
	}},
}

// again is next for a release with a slow script, made quick.
func (t *testbed) again(version string) *outcome {
	t.quick()
	t.limit = 30 * time.Second
	return t.next(version)
}

// unchanged fails if the database is not as it was.
func (t *testbed) unchanged(before *look) {
	after := t.look()
	t.check(after.objects == before.objects && slices.Equal(after.applied, before.applied) &&
		slices.Equal(after.failed, before.failed), "the database has changed: %+v, before %+v", after, before)
}
