package migrator_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
)

// A table that somebody holds: the script gives up before the application
// queues behind it, tries again for a while, and then names who it was.
func TestTableLockOfSomebodyElse(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);"})
	y.migrate()
	y.write("V2__b.sql", "CREATE TABLE b (id int);")
	y.write("V3__c.sql", "\nALTER TABLE a ADD b int;")
	y.config.LockTimeout, y.config.LockWait = 1500*time.Millisecond, time.Second
	holder := y.connect()
	for _, statement := range []string{"SET application_name = 'the shop'", "BEGIN", "SELECT * FROM a"} {
		if _, err := holder.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	rep := y.fails(report.Locked, migrate)
	if rep.Script != "V3__c.sql" || rep.Line != 2 || rep.SQLState != "55P03" || rep.Code.Exit() != 4 ||
		scripts(rep.Applied) != "V2__b.sql" {
		t.Errorf("%s in %s line %d, applied %s", rep.Code, rep.Script, rep.Line, scripts(rep.Applied))
	}
	if len(rep.Blockers) != 1 || rep.Blockers[0].Application != "the shop" || rep.Blockers[0].Query != "SELECT on a" {
		t.Errorf("blockers: %+v", rep.Blockers)
	}
	y.config.LockWait = 20 * time.Second
	done := make(chan *report.Report)
	go func() { done <- y.run(t.Context(), migrate) }()
	y.await("a script that waits", "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() "+
		"AND wait_event_type = 'Lock' AND application_name LIKE 'slipway/%'")
	if _, err := holder.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if rep := <-done; !rep.OK() || scripts(rep.Applied) != "V3__c.sql" {
		t.Errorf("after the lock was free: %s %s", rep.Code, rep.Message)
	}
}

// CREATE INDEX CONCURRENTLY waits for every older snapshot, for longer than
// transactional scripts may wait for a lock. It must not fail for that.
func TestConcurrentIndexWaitsForOldSnapshots(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{
		"V1__a.sql": "CREATE TABLE a (id int);", "V2__i.sql": "CREATE INDEX CONCURRENTLY i ON a (id);",
		"V3__b.sql": "CREATE TABLE timeout AS SELECT current_setting('lock_timeout') AS b;",
		"V4__j.sql": "CREATE INDEX CONCURRENTLY j ON a (id);",
		"V5__c.sql": "ALTER TABLE timeout ADD c text; UPDATE timeout SET c = current_setting('lock_timeout');",
	})
	y.config.LockTimeout = 300 * time.Millisecond
	holder := y.connect()
	if _, err := holder.Exec(t.Context(),
		"BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM pg_class LIMIT 1"); err != nil {
		t.Fatal(err)
	}
	done := make(chan *report.Report)
	go func() { done <- y.run(t.Context(), migrate) }()
	y.await("an index that waits longer than the limit",
		`SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database()
		AND wait_event_type = 'Lock' AND query LIKE 'CREATE INDEX CONCURRENTLY i %' AND query_start < clock_timestamp() - interval '700 ms'`)
	if _, err := holder.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	rep := <-done
	if !rep.OK() || len(rep.Applied) != 5 || y.starts() != 1 {
		t.Fatalf("%s %s, applied %s in %d starts", rep.Code, rep.Message, scripts(rep.Applied), y.starts())
	}
	y.equal("limits of the transactional scripts", y.text("SELECT b, c FROM timeout"), "300ms 300ms")
	y.equal("indexes", y.text("SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid IN ('i'::regclass, "+
		"'j'::regclass)"), "2")
	if rep := y.ok(migrate); rep.FlywayVersion != "" {
		t.Error("the callback of one's own counts as one of the release's")
	}
}

// Runs at the same time: every script runs once, and every run is a success
// that waits (CloudFormation's), or says LOCKED (a command without patience).
func TestRunsAtTheSameTime(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);",
		"V2__b.sql": "SELECT pg_sleep(0.5); INSERT INTO a VALUES (2);",
		"V3__i.sql": "CREATE INDEX CONCURRENTLY i ON a (id);"})
	const runs = 5
	reports := make([]*report.Report, runs)
	var all sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	for i := range runs {
		all.Go(func() { reports[i] = y.run(ctx, migrator.Request{Command: "migrate", WaitForLock: true}) })
	}
	all.Wait()
	applied := 0
	for _, rep := range reports {
		if !rep.OK() || rep.SchemaVersionAfter != "3" {
			t.Errorf("%s: %s", rep.Code, rep.Message)
		}
		applied += len(rep.Applied)
	}
	if applied != 3 || y.starts() != 1 {
		t.Errorf("%d applied in %d starts", applied, y.starts())
	}
	y.equal("history", y.history(), "1 SQL; 2 SQL; 3 SQL")
	y.equal("sessions", y.text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "+
		"application_name LIKE 'slipway%'"), "0")
}

func TestCommandWithoutPatienceIsLocked(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "SELECT pg_advisory_xact_lock_shared(7);"})
	y.config.LockTimeout, y.config.LockWait = 0, 300*time.Millisecond
	holder := y.connect()
	if _, err := holder.Exec(t.Context(), "SELECT pg_advisory_lock(7)"); err != nil {
		t.Fatal(err)
	}
	first := make(chan *report.Report)
	go func() { first <- y.run(t.Context(), migrate) }()
	y.await("the first run's script", "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() "+
		"AND wait_event = 'advisory' AND application_name LIKE 'slipway/%'")
	rep := y.fails(report.Locked, migrate)
	if len(rep.Blockers) != 1 || !strings.HasPrefix(rep.Blockers[0].Application, "slipway-run/") ||
		rep.FlywayVersion != "" || rep.Code.Exit() != 4 {
		t.Errorf("blockers %+v", rep.Blockers)
	}
	// Looking needs no lock.
	y.ok(migrator.Request{Command: "info"})
	// Who has to wait and sees at its deadline that another one works still, says so.
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if rep := y.run(ctx, migrator.Request{Command: "migrate", WaitForLock: true}); rep.Code != report.Locked ||
		ctx.Err() != nil {
		t.Errorf("at its deadline: %s %s", rep.Code, rep.Message)
	}
	if _, err := holder.Exec(t.Context(), "SELECT pg_advisory_unlock(7)"); err != nil {
		t.Fatal(err)
	}
	if rep := <-first; !rep.OK() {
		t.Errorf("the first run: %s %s", rep.Code, rep.Message)
	}
}
