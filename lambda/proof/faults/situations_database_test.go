//go:build faults

package faults

import (
	"strings"

	"slipway/lambda/report"
)

var situationDatabaseFaults = []fault{
	{"situation-schema-like-the-role", "a script makes a schema that comes first in the next session's search path: " +
		"refused with both schemas and the setting that decides", func(t *testbed) {
		t.script("V1__own_schema.sql", "CREATE SCHEMA AUTHORIZATION CURRENT_USER;\nCREATE TABLE public.t1 (id int);")
		t.completes("1")
		t.script("V2__plain.sql", "CREATE TABLE t2 (id int);")
		before := t.look()
		for _, command := range []string{"migrate", "info", "validate"} {
			o := t.run(command)
			t.answered(o, report.BadRequest, nil)
			t.contains(o.Message, "schema "+t.role, "schema public")
			t.contains(o.Next, "FLYWAY_DEFAULT_SCHEMA", "flyway.defaultSchema", "public")
		}
		t.unchanged(before)
		t.env["FLYWAY_DEFAULT_SCHEMA"] = "public"
		t.next("2")
	}},
	{"situation-history-elsewhere", "the history of another application has the same name in another schema: " +
		"refused until the schema is named, and then a note", func(t *testbed) {
		t.exec("CREATE SCHEMA other AUTHORIZATION " + t.role)
		t.env["FLYWAY_DEFAULT_SCHEMA"] = "other"
		t.script("V1__one.sql", "CREATE TABLE public.t1 (id int);")
		t.answered(t.run("migrate"), report.OK, nil)
		delete(t.env, "FLYWAY_DEFAULT_SCHEMA")
		t.script("V1__one.sql", "CREATE TABLE public.t2 (id int);")
		o := t.run("migrate")
		t.answered(o, report.BadRequest, nil)
		t.contains(o.Message, "schema public", "schema other")
		t.env["FLYWAY_DEFAULT_SCHEMA"], t.env["SLIPWAY_BASELINE_VERSION"] = "public", "0"
		o = t.next("1")
		t.contains(strings.Join(o.Warnings, " "), "schema other")
	}},
	{"situation-statement-timeout", "a statement_timeout and a lock_timeout of the role do not end a migration, an " +
		"index that waits, or an undo", func(t *testbed) {
		t.migrated()
		t.exec("ALTER ROLE " + t.role + " SET statement_timeout = '700ms'; ALTER ROLE " + t.role +
			" SET lock_timeout = '50ms'")
		t.script("V2__long.sql", "SELECT pg_sleep(1.2);\nCREATE TABLE t2 (id int);")
		t.script("U2__long.sql", "SELECT pg_sleep(1.2);\nDROP TABLE t2;")
		t.completes("2")
		o := t.run("revert", "--steps", "1")
		t.answered(o, report.OK, nil)
		t.check(len(o.Reverted) == 1, "reverted: %v", o.Reverted)
	}},
	{"situation-transaction-timeout", "a transaction_timeout of the database ends the script: the failure names the " +
		"setting, and nothing of the script stays", func(t *testbed) {
		if t.ask("SELECT current_setting('transaction_timeout', true) IS NULL") == "true" {
			t.cannot("this PostgreSQL has no transaction_timeout")
		}
		t.migrated()
		t.exec("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET transaction_timeout = ''1500ms''', " +
			"current_database()); END $$")
		t.script("V2__long.sql", "CREATE TABLE t2 (id int);\nSELECT pg_sleep(1);\nSELECT pg_sleep(1);")
		before := t.look()
		o := t.run("migrate")
		t.answered(o, report.MigrationFailed, before)
		t.contains(o.Message+" "+o.Next, "transaction_timeout")
		t.exec("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET transaction_timeout', current_database()); END $$")
		t.next("2")
	}},
}
