//go:build faults

package faults

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
	{"backend-terminated", "DATABASE_UNREACHABLE; the script that was cut off is rolled back", func(t *testbed) {
		t.one()
		t.slow()
		before := t.look()
		run := t.start("migrate")
		t.exec("SELECT pg_terminate_backend($1)", t.awaitStatement("%pg_sleep%"))
		o := run.answer()
		t.check(o.SQLState == "57P01" && o.Script == "V2__slow.sql", "SQLSTATE %s in %s", o.SQLState, o.Script)
		t.answered(o, report.DatabaseUnreachable, before)
		t.again("2")
	}},
	{"own-session-terminated", "with the session goes the run's lock, so Flyway is ended too, and a new session " +
		"looks what was applied", func(t *testbed) {
		t.one()
		t.slow()
		before := t.look()
		run := t.start("migrate")
		t.awaitStatement("%pg_sleep%")
		t.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE "+
			"'slipway-run/%'", t.database)
		t.answered(run.answer(), report.DatabaseUnreachable, before)
		t.again("2")
	}},
	{"statement-cancelled", "a statement that somebody cancels fails its script, which is rolled back",
		func(t *testbed) {
			t.one()
			t.slow()
			before := t.look()
			run := t.start("migrate")
			t.exec("SELECT pg_cancel_backend($1)", t.awaitStatement("%pg_sleep%"))
			o := run.answer()
			t.check(o.SQLState == "57014" && o.Script == "V2__slow.sql", "SQLSTATE %s in %s", o.SQLState, o.Script)
			t.answered(o, report.MigrationFailed, before)
			t.again("2")
		}},
	{"connection-cut", "cut connections are an answer at once, not at the deadline", func(t *testbed) {
		t.one()
		t.slow()
		before := t.look()
		p := t.proxy(func(p *proxy, c net.Conn, _ int) { p.relay(c) })
		run := t.start("migrate")
		t.awaitStatement("%pg_sleep%")
		at := time.Now()
		p.cut()
		o := run.answer()
		t.check(time.Since(at) < 8*time.Second, "it took %s from the cut", time.Since(at))
		t.answered(o, report.DatabaseUnreachable, before)
		t.direct()
		t.again("2")
	}},
	{"server-restarts", "DATABASE_UNREACHABLE; the run after it completes", func(t *testbed) {
		folder := t.ownServer(nil)
		t.one()
		t.slow()
		before := t.look()
		run := t.start("migrate")
		t.awaitStatement("%pg_sleep%")
		t.restart(folder)
		t.answered(run.answer(), report.DatabaseUnreachable, before)
		t.again("2")
	}},
	{"failover-to-reader", "25006 is DATABASE_UNREACHABLE with the writer as next step; on the writer the run " +
		"completes", func(t *testbed) {
		folder := t.ownServer(nil)
		t.one()
		t.slow()
		before := t.look()
		run := t.start("migrate")
		t.awaitStatement("%pg_sleep%")
		standby := filepath.Join(postgres.Place(folder), "data", "standby.signal")
		t.must(os.WriteFile(standby, nil, 0o644))
		t.restart(folder)
		t.answered(run.answer(), report.DatabaseUnreachable, before)
		t.check(t.ask("SELECT pg_is_in_recovery()") == "true", "the server is no reader")
		before = t.look()
		o := t.run("migrate")
		t.check(o.SQLState == "25006", "SQLSTATE %s: %s", o.SQLState, o.Message)
		t.contains(o.Next, "writer")
		t.answered(o, report.DatabaseUnreachable, before)
		t.must(os.Remove(standby))
		t.restart(folder)
		t.again("2")
	}},
	{"read-only-database", "25006 on a writer is MIGRATION_FAILED, and the next step lifts the setting",
		func(t *testbed) {
			t.migrated()
			t.two()
			before := t.look()
			t.exec("ALTER DATABASE " + t.database + " SET default_transaction_read_only = on")
			o := t.run("migrate")
			t.check(o.SQLState == "25006", "SQLSTATE %s: %s", o.SQLState, o.Message)
			t.contains(o.Next, "default_transaction_read_only is on (set for the database)")
			t.answered(o, report.MigrationFailed, before)
			t.exec("SET default_transaction_read_only = off")
			t.exec("ALTER DATABASE " + t.database + " RESET default_transaction_read_only")
			t.next("2")
		}},
	{"sandbox-vanishes", "killed with its network cut and no socket closed: keepalives have the server end " +
		"statement and lock in under 40 s", func(t *testbed) {
		run, cut := t.overNetwork()
		cut()
		run.kill()
		at := time.Now()
		t.env["SLIPWAY_LOCK_WAIT"] = "50s"
		t.limit = time.Minute
		t.quick()
		t.completes("2")
		t.check(time.Since(at) < 40*time.Second, "it took %s", time.Since(at))
		t.seen = []string{"a run started at once waits for the dead one's lock and completes at 2"}
	}},
	{"network-cut", "the program lives, its network is cut: an answer within the limit, nothing left on either side",
		func(t *testbed) {
			t.limit = 20 * time.Second
			run, cut := t.overNetwork("--timeout", "20s")
			cut()
			o := run.answer()
			t.check(o.Code == report.DatabaseUnreachable || o.Code == report.Deadline, "the code is %s", o.Code)
			t.check(o.exit == o.Code.Exit() && o.Next != "", "exit code %d, next %q", o.exit, o.Next)
			t.check(len(o.Warnings) > 0, "no warning that the history could not be read again")
			t.saw("a typed answer in time, with a warning that the history could not be read")
			t.nothingLeft()
			t.again("2")
		}},
	{"restore-point", "a run that changes something carries the time before it; when it fails, the command that " +
		"restores to it", func(t *testbed) {
		t.migrated()
		t.two()
		t.script("V3__bad.sql", "CREATE TABLE t3 (id int);\nSELECT 1/0;")
		t.env["SLIPWAY_CLUSTER"] = "orders-prod"
		before := t.look()
		begun := t.ask("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS')")
		o := t.run("migrate")
		t.answered(o, report.MigrationFailed, before)
		t.check(o.RestorePoint != nil, "there is no restore point")
		at := o.RestorePoint.UTC().Format("2006-01-02T15:04:05")
		applied := t.ask("SELECT to_char(installed_on, 'YYYY-MM-DD\"T\"HH24:MI:SS') FROM flyway_schema_history " +
			"WHERE version = '2'")
		t.check(begun <= at && at <= applied, "the restore point %s is not between %s and %s", at, begun, applied)
		t.contains(o.Restore, "restore-db-cluster-to-point-in-time", "--source-db-cluster-identifier orders-prod",
			"--db-cluster-identifier orders-prod-restored", "--restore-to-time "+at)
		t.saw("the command names cluster, new cluster and the second before version 2")
		t.script("V3__bad.sql", "CREATE TABLE t3 (id int);")
		o = t.completes("3")
		t.check(o.RestorePoint != nil && o.Restore == "", "restore point %v, command %q", o.RestorePoint, o.Restore)
		o = t.completes("3")
		t.check(o.RestorePoint == nil, "a run without a change has a restore point")
		t.saw("a run without a change has none")
	}},
	{"twenty-runs", "20 commands at once: one applies each script, all answer OK", func(t *testbed) {
		t.one()
		t.two()
		t.script("V3__index.sql", "CREATE INDEX CONCURRENTLY i3 ON t1 (id);")
		t.limit = time.Minute
		t.env["SLIPWAY_LOCK_WAIT"] = "1m"
		var runs []*process
		for range 20 {
			runs = append(runs, t.start("migrate"))
		}
		applied, starts := map[string]int{}, 0
		for _, run := range runs {
			o := run.answer()
			t.check(o.Code == report.OK && o.SchemaVersionAfter == "3", "%s: %s", o.Code, o.Message)
			for _, s := range o.Applied {
				applied[s.Script]++
			}
			starts += strings.Count(o.log, "starting Flyway")
		}
		t.nothingLeft()
		t.check(fmt.Sprint(applied) == "map[V1__one.sql:1 V2__two.sql:1 V3__index.sql:1]", "applied: %v", applied)
		t.check(starts == 1, "Flyway was started %d times", starts)
		t.saw("each script in one report, 20 times OK at version 3, Flyway started once")
	}},
}

// ownServer gives the fault a PostgreSQL that it can restart, and returns its folder.
func (t *testbed) ownServer(settings map[string]string) (folder string) {
	folder = t.beside("postgres")
	if settings == nil {
		settings = map[string]string{}
	}
	settings["fsync"] = "off"
	s, err := postgres.Start(t.ctx, postgres.Options{Folder: folder, Settings: settings, Cache: t.cache})
	t.must(err)
	t.Cleanup(func() {
		t.server.Stop()
		os.RemoveAll(postgres.Place(folder))
	})
	t.dropShared()
	t.use(s)
	return folder
}

// beside is a path for what PostgreSQL uses: not below the fault's folder,
// by which its processes are told.
func (t *testbed) beside(name string) string {
	folder := t.dir + "-server"
	t.must(os.MkdirAll(folder, 0o755))
	return filepath.Join(folder, name)
}

// dropShared removes the database on the shared server, when the fault has its own.
func (t *testbed) dropShared() {
	t.admin.Close(t.ctx)
	t.must(t.shared.server.DropDatabase(t.ctx, t.database))
}

// restart ends the fault's server and starts it again on the same port.
func (t *testbed) restart(folder string) {
	port := t.server.Port
	t.admin.Close(t.ctx)
	t.must(t.server.Stop())
	s, err := postgres.Start(t.ctx, postgres.Options{
		Folder: folder, Port: port, Settings: map[string]string{"fsync": "off"}, Cache: t.cache,
	})
	t.must(err)
	t.server = s
	t.connectAdmin()
}
