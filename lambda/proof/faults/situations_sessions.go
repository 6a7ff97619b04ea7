package main

import (
	"fmt"
	"strings"

	"slipway/lambda/report"
)

// Scripts that change their session: the next one starts as in a new one.
var situationSessionsFaults = []fault{
	{"session-settings-of-a-dump", "a dump's preamble ends with its script: the next ones have search path, lock_timeout and row_security as before; the report says so", func(l *lab) {
		l.script("V1__dump.sql", "SET statement_timeout = 0; SET lock_timeout = 0; SET row_security = off; SELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.t1 (id int);")
		l.script("V2__seen.sql", "CREATE TABLE t2 AS SELECT current_setting('lock_timeout') AS wait, current_setting('row_security') AS rows;")
		l.script("V3__index.sql", "CREATE INDEX CONCURRENTLY ON t2 (wait);")
		l.script("V4__four.sql", "CREATE TABLE t4 AS SELECT current_setting('lock_timeout') AS wait, current_setting('row_security') AS rows;")
		o := l.run("migrate")
		l.check(l.ask("SELECT t2.wait || t2.rows || t4.wait || t4.rows FROM t2, t4") == "1son1son", "V2 and V4 see %s", l.ask("SELECT t2.wait || t2.rows || t4.wait || t4.rows FROM t2, t4"))
		l.contains(fmt.Sprint(o.Warnings), "V1__dump.sql ended with its session changed", "lock_timeout", "row_security", "search_path")
		l.answered(o, report.OK, &look{})
	}},
	{"session-role-of-a-callback", "a callback that sets a role for each script: tables are the role's, the history is the login's, in a run with CREATE INDEX CONCURRENTLY too", func(l *lab) {
		owner := l.role + "_owner"
		l.exec("CREATE ROLE " + owner)
		l.later(func() { l.exec("DROP OWNED BY " + owner + "; DROP ROLE " + owner) })
		l.exec("GRANT " + owner + " TO " + l.role + "; GRANT CREATE, USAGE ON SCHEMA public TO " + owner)
		l.script("beforeEachMigrate__role.sql", "SET ROLE "+owner+";")
		l.one()
		l.script("V2__index.sql", "CREATE INDEX CONCURRENTLY ON t1 (id);")
		l.three()
		o := l.run("migrate")
		l.answered(o, report.OK, &look{})
		l.check(l.ask("SELECT bool_and(tableowner = '"+owner+"')::text FROM pg_tables WHERE tablename IN ('t1', 't3')") == "true", "the tables are another role's")
		l.check(l.ask("SELECT tableowner FROM pg_tables WHERE tablename = 'flyway_schema_history'") == l.role, "the history is another role's")
		l.check(!strings.Contains(fmt.Sprint(o.Warnings), "session changed"), "warnings: %v", o.Warnings)
		l.next("3")
	}},
	{"session-of-a-connect-callback", "what a callback set on purpose when the session began stays for every script", func(l *lab) {
		l.script("afterConnect.sql", "SET app.tenant = 'acme'; SET timezone = 'Asia/Tokyo'; SET lock_timeout = '7s';")
		l.script("V1__one.sql", "CREATE TABLE t1 (id int); RESET ALL; SET timezone = 'UTC'; SET app.tenant = 'other';")
		l.script("V2__two.sql", "CREATE TABLE t2 AS SELECT current_setting('app.tenant') || current_setting('timezone') || current_setting('lock_timeout') AS seen;")
		o := l.run("migrate")
		l.check(l.ask("SELECT seen FROM t2") == "acmeAsia/Tokyo7s", "V2 sees %s", l.ask("SELECT seen FROM t2"))
		l.contains(fmt.Sprint(o.Warnings), "V1__one.sql", "TimeZone", "app.tenant")
		l.answered(o, report.OK, &look{})
	}},
	{"session-read-only", "a script that sets default_transaction_read_only does not end the migration", func(l *lab) {
		l.script("V1__one.sql", "CREATE TABLE t1 (id int); SET default_transaction_read_only = on; SET default_transaction_isolation = 'serializable';")
		l.two()
		o := l.run("migrate")
		l.contains(fmt.Sprint(o.Warnings), "default_transaction_read_only")
		l.answered(o, report.OK, &look{})
	}},
}
