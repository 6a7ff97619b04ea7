package migrator_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
)

// databaseSets gives the database's sessions settings, as a role or a parameter
// group has them for an application's queries.
func (y *yard) databaseSets(settings string) {
	y.Helper()
	for setting := range strings.SplitSeq(settings, "; ") {
		y.super().exec("DO $$ BEGIN EXECUTE pg_catalog.format('ALTER DATABASE %I SET " +
			strings.ReplaceAll(setting, "'", "''") + "', current_database()); END $$")
	}
}

// Limits that are meant for an application's queries end no run: with a
// deadline and without one, up and down.
func TestLimitsOfTheRoleEndNoRun(t *testing.T) {
	t.Parallel()
	for _, limited := range []bool{false, true} {
		t.Run(fmt.Sprintf("deadline %t", limited), func(t *testing.T) {
			t.Parallel()
			y := newYard(t, map[string]string{
				"V1__a.sql": "CREATE TABLE a (id int);", "U1__a.sql": "SELECT pg_sleep(1.5);\nDROP TABLE a;",
				"V2__slow.sql": "SELECT pg_sleep(1.5);\nCREATE TABLE b (id int);", "U2__slow.sql": "DROP TABLE b;",
				"V3__i.sql": "CREATE INDEX CONCURRENTLY i ON a (id);", "U3__i.sql": "DROP INDEX i;",
			})
			y.databaseSets("statement_timeout = '700ms'; lock_timeout = '50ms'; idle_session_timeout = '900ms'; " +
				"idle_in_transaction_session_timeout = '900ms'; default_transaction_isolation = 'serializable'; " +
				"datestyle = 'German'; client_encoding = 'LATIN1'")
			ctx := t.Context()
			if limited {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 5*time.Minute)
				defer cancel()
			}
			for _, req := range []migrator.Request{{Command: "migrate"}, {Command: "info"},
				{Command: "revert", To: "0"}} {
				if rep := y.run(ctx, req); !rep.OK() {
					t.Fatalf("%s: %s %s (%s, SQLSTATE %s)", req.Command, rep.Code, rep.Message, rep.Script,
						rep.SQLState)
				}
			}
		})
	}
}

// A limit of whole transactions, as PostgreSQL 17 has it, ends a script, up and
// down: nothing of it stays, and the setting is named.
func TestTransactionTimeoutIsNamed(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);",
		"U1__a.sql": "DROP TABLE a;\nSELECT pg_sleep(2);\nSELECT pg_sleep(2);"})
	y.prime()
	y.write("V2__b.sql", "CREATE TABLE b (id int);\nSELECT pg_sleep(2);\nSELECT pg_sleep(2);")
	y.databaseSets("transaction_timeout = '3s'")
	for _, req := range []migrator.Request{{Command: "migrate"}, {Command: "revert", To: "0"}} {
		rep := y.fails(report.MigrationFailed, req)
		contains(t, "message", rep.Message+" "+rep.Next, "transaction_timeout")
		y.equal("SQLSTATE", rep.SQLState, "25P04")
	}
	y.equal("tables", y.text("SELECT count(*) FROM pg_class WHERE relname IN ('a', 'b')"), "1")
	y.equal("history", y.history(), "1 SQL")
}

// The own session works whatever the role's defaults are: it writes nothing,
// and has the settings that its driver needs.
func TestOwnSessionWithStrictDefaults(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);"})
	y.prime()
	y.databaseSets("standard_conforming_strings = off; default_transaction_read_only = on")
	for _, command := range []string{"info", "validate", "migrate"} {
		y.ok(migrator.Request{Command: command})
	}
}

// A script that says a lot takes no memory for it, up or down, and the report
// holds the beginning and a number.
func TestManyNotices(t *testing.T) {
	t.Parallel()
	const many = 200_000
	notices := fmt.Sprintf("DO $$ BEGIN FOR i IN 1..%d LOOP RAISE NOTICE 'notice %%: %%', i, repeat('x', 3000); END "+
		"LOOP; END $$;", many)
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);", "U1__a.sql": notices +
		"\nDROP TABLE a;"})
	y.prime()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	rep := y.revert("0")
	runtime.GC()
	runtime.ReadMemStats(&after)
	if len(rep.Warnings) > 15 ||
		!strings.Contains(strings.Join(rep.Warnings, "\n"), fmt.Sprintf("U1__a.sql: %d more notices", many-10)) {
		t.Errorf("%d warnings: %.2000q", len(rep.Warnings), rep.Warnings)
	}
	for _, w := range rep.Warnings {
		if len(w) > 1100 {
			t.Errorf("a warning of %d bytes", len(w))
		}
	}
	if rep.Code != report.OK || int64(after.HeapAlloc)-int64(before.HeapAlloc) > 100<<20 {
		t.Errorf("%s, %d MB", rep.Code, (after.HeapAlloc-before.HeapAlloc)>>20)
	}
}
