package migrator_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
)

// failsUntil is a statement that fails with that SQLSTATE until it is run for
// the n-th time. A sequence keeps count: no rollback takes it back.
func failsUntil(n int, sequence, state string) string {
	return fmt.Sprintf("DO $$ BEGIN IF nextval('%s') < %d THEN RAISE EXCEPTION 'not yet' USING ERRCODE = '%s'; "+
		"END IF; END $$;\n", sequence, n, state)
}

// What others bring down is run again: at a statement, at the commit, in a
// repeatable script, up and down. Nothing of a failed try stays.
func TestScriptsThatOthersBringDownAreRunAgain(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{
		"V1__a.sql": "CREATE TABLE a (id int);", "V2__b.sql": "INSERT INTO a VALUES (2);\n" +
			failsUntil(3, "second", "40001"),
		"V3__c.sql": "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN\n" +
			// Twice a try: Slipway fires deferred triggers before the commit does.
			"IF nextval('third') < 3 THEN RAISE EXCEPTION 'not yet' USING ERRCODE = '40001'; END IF; RETURN NULL; " +
			"END $f$;\nCREATE CONSTRAINT TRIGGER late AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED FOR EACH ROW " +
			"EXECUTE FUNCTION late();\nINSERT INTO a VALUES (3);",
		"R__r.sql": "CREATE OR REPLACE VIEW r AS SELECT 1 AS one;\n" + failsUntil(2, "repeated", "40P01"),
		"U3__c.sql": "DROP TRIGGER late ON a;\nDROP FUNCTION late();\nDELETE FROM a WHERE id = 3;\n" +
			failsUntil(2, "undone", "40001"),
	})
	y.config.Baseline = "0"
	y.exec("CREATE SEQUENCE second; CREATE SEQUENCE third; CREATE SEQUENCE repeated; CREATE SEQUENCE undone")
	rep := y.ok(migrate)
	y.equal("applied", scripts(rep.Applied), "V1__a.sql V2__b.sql V3__c.sql R__r.sql")
	y.equal("rows", y.text("SELECT count(*), sum(id) FROM a"), "2 5")
	contains(t, "warnings", strings.Join(rep.Warnings, "\n"),
		"V2__b.sql was run again, 2 times: others changed the same rows at that time, and its transaction was "+
			"rolled back",
		"V3__c.sql was run again, once", "R__r.sql was run again, once: the server ended it in a deadlock")

	rep = y.ok(migrator.Request{Command: "revert", Steps: 1})
	contains(t, "warnings", strings.Join(rep.Warnings, "\n"), "U3__c.sql was run again, once")
	y.equal("rows", y.text("SELECT count(*), sum(id) FROM a"), "1 2")
}

// What can't be known to be rolled back is not run again, nor what has no time left.
func TestScriptsThatAreNotRunAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text, conf string
		limit      time.Duration
		says       string
	}{
		"outside a transaction": {failsUntil(2, "tries", "40P01"), "executeInTransaction=false", 0, "slipway repair"},
		"its own lock_timeout": {"SET lock_timeout = '100ms';\n" + failsUntil(2, "tries", "55P03"),
			"executeInTransaction=false", 0, "slipway repair"},
		"another connection":  {"-- with dblink\n" + failsUntil(2, "tries", "40001"), "", 0, "run it again"},
		"an error of its own": {failsUntil(2, "tries", "23505"), "", 0, "ON CONFLICT"},
		"no time for another try": {"SELECT pg_sleep(4);\n" + failsUntil(2, "tries", "40001"), "", 11 * time.Second,
			"run it again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			y := newYard(t, map[string]string{"V1__a.sql": c.text})
			if c.conf != "" {
				y.write("V1__a.sql.conf", c.conf)
			}
			y.config.Baseline = "0"
			y.exec("CREATE SEQUENCE tries")
			ctx := t.Context()
			if c.limit > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, c.limit)
				defer cancel()
			}
			rep := y.run(ctx, migrate)
			if rep.OK() || rep.Script != "V1__a.sql" || rep.Code == report.Deadline ||
				!strings.Contains(rep.Next, c.says) {
				t.Errorf("%s in %s: %s\n%s", rep.Code, rep.Script, rep.Message, rep.Next)
			}
			y.equal("tries", y.text("SELECT last_value FROM tries"), "1")
			if starts := strings.Count(y.log.String(), "starting Flyway"); starts != 1 {
				t.Errorf("Flyway was started %d times", starts)
			}
			if strings.Contains(rep.Next, "again. Then run again") {
				t.Errorf("says twice to run again: %s", rep.Next)
			}
		})
	}
}

// A deadlock with the application: the script is the one that the server ends.
func TestADeadlockWithTheApplication(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);\nCREATE TABLE b (id int);"})
	y.prime()
	y.write("V2__both.sql", "ALTER TABLE a ADD x int;\nALTER TABLE b ADD x int;")
	app := y.super().connect()
	if _, err := app.Exec(t.Context(), "SET deadlock_timeout = '1h'; BEGIN; LOCK TABLE b"); err != nil {
		t.Fatal(err)
	}
	done := make(chan *report.Report)
	go func() { done <- y.run(t.Context(), migrate) }()
	y.await("a script that waits", "SELECT count(*) > 0 FROM pg_stat_activity "+
		"WHERE datname = current_database() AND wait_event_type = 'Lock'")
	if _, err := app.Exec(t.Context(), "LOCK TABLE a; COMMIT"); err != nil {
		t.Fatal(err)
	}
	rep := <-done
	if !rep.OK() || scripts(rep.Applied) != "V2__both.sql" {
		t.Errorf("%s %s", rep.Code, rep.Message)
	}
	contains(t, "warnings", strings.Join(rep.Warnings, "\n"), "V2__both.sql was run again", "deadlock")
}
