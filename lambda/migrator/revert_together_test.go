package migrator_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/history"
	"slipway/lambda/migrator"
	"slipway/lambda/report"
)

// ladder is n versions, each with one table; undoing takes that many milliseconds each.
func ladder(n, milliseconds int) map[string]string {
	scripts := map[string]string{}
	for v := 1; v <= n; v++ {
		scripts[fmt.Sprintf("V%d__t.sql", v)] = fmt.Sprintf("CREATE TABLE t%d (id int);", v)
		scripts[fmt.Sprintf("U%d__t.sql", v)] = fmt.Sprintf("DROP TABLE t%d;\nSELECT pg_sleep(%d / 1000.0);", v,
			milliseconds)
	}
	return scripts
}

// whole checks that every version is there with its table, or neither.
func (y *yard) whole() {
	y.Helper()
	tables := y.text("SELECT substr(relname, 2) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND " +
		"relname ~ '^t[0-9]+$' ORDER BY substr(relname, 2)::int")
	standing := y.text(`SELECT version FROM flyway_schema_history GROUP BY version
		HAVING count(*) FILTER (WHERE type = 'SQL') = 1 + count(*) FILTER (WHERE type = 'DELETE') ORDER BY version::int`)
	y.equal("versions by their tables, against the history", tables, standing)
	y.equal("failed rows", y.text("SELECT count(*) FROM flyway_schema_history WHERE NOT success"), "0")
}

// Reverts and migrates at the same time: one at a time works, the others wait.
func TestRevertsAtTheSameTime(t *testing.T) {
	t.Parallel()
	y := newYard(t, ladder(8, 20))
	y.prime()
	y.config.LockWait = time.Minute
	var wg sync.WaitGroup
	for i := range 6 {
		req := migrator.Request{Command: "revert", Steps: 1}
		if i == 2 {
			req = migrator.Request{Command: "migrate"}
		}
		m := y.migrator()
		wg.Go(func() {
			if rep, err := m.Run(t.Context(), req); err != nil {
				t.Errorf("%s: %v (%s)", req.Command, err, rep.Next)
			}
		})
	}
	wg.Wait()
	y.whole()
	y.equal("tombstones", y.text("SELECT count(*) FROM flyway_schema_history WHERE type = 'DELETE'"), "5")
	y.equal("ranks", y.text("SELECT count(*) - max(installed_rank) FROM flyway_schema_history"), "0")
	y.flywayOK("migrate")
	y.whole()
}

// Two that want the same: the second finds it done.
func TestRevertTwiceToTheSame(t *testing.T) {
	t.Parallel()
	y := newYard(t, ladder(3, 50))
	y.prime()
	reports := make(chan *report.Report, 2)
	for range 2 {
		m := y.migrator()
		go func() {
			rep, _ := m.Run(t.Context(), migrator.Request{Command: "revert", To: "1"})
			reports <- rep
		}()
	}
	a, b := <-reports, <-reports
	y.equal("both", fmt.Sprint(a.Code, b.Code, " ", len(a.Reverted)+len(b.Reverted),
		min(len(a.Reverted), len(b.Reverted))), "OKOK 2 0")
	y.whole()
}

// A revert and a Flyway that is not Slipway's keep apart by Flyway's own lock.
func TestRevertAndFlywaysLock(t *testing.T) {
	t.Parallel()
	y := newYard(t, ladder(2, 0))
	y.prime()
	lock := database.FlywayLock(history.Table{Schema: "public", Name: "flyway_schema_history"})
	holder := y.connect()
	if _, err := holder.Exec(t.Context(), fmt.Sprintf("BEGIN; SELECT pg_advisory_xact_lock(%d)", lock)); err != nil {
		t.Fatal(err)
	}
	y.config.LockWait = time.Second
	rep := y.fails(report.Locked, migrator.Request{Command: "revert", To: "1"})
	if len(rep.Blockers) != 1 {
		t.Errorf("blockers: %+v", rep.Blockers)
	}
	// Meanwhile the other Flyway applies a third version: the revert has to see that.
	y.config.LockWait = 20 * time.Second
	done := make(chan *report.Report)
	m := y.migrator()
	go func() {
		rep, _ := m.Run(t.Context(), migrator.Request{Command: "revert", To: "1"})
		done <- rep
	}()
	y.await("a revert that waits", "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() "+
		"AND application_name LIKE 'slipway/%'")
	y.write("V3__t.sql", "CREATE TABLE t3 (id int);")
	if _, err := holder.Exec(t.Context(),
		`CREATE TABLE t3 (id int); INSERT INTO flyway_schema_history (installed_rank, version, description, type, script, installed_by, execution_time, success)
		VALUES (3, '3', 't', 'SQL', 'V3__t.sql', 'flyway', 1, true); COMMIT`); err != nil {
		t.Fatal(err)
	}
	if rep := <-done; rep.Code != report.RevertRefused || !strings.Contains(fmt.Sprint(rep.Problems), "V3__t.sql") {
		t.Errorf("got %s: %s, %v", rep.Code, rep.Message, rep.Problems)
	}
	y.whole()
}

// While a revert is at work, Flyway waits and then goes on from where that ended.
func TestFlywayWaitsForRevert(t *testing.T) {
	t.Parallel()
	y := newYard(t, ladder(3, 700))
	y.prime()
	done := make(chan *report.Report)
	m := y.migrator()
	go func() {
		rep, _ := m.Run(t.Context(), migrator.Request{Command: "revert", To: "0"})
		done <- rep
	}()
	y.await("an undo at work", "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND "+
		"query LIKE '%pg_sleep(700%' AND pid <> pg_backend_pid()")
	y.flywayOK("migrate")
	if rep := <-done; len(rep.Reverted) != 3 {
		t.Errorf("reverted: %+v", rep)
	}
	y.whole()
	y.equal("history", y.history(), "1 SQL; 2 SQL; 3 SQL; 3 DELETE; 2 DELETE; 1 DELETE; 1 SQL; 2 SQL; 3 SQL")
}

// child starts this test binary as a program that reverts everything.
func (y *yard) child() *exec.Cmd {
	y.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "TEST_REVERT_FOLDER="+y.folder, "TEST_REVERT_URL="+y.url)
	if err := child.Start(); err != nil {
		y.Fatal(err)
	}
	y.Cleanup(func() { _ = child.Process.Kill() })
	return child
}

const noSessions = "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND " +
	"application_name LIKE 'slipway%'"

// The program is killed at any moment: each version is whole, and the next run goes on.
func TestRevertKilled(t *testing.T) {
	t.Parallel()
	y := newYard(t, ladder(40, 5))
	y.prime()
	for i := range 12 {
		child := y.child()
		y.await("the child at work, or its end", fmt.Sprintf("SELECT count(*) FILTER (WHERE type = 'DELETE') >= %d "+
			"FROM flyway_schema_history", 3*i+1))
		time.Sleep(time.Duration(i) * time.Millisecond) // another moment each time
		_ = child.Process.Signal(syscall.SIGKILL)
		_ = child.Wait()
		y.whole()
	}
	y.await("the end of all sessions", noSessions)
	y.whole()
	y.ok(migrator.Request{Command: "revert", To: "0"})
	y.whole()
	y.flywayOK("migrate")
	y.whole()
}

// Killed in the middle of a long statement: the next run ends that first.
func TestRevertKilledMidStatement(t *testing.T) {
	t.Parallel()
	y := newYard(t, ladder(2, 60000))
	y.prime()
	child := y.child()
	y.await("the statement", "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND "+
		"wait_event = 'PgSleep'")
	_ = child.Process.Signal(syscall.SIGKILL)
	_ = child.Wait()
	for name, text := range ladder(2, 0) {
		y.write(name, text)
	}
	y.equal("table before", y.text("SELECT count(*) FROM t2"), "0")
	y.revert("0")
	y.whole()
}

// Killed in an undo that runs outside a transaction: the version may be half
// undone, so it counts as failed, for Flyway too, until somebody has looked.
func TestRevertKilledOutsideTransaction(t *testing.T) {
	t.Parallel()
	scripts := ladder(2, 0)
	scripts["U2__t.sql"], scripts["U2__t.sql.conf"] = "DROP TABLE t2;\nSELECT pg_sleep(60);",
		"executeInTransaction=false"
	y := newYard(t, scripts)
	y.prime()
	child := y.child()
	y.await("the statement", "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND "+
		"wait_event = 'PgSleep'")
	_ = child.Process.Signal(syscall.SIGKILL)
	_ = child.Wait()
	y.equal("history", y.history(), "1 SQL; 2 SQL failed")
	y.fails(report.PreviousFailed, migrator.Request{Command: "migrate"})
	y.ok(migrator.Request{Command: "repair"})
	y.flywayOK("migrate")
	y.equal("history", y.history(), "1 SQL; 2 SQL")
	y.whole()
}

// The server ends a session of the revert: the one that works, or the one that holds the run's lock.
func TestRevertLosesItsSession(t *testing.T) {
	t.Parallel()
	for _, application := range []string{"slipway/%", "slipway-run/%"} {
		y := newYard(t, ladder(2, 60000))
		y.prime()
		done := make(chan *report.Report)
		m := y.migrator()
		go func() {
			rep, _ := m.Run(context.Background(), migrator.Request{Command: "revert", To: "0"})
			done <- rep
		}()
		y.await("the statement", "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND "+
			"wait_event = 'PgSleep'")
		y.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND " +
			"application_name LIKE '" + application + "'")
		rep := <-done
		y.equal(application, fmt.Sprint(rep.Code, " ", rep.Script, " ", len(rep.Reverted)),
			"DATABASE_UNREACHABLE U2__t.sql 0")
		contains(t, "message", rep.Message, "the undo of version 2 did was rolled back", "stands at version 2")
		y.whole()
		y.await("the end of all sessions", noSessions)
	}
}
