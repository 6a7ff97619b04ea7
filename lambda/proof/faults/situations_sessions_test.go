//go:build faults

package faults

import (
	"fmt"
	"strings"

	"slipway/lambda/report"
)

// Scripts that change their session: the next one starts as in a new one.
var situationSessionsFaults = []fault{
	{"session-settings-of-a-dump", "a dump's preamble ends with its script: the next ones have search path, " +
		"lock_timeout and row_security as before; the report says so", func(t *testbed) {
		t.script("V1__dump.sql", "SET statement_timeout = 0; SET lock_timeout = 0; SET row_security = off; SELECT "+
			"pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.t1 (id int);")
		t.script("V2__seen.sql", "CREATE TABLE t2 AS SELECT current_setting('lock_timeout') AS wait, "+
			"current_setting('row_security') AS rows;")
		t.script("V3__index.sql", "CREATE INDEX CONCURRENTLY ON t2 (wait);")
		t.script("V4__four.sql", "CREATE TABLE t4 AS SELECT current_setting('lock_timeout') AS wait, "+
			"current_setting('row_security') AS rows;")
		o := t.run("migrate")
		t.check(t.ask("SELECT t2.wait || t2.rows || t4.wait || t4.rows FROM t2, t4") == "1son1son", "V2 and V4 see %s",
			t.ask("SELECT t2.wait || t2.rows || t4.wait || t4.rows FROM t2, t4"))
		t.contains(fmt.Sprint(o.Warnings), "V1__dump.sql ended with its session changed", "lock_timeout",
			"row_security", "search_path")
		t.answered(o, report.OK, &look{})
	}},
	{"session-role-of-a-callback", "a callback that sets a role for each script: tables are the role's, the history " +
		"is the login's, in a run with CREATE INDEX CONCURRENTLY too", func(t *testbed) {
		owner := t.role + "_owner"
		t.exec("CREATE ROLE " + owner)
		t.Cleanup(func() { t.exec("DROP OWNED BY " + owner + "; DROP ROLE " + owner) })
		t.exec("GRANT " + owner + " TO " + t.role + "; GRANT CREATE, USAGE ON SCHEMA public TO " + owner)
		t.script("beforeEachMigrate__role.sql", "SET ROLE "+owner+";")
		t.one()
		t.script("V2__index.sql", "CREATE INDEX CONCURRENTLY ON t1 (id);")
		t.three()
		o := t.run("migrate")
		t.answered(o, report.OK, &look{})
		t.check(t.ask("SELECT bool_and(tableowner = '"+owner+
			"')::text FROM pg_tables WHERE tablename IN ('t1', 't3')") == "true", "the tables are another role's")
		t.check(t.ask("SELECT tableowner FROM pg_tables WHERE tablename = 'flyway_schema_history'") == t.role,
			"the history is another role's")
		t.check(!strings.Contains(fmt.Sprint(o.Warnings), "session changed"), "warnings: %v", o.Warnings)
		t.next("3")
	}},
	{"session-of-a-connect-callback", "what a callback set on purpose when the session began stays for every script",
		func(t *testbed) {
			t.script("afterConnect.sql", "SET app.tenant = 'acme'; SET timezone = 'Asia/Tokyo'; SET lock_timeout = "+
				"'7s';")
			t.script("V1__one.sql", "CREATE TABLE t1 (id int); RESET ALL; SET timezone = 'UTC'; SET app.tenant = "+
				"'other';")
			t.script("V2__two.sql", "CREATE TABLE t2 AS SELECT current_setting('app.tenant') || "+
				"current_setting('timezone') || current_setting('lock_timeout') AS seen;")
			o := t.run("migrate")
			t.check(t.ask("SELECT seen FROM t2") == "acmeAsia/Tokyo7s", "V2 sees %s", t.ask("SELECT seen FROM t2"))
			t.contains(fmt.Sprint(o.Warnings), "V1__one.sql", "TimeZone", "app.tenant")
			t.answered(o, report.OK, &look{})
		}},
	{"session-read-only", "a script that sets default_transaction_read_only does not end the migration",
		func(t *testbed) {
			t.script("V1__one.sql", "CREATE TABLE t1 (id int); SET default_transaction_read_only = on; SET "+
				"default_transaction_isolation = 'serializable';")
			t.two()
			o := t.run("migrate")
			t.contains(fmt.Sprint(o.Warnings), "default_transaction_read_only")
			t.answered(o, report.OK, &look{})
		}},
}
