package main

import (
	"strings"

	"slipway/lambda/report"
)

var situationDatabaseFaults = []fault{
	{"situation-schema-like-the-role", "a script makes a schema that comes first in the next session's search path: refused with both schemas and the setting that decides", func(l *lab) {
		l.script("V1__own_schema.sql", "CREATE SCHEMA AUTHORIZATION CURRENT_USER;\nCREATE TABLE public.t1 (id int);")
		l.completes("1")
		l.script("V2__plain.sql", "CREATE TABLE t2 (id int);")
		before := l.look()
		for _, command := range []string{"migrate", "info", "validate"} {
			o := l.run(command)
			l.answered(o, report.BadRequest, nil)
			l.contains(o.Message, "schema "+l.role, "schema public")
			l.contains(o.Next, "FLYWAY_DEFAULT_SCHEMA", "flyway.defaultSchema", "public")
		}
		l.unchanged(before)
		l.env["FLYWAY_DEFAULT_SCHEMA"] = "public"
		l.next("2")
	}},
	{"situation-history-elsewhere", "the history of another application has the same name in another schema: refused until the schema is named, and then a note", func(l *lab) {
		l.exec("CREATE SCHEMA other AUTHORIZATION " + l.role)
		l.env["FLYWAY_DEFAULT_SCHEMA"] = "other"
		l.script("V1__one.sql", "CREATE TABLE public.t1 (id int);")
		l.answered(l.run("migrate"), report.OK, nil)
		delete(l.env, "FLYWAY_DEFAULT_SCHEMA")
		l.script("V1__one.sql", "CREATE TABLE public.t2 (id int);")
		o := l.run("migrate")
		l.answered(o, report.BadRequest, nil)
		l.contains(o.Message, "schema public", "schema other")
		l.env["FLYWAY_DEFAULT_SCHEMA"], l.env["SLIPWAY_BASELINE_VERSION"] = "public", "0"
		o = l.next("1")
		l.contains(strings.Join(o.Warnings, " "), "schema other")
	}},
	{"situation-statement-timeout", "a statement_timeout and a lock_timeout of the role do not end a migration, an index that waits, or an undo", func(l *lab) {
		l.migrated()
		l.exec("ALTER ROLE " + l.role + " SET statement_timeout = '700ms'; ALTER ROLE " + l.role + " SET lock_timeout = '50ms'")
		l.script("V2__long.sql", "SELECT pg_sleep(1.2);\nCREATE TABLE t2 (id int);")
		l.script("U2__long.sql", "SELECT pg_sleep(1.2);\nDROP TABLE t2;")
		l.completes("2")
		o := l.run("revert", "--steps", "1")
		l.answered(o, report.OK, nil)
		l.check(len(o.Reverted) == 1, "reverted: %v", o.Reverted)
	}},
	{"situation-transaction-timeout", "a transaction_timeout of the database ends the script: the failure names the setting, and nothing of the script stays", func(l *lab) {
		if l.ask("SELECT current_setting('transaction_timeout', true) IS NULL") == "true" {
			l.cannot("this PostgreSQL has no transaction_timeout")
		}
		l.migrated()
		l.exec("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET transaction_timeout = ''1500ms''', current_database()); END $$")
		l.script("V2__long.sql", "CREATE TABLE t2 (id int);\nSELECT pg_sleep(1);\nSELECT pg_sleep(1);")
		before := l.look()
		o := l.run("migrate")
		l.answered(o, report.MigrationFailed, before)
		l.contains(o.Message+" "+o.Next, "transaction_timeout")
		l.exec("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET transaction_timeout', current_database()); END $$")
		l.next("2")
	}},
}
