package main

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
	{"sigterm", "the statement is cancelled and the run answers INTERRUPTED", func(l *lab) { l.interrupted(syscall.SIGTERM) }},
	{"sigint", "the statement is cancelled and the run answers INTERRUPTED", func(l *lab) { l.interrupted(syscall.SIGINT) }},
	{"sigint-twice", "a second signal ends the program at once; the JVM and the statement go with it", func(l *lab) {
		// A server that does not take cancels keeps the first signal's end waiting.
		l.one()
		l.slow()
		p := l.proxy((*proxy).freezable)
		run := l.start("migrate")
		l.awaitStatement("%pg_sleep%")
		p.freeze()
		run.signal(syscall.SIGINT)
		l.await("the first signal is taken", func() bool { return strings.Contains(run.err.String(), "interrupted") })
		run.signal(syscall.SIGINT)
		run.wait()
		p.cut()
		l.clear()
		l.nothingLeft()
		l.saw("gone, and its JVM with it")
		l.direct()
		l.again("2")
	}},
	{"sigkill-program", "the JVM dies with the program, the server ends the statement and frees the locks", func(l *lab) {
		l.one()
		l.slow()
		run := l.start("migrate")
		l.awaitStatement("%pg_sleep%")
		run.signal(syscall.SIGKILL)
		run.wait()
		l.clear()
		l.nothingLeft()
		l.saw("no process, session or lock is left")
		l.again("2")
	}},
	{"sigkill-jvm", "INTERNAL says that Flyway was killed; nothing of the script stays", func(l *lab) {
		l.jvmEnded(syscall.SIGKILL)
	}},
	{"sigterm-jvm", "INTERNAL says that Flyway was ended; nothing of the script stays", func(l *lab) {
		l.jvmEnded(syscall.SIGTERM)
	}},
	{"sigkill-both", "the server ends the statement and frees the locks when the sockets close", func(l *lab) {
		l.one()
		l.slow()
		run := l.start("migrate")
		l.awaitStatement("%pg_sleep%")
		run.kill()
		l.nothingLeft()
		l.saw("no process, session or lock is left")
		l.again("2")
	}},
	{"orphan-of-a-dead-run", "a statement that outlived its run is named and ended; the run then completes", func(l *lab) {
		l.one()
		l.slow()
		l.proxy(func(p *proxy, c net.Conn, _ int) { p.pass(c, c, true) })
		run := l.start("migrate")
		orphan := l.awaitStatement("%pg_sleep%")
		run.kill()
		l.direct()
		// The session that held the run's lock is gone: that proves the run dead.
		l.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'slipway-run/%'", l.database)
		l.check(l.ask("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", orphan) == "1", "there is no orphan")
		l.quick()
		o := l.completes("2")
		l.contains(strings.Join(o.Warnings, "\n"), fmt.Sprintf("pid %d", orphan), "SELECT on lab.knob")
		l.seen = []string{"the orphan is named with pid and statement, and ended; the run completes at 2"}
	}},
	{"orphan-still-locked", "a run whose session still holds the lock is not touched: LOCKED names it", func(l *lab) {
		l.one()
		l.slow()
		p := l.proxy(func(p *proxy, c net.Conn, _ int) { p.pass(c, c, true) })
		run := l.start("migrate")
		pid := l.awaitStatement("%pg_sleep%")
		run.kill()
		l.direct()
		l.env["SLIPWAY_LOCK_WAIT"] = "1s"
		o := l.run("migrate")
		l.check(o.Code == report.Locked && o.exit == 4, "the code is %s: %s", o.Code, o.Message)
		l.check(len(o.Blockers) == 1 && strings.HasPrefix(o.Blockers[0].Application, "slipway-run/"), "the blockers are %v", o.Blockers)
		l.check(l.ask("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", pid) == "1", "it was touched")
		l.saw("LOCKED, exit 4, names the session of the run; its statement goes on")
		p.cut() // the network has noticed at last
		delete(l.env, "SLIPWAY_LOCK_WAIT")
		l.again("2")
	}},
	{"orphan-of-another-role", "an orphan that the role may not end, as alternating users can leave it: LOCKED names it and the statement that ends it", func(l *lab) {
		l.migrated()
		l.two()
		app := l.session()
		l.do(app, "SET application_name = 'slipway/e73cd15b/00000000dead'; BEGIN; SELECT count(*) FROM t1") // e73cd15b is of public.flyway_schema_history
		before := l.look()
		o := l.run("migrate")
		l.answered(o, report.Locked, before)
		end := fmt.Sprintf("SELECT pg_terminate_backend(%d);", app.PgConn().PID())
		l.contains(o.Next, shop, end)
		l.check(len(o.Blockers) == 1 && o.Blockers[0].PID == int(app.PgConn().PID()), "the blockers are %v", o.Blockers)
		l.saw("names it, its user, and the statement")
		l.exec(end)
		l.next("2")
	}},
	{"out-of-memory", "INTERNAL says so and what to raise; nothing was applied", func(l *lab) {
		l.migrated()
		l.script("V2__big.sql", "CREATE TABLE t2 (name text);\nINSERT INTO t2 VALUES ('"+strings.Repeat("x", 40<<20)+"');")
		before := l.look()
		l.env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = "128"
		o := l.run("migrate")
		l.contains(o.Next, "memory")
		l.answered(o, report.Internal, before)
		l.saw("the next step is more memory")
		delete(l.env, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
		l.next("2")
	}},
	{"tmp-full", "INTERNAL says that there is no room, before anything is run", func(l *lab) {
		if !isRoot() {
			l.cannot("it needs root to make a file system of no size")
		}
		l.migrated()
		l.two()
		before := l.look()
		tmp := filepath.Join(l.dir, "tmp")
		l.must(syscall.Mount("none", tmp, "tmpfs", 0, "size=4k,nr_inodes=1"))
		mounted := true
		unmount := func() {
			if mounted {
				mounted = syscall.Unmount(tmp, 0) != nil
			}
		}
		l.later(unmount)
		o := l.run("migrate")
		l.contains(o.Message, "no space left on device")
		l.contains(o.Next, "/tmp")
		l.answered(o, report.Internal, before)
		unmount()
		l.next("2")
	}},
	{"no-java", "BAD_REQUEST names JAVA_HOME, before anything is run", func(l *lab) {
		l.one()
		before := l.look()
		home, path := l.env["JAVA_HOME"], l.env["PATH"]
		l.env["JAVA_HOME"], l.env["PATH"] = l.dir, l.dir
		o := l.run("migrate")
		l.contains(o.Message, "JAVA_HOME")
		l.answered(o, report.BadRequest, before)
		l.env["JAVA_HOME"], l.env["PATH"] = home, path
		l.next("1")
	}},
	{"no-flyway", "INTERNAL names the jar that is missing", func(l *lab) {
		l.one()
		before := l.look()
		l.env["SLIPWAY_FLYWAY_HOME"] = l.dir
		o := l.run("migrate")
		l.contains(o.Message, "flyway-commandline")
		l.answered(o, report.Internal, before)
		l.env["SLIPWAY_FLYWAY_HOME"] = l.flyway
		l.next("1")
	}},
}

func (l *lab) interrupted(s syscall.Signal) {
	l.one()
	l.slow()
	before := l.look()
	run := l.start("migrate")
	l.awaitStatement("%pg_sleep%")
	at := time.Now()
	run.signal(s)
	o := run.answer()
	l.check(time.Since(at) < 8*time.Second, "it took %s from the signal", time.Since(at))
	l.answered(o, report.Interrupted, before)
	l.again("2")
}

func (l *lab) jvmEnded(s syscall.Signal) {
	l.one()
	l.slow()
	before := l.look()
	run := l.start("migrate")
	l.awaitStatement("%pg_sleep%")
	l.must(syscall.Kill(run.child(), s))
	o := run.answer()
	l.answered(o, report.Internal, before)
	l.contains(o.Message, "Flyway was")
	l.again("2")
}

// clear removes what a killed program left in its temporary folder, as the
// end of its sandbox does.
func (l *lab) clear() {
	left, _ := filepath.Glob(filepath.Join(l.dir, "tmp", "*"))
	for _, name := range left {
		l.must(os.RemoveAll(name))
	}
}
