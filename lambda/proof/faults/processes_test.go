//go:build faults

package faults

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"slipway/lambda/report"
)

var processFaults = []fault{
	{"sigterm", "the statement is cancelled and the run answers INTERRUPTED",
		func(t *testbed) { t.interrupted(syscall.SIGTERM) }},
	{"sigint", "the statement is cancelled and the run answers INTERRUPTED",
		func(t *testbed) { t.interrupted(syscall.SIGINT) }},
	{"sigint-twice", "a second signal ends the program at once; the JVM and the statement go with it",
		func(t *testbed) {
			// A server that does not take cancels keeps the first signal's end waiting.
			t.one()
			t.slow()
			p := t.proxy((*proxy).freezable)
			run := t.start("migrate")
			t.awaitStatement("%pg_sleep%")
			p.freeze()
			run.signal(syscall.SIGINT)
			t.await("the first signal is taken",
				func() bool { return strings.Contains(run.err.String(), "interrupted") })
			run.signal(syscall.SIGINT)
			run.wait()
			p.cut()
			t.clear()
			t.nothingLeft()
			t.saw("gone, and its JVM with it")
			t.direct()
			t.again("2")
		}},
	{"sigkill-program", "the JVM dies with the program, the server ends the statement and frees the locks",
		func(t *testbed) {
			t.one()
			t.slow()
			run := t.start("migrate")
			t.awaitStatement("%pg_sleep%")
			run.signal(syscall.SIGKILL)
			run.wait()
			t.clear()
			t.nothingLeft()
			t.saw("no process, session or lock is left")
			t.again("2")
		}},
	{"sigkill-jvm", "INTERNAL says that Flyway was killed; nothing of the script stays", func(t *testbed) {
		t.jvmEnded(syscall.SIGKILL)
	}},
	{"sigterm-jvm", "INTERNAL says that Flyway was ended; nothing of the script stays", func(t *testbed) {
		t.jvmEnded(syscall.SIGTERM)
	}},
	{"sigkill-both", "the server ends the statement and frees the locks when the sockets close", func(t *testbed) {
		t.one()
		t.slow()
		run := t.start("migrate")
		t.awaitStatement("%pg_sleep%")
		run.kill()
		t.nothingLeft()
		t.saw("no process, session or lock is left")
		t.again("2")
	}},
	{"orphan-of-a-dead-run", "a statement that outlived its run is named and ended; the run then completes",
		func(t *testbed) {
			t.one()
			t.slow()
			t.proxy(func(p *proxy, c net.Conn, _ int) { p.pass(c, c, true) })
			run := t.start("migrate")
			orphan := t.awaitStatement("%pg_sleep%")
			run.kill()
			t.direct()
			// The session that held the run's lock is gone: that proves the run dead.
			t.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name "+
				"LIKE 'slipway-run/%'", t.database)
			t.check(t.ask("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", orphan) == "1", "there is no orphan")
			t.quick()
			o := t.completes("2")
			t.contains(strings.Join(o.Warnings, "\n"), fmt.Sprintf("pid %d", orphan), "SELECT on lab.knob")
			t.seen = []string{"the orphan is named with pid and statement, and ended; the run completes at 2"}
		}},
	{"orphan-still-locked", "a run whose session still holds the lock is not touched: LOCKED names it",
		func(t *testbed) {
			t.one()
			t.slow()
			p := t.proxy(func(p *proxy, c net.Conn, _ int) { p.pass(c, c, true) })
			run := t.start("migrate")
			pid := t.awaitStatement("%pg_sleep%")
			run.kill()
			t.direct()
			t.env["SLIPWAY_LOCK_WAIT"] = "1s"
			o := t.run("migrate")
			t.check(o.Code == report.Locked && o.exit == 4, "the code is %s: %s", o.Code, o.Message)
			t.check(len(o.Blockers) == 1 && strings.HasPrefix(o.Blockers[0].Application, "slipway-run/"),
				"the blockers are %v", o.Blockers)
			t.check(t.ask("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", pid) == "1", "it was touched")
			t.saw("LOCKED, exit 4, names the session of the run; its statement goes on")
			p.cut() // the network has noticed at last
			delete(t.env, "SLIPWAY_LOCK_WAIT")
			t.again("2")
		}},
	{"orphan-of-another-role", "an orphan that the role may not end, as alternating users can leave it: LOCKED " +
		"names it and the statement that ends it", func(t *testbed) {
		t.migrated()
		t.two()
		app := t.session()
		// e73cd15b is of public.flyway_schema_history
		t.do(app, "SET application_name = 'slipway/e73cd15b/00000000dead'; BEGIN; SELECT count(*) FROM t1")
		before := t.look()
		o := t.run("migrate")
		t.answered(o, report.Locked, before)
		end := fmt.Sprintf("SELECT pg_terminate_backend(%d);", app.PgConn().PID())
		t.contains(o.Next, shop, end)
		t.check(len(o.Blockers) == 1 && o.Blockers[0].PID == int(app.PgConn().PID()), "the blockers are %v", o.Blockers)
		t.saw("names it, its user, and the statement")
		t.exec(end)
		t.next("2")
	}},
	{"out-of-memory", "INTERNAL says so and what to raise; nothing was applied", func(t *testbed) {
		t.migrated()
		t.script("V2__big.sql", "CREATE TABLE t2 (name text);\nSELECT repeat('x', 100000000);")
		before := t.look()
		t.env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = "128"
		o := t.run("migrate")
		t.contains(o.Next, "memory")
		t.answered(o, report.Internal, before)
		t.saw("the next step is more memory")
		delete(t.env, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
		t.next("2")
	}},
	{"tmp-full", "INTERNAL says that there is no room, before anything is run", func(t *testbed) {
		if !isRoot() {
			t.cannot("it needs root to make a file system of no size")
		}
		t.migrated()
		t.two()
		before := t.look()
		tmp := filepath.Join(t.dir, "tmp")
		t.must(syscall.Mount("none", tmp, "tmpfs", 0, "size=4k,nr_inodes=1"))
		mounted := true
		unmount := func() {
			if mounted {
				mounted = syscall.Unmount(tmp, 0) != nil
			}
		}
		t.Cleanup(unmount)
		o := t.run("migrate")
		t.contains(o.Message, "no space left on device")
		t.contains(o.Next, "/tmp")
		t.answered(o, report.Internal, before)
		unmount()
		t.next("2")
	}},
	{"no-java", "BAD_REQUEST names JAVA_HOME, before anything is run", func(t *testbed) {
		t.one()
		before := t.look()
		home, path := t.env["JAVA_HOME"], t.env["PATH"]
		t.env["JAVA_HOME"], t.env["PATH"] = t.dir, t.dir
		o := t.run("migrate")
		t.contains(o.Message, "JAVA_HOME")
		t.answered(o, report.BadRequest, before)
		t.env["JAVA_HOME"], t.env["PATH"] = home, path
		t.next("1")
	}},
	{"no-flyway", "INTERNAL names the jar that is missing", func(t *testbed) {
		t.one()
		before := t.look()
		t.env["SLIPWAY_FLYWAY_HOME"] = t.dir
		o := t.run("migrate")
		t.contains(o.Message, "flyway-commandline")
		t.answered(o, report.Internal, before)
		t.env["SLIPWAY_FLYWAY_HOME"] = t.flyway
		t.next("1")
	}},
}

func (t *testbed) interrupted(s syscall.Signal) {
	t.one()
	t.slow()
	before := t.look()
	run := t.start("migrate")
	t.awaitStatement("%pg_sleep%")
	at := time.Now()
	run.signal(s)
	o := run.answer()
	t.check(time.Since(at) < 8*time.Second, "it took %s from the signal", time.Since(at))
	t.answered(o, report.Interrupted, before)
	t.again("2")
}

func (t *testbed) jvmEnded(s syscall.Signal) {
	t.one()
	t.slow()
	before := t.look()
	run := t.start("migrate")
	t.awaitStatement("%pg_sleep%")
	t.must(syscall.Kill(run.child(), s))
	o := run.answer()
	t.answered(o, report.Internal, before)
	t.contains(o.Message, "Flyway was")
	t.again("2")
}

// clear removes what a killed program left in its temporary folder, as the
// end of its sandbox does.
func (t *testbed) clear() {
	left, _ := filepath.Glob(filepath.Join(t.dir, "tmp", "*"))
	for _, name := range left {
		t.must(os.RemoveAll(name))
	}
}
