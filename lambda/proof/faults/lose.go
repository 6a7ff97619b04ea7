package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"slipway/lambda/report"
	"slipway/lambda/workbench/postgres"
)

var loseFaults = []fault{
	{"backend-terminated", "DATABASE_UNREACHABLE; the script that was cut off is rolled back", func(l *lab) {
		l.one()
		l.slow()
		before := l.look()
		run := l.start("migrate")
		l.exec("SELECT pg_terminate_backend($1)", l.awaitStatement("%pg_sleep%"))
		o := run.answer()
		l.check(o.SQLState == "57P01" && o.Script == "V2__slow.sql", "SQLSTATE %s in %s", o.SQLState, o.Script)
		l.answered(o, report.DatabaseUnreachable, before)
		l.again("2")
	}},
	{"own-session-terminated", "with the session goes the run's lock, so Flyway is ended too, and a new session looks what was applied", func(l *lab) {
		l.one()
		l.slow()
		before := l.look()
		run := l.start("migrate")
		l.awaitStatement("%pg_sleep%")
		l.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'slipway-run/%'", l.database)
		l.answered(run.answer(), report.DatabaseUnreachable, before)
		l.again("2")
	}},
	{"statement-cancelled", "a statement that somebody cancels fails its script, which is rolled back", func(l *lab) {
		l.one()
		l.slow()
		before := l.look()
		run := l.start("migrate")
		l.exec("SELECT pg_cancel_backend($1)", l.awaitStatement("%pg_sleep%"))
		o := run.answer()
		l.check(o.SQLState == "57014" && o.Script == "V2__slow.sql", "SQLSTATE %s in %s", o.SQLState, o.Script)
		l.answered(o, report.MigrationFailed, before)
		l.again("2")
	}},
	{"connection-cut", "cut connections are an answer at once, not at the deadline", func(l *lab) {
		l.one()
		l.slow()
		before := l.look()
		p := l.proxy(func(p *proxy, c net.Conn, _ int) { p.relay(c) })
		run := l.start("migrate")
		l.awaitStatement("%pg_sleep%")
		at := time.Now()
		p.cut()
		o := run.answer()
		l.check(time.Since(at) < 8*time.Second, "it took %s from the cut", time.Since(at))
		l.answered(o, report.DatabaseUnreachable, before)
		l.direct()
		l.again("2")
	}},
	{"server-restarts", "DATABASE_UNREACHABLE; the run after it completes", func(l *lab) {
		folder := l.ownServer(nil)
		l.one()
		l.slow()
		before := l.look()
		run := l.start("migrate")
		l.awaitStatement("%pg_sleep%")
		l.restart(folder)
		l.answered(run.answer(), report.DatabaseUnreachable, before)
		l.again("2")
	}},
	{"failover-to-reader", "25006 is DATABASE_UNREACHABLE with the writer as next step; on the writer the run completes", func(l *lab) {
		folder := l.ownServer(nil)
		l.one()
		l.slow()
		before := l.look()
		run := l.start("migrate")
		l.awaitStatement("%pg_sleep%")
		standby := filepath.Join(postgres.Place(folder), "data", "standby.signal")
		l.must(os.WriteFile(standby, nil, 0o644))
		l.restart(folder)
		l.answered(run.answer(), report.DatabaseUnreachable, before)
		l.check(l.ask("SELECT pg_is_in_recovery()") == "true", "the server is no reader")
		before = l.look()
		o := l.run("migrate")
		l.check(o.SQLState == "25006", "SQLSTATE %s: %s", o.SQLState, o.Message)
		l.contains(o.Next, "writer")
		l.answered(o, report.DatabaseUnreachable, before)
		l.must(os.Remove(standby))
		l.restart(folder)
		l.again("2")
	}},
	{"read-only-database", "25006 on a writer is MIGRATION_FAILED, and the next step lifts the setting", func(l *lab) {
		l.migrated()
		l.two()
		before := l.look()
		l.exec("ALTER DATABASE " + l.database + " SET default_transaction_read_only = on")
		o := l.run("migrate")
		l.check(o.SQLState == "25006", "SQLSTATE %s: %s", o.SQLState, o.Message)
		l.contains(o.Next, "default_transaction_read_only is on (set for the database)")
		l.answered(o, report.MigrationFailed, before)
		l.exec("SET default_transaction_read_only = off")
		l.exec("ALTER DATABASE " + l.database + " RESET default_transaction_read_only")
		l.next("2")
	}},
	{"sandbox-vanishes", "killed with its network cut and no socket closed: keepalives have the server end statement and lock in under 40 s", func(l *lab) {
		run, cut := l.overNetwork()
		cut()
		run.kill()
		at := time.Now()
		l.env["SLIPWAY_LOCK_WAIT"] = "50s"
		l.limit = time.Minute
		l.quick()
		l.completes("2")
		l.check(time.Since(at) < 40*time.Second, "it took %s", time.Since(at))
		l.seen = []string{"a run started at once waits for the dead one's lock and completes at 2"}
	}},
	{"network-cut", "the program lives, its network is cut: an answer within the limit, nothing left on either side", func(l *lab) {
		l.limit = 20 * time.Second
		run, cut := l.overNetwork("--timeout", "20s")
		cut()
		o := run.answer()
		l.check(o.Code == report.DatabaseUnreachable || o.Code == report.Deadline, "the code is %s", o.Code)
		l.check(o.exit == o.Code.Exit() && o.Next != "", "exit code %d, next %q", o.exit, o.Next)
		l.check(len(o.Warnings) > 0, "no warning that the history could not be read again")
		l.saw("a typed answer in time, with a warning that the history could not be read")
		l.nothingLeft()
		l.again("2")
	}},
	{"restore-point", "a run that changes something carries the time before it; when it fails, the command that restores to it", func(l *lab) {
		l.migrated()
		l.two()
		l.script("V3__bad.sql", "CREATE TABLE t3 (id int);\nSELECT 1/0;")
		l.env["SLIPWAY_CLUSTER"] = "orders-prod"
		before := l.look()
		begun := l.ask("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS')")
		o := l.run("migrate")
		l.answered(o, report.MigrationFailed, before)
		l.check(o.RestorePoint != nil, "there is no restore point")
		at := o.RestorePoint.UTC().Format("2006-01-02T15:04:05")
		applied := l.ask("SELECT to_char(installed_on, 'YYYY-MM-DD\"T\"HH24:MI:SS') FROM flyway_schema_history WHERE version = '2'")
		l.check(begun <= at && at <= applied, "the restore point %s is not between %s and %s", at, begun, applied)
		l.contains(o.Restore, "restore-db-cluster-to-point-in-time", "--source-db-cluster-identifier orders-prod", "--db-cluster-identifier orders-prod-restored", "--restore-to-time "+at)
		l.saw("the command names cluster, new cluster and the second before version 2")
		l.script("V3__bad.sql", "CREATE TABLE t3 (id int);")
		o = l.completes("3")
		l.check(o.RestorePoint != nil && o.Restore == "", "restore point %v, command %q", o.RestorePoint, o.Restore)
		o = l.completes("3")
		l.check(o.RestorePoint == nil, "a run without a change has a restore point")
		l.saw("a run without a change has none")
	}},
	{"twenty-runs", "20 commands at once: one applies each script, all answer OK", func(l *lab) {
		l.one()
		l.two()
		l.script("V3__index.sql", "CREATE INDEX CONCURRENTLY i3 ON t1 (id);")
		l.limit = time.Minute
		l.env["SLIPWAY_LOCK_WAIT"] = "1m"
		var runs []*process
		for range 20 {
			runs = append(runs, l.start("migrate"))
		}
		applied, starts := map[string]int{}, 0
		for _, run := range runs {
			o := run.answer()
			l.check(o.Code == report.OK && o.SchemaVersionAfter == "3", "%s: %s", o.Code, o.Message)
			for _, s := range o.Applied {
				applied[s.Script]++
			}
			starts += strings.Count(o.log, "starting Flyway")
		}
		l.nothingLeft()
		l.check(fmt.Sprint(applied) == "map[V1__one.sql:1 V2__two.sql:1 V3__index.sql:1]", "applied: %v", applied)
		l.check(starts == 1, "Flyway was started %d times", starts)
		l.saw("each script in one report, 20 times OK at version 3, Flyway started once")
	}},
}

// ownServer gives the fault a PostgreSQL that it can restart, and answers its folder.
func (l *lab) ownServer(settings map[string]string) (folder string) {
	folder = l.beside("postgres")
	if settings == nil {
		settings = map[string]string{}
	}
	settings["fsync"] = "off"
	s, err := l.startServer(l.ctx, postgres.Options{Folder: folder, Settings: settings})
	l.must(err)
	l.later(func() {
		l.server.Stop()
		os.RemoveAll(postgres.Place(folder))
	})
	l.dropShared()
	l.use(s)
	return folder
}

// beside is a path for what PostgreSQL uses: not below the fault's folder,
// by which its processes are told.
func (l *lab) beside(name string) string {
	folder := l.dir + "-server"
	l.must(os.MkdirAll(folder, 0o755))
	return filepath.Join(folder, name)
}

// dropShared removes the database on the shared server, when the fault has its own.
func (l *lab) dropShared() {
	l.admin.Close(l.ctx)
	l.must(l.bench.server.DropDatabase(l.ctx, l.database))
}

// restart ends the fault's server and starts it again on the same port.
func (l *lab) restart(folder string) {
	port := l.server.Port
	l.admin.Close(l.ctx)
	l.must(l.server.Stop())
	s, err := l.startServer(l.ctx, postgres.Options{Folder: folder, Port: port, Settings: map[string]string{"fsync": "off"}})
	l.must(err)
	l.server = s
	l.connectAdmin()
}
