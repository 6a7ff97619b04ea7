package migrator_test

import (
	"strings"
	"testing"
	"time"

	"slipway/lambda/migrator"
	"slipway/lambda/proof/pgtest"
	"slipway/lambda/report"
)

// A script makes the schema that comes first in the next session's path. No
// run begins a second history there, not even a second start of one run.
func TestSchemaThatHasTheRolesName(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{
		"V1__own.sql": "CREATE SCHEMA AUTHORIZATION CURRENT_USER;\nCREATE TABLE public.one (id int);",
		"V2__b.sql":   "CREATE TABLE public.two (id int);",
	})
	y.migrate()
	for _, req := range []migrator.Request{
		{Command: "migrate"}, {Command: "info"}, {Command: "validate"}, {Command: "repair"},
		{Command: "revert", To: "1"}, {Command: "baseline", Target: "1"},
	} {
		rep := y.fails(report.BadRequest, req)
		contains(t, "message", rep.Message, "schema "+pgtest.User, "schema public", "flyway_schema_history")
		contains(t, "next", rep.Next, "FLYWAY_DEFAULT_SCHEMA", "flyway.defaultSchema", "public")
	}
	y.equal("histories", y.text("SELECT count(*) FROM pg_class WHERE relname = 'flyway_schema_history'"), "1")
	y.config.Schema = "public"
	y.config.Flyway.Environment["FLYWAY_DEFAULT_SCHEMA"] = "public"
	if rep := y.ok(migrate); len(rep.Applied)+len(rep.Warnings) > 0 {
		t.Errorf("with the schema named: %+v", rep)
	}
}

// Where a second history is meant, and what is none.
func TestHistoriesElsewhere(t *testing.T) {
	t.Parallel()
	const table = `(installed_rank int, version varchar(50), description varchar(200), type varchar(20), script varchar(1000), checksum int,
		installed_by varchar(100), installed_on timestamp, execution_time int, success boolean)`
	for name, c := range map[string]struct {
		sql     string
		schema  string
		table   string
		refused bool
		warned  string
	}{
		"of another application": {sql: "CREATE TABLE other.flyway_schema_history " + table, refused: true},
		"and the schema is named": {sql: "CREATE TABLE other.flyway_schema_history " + table, schema: "public",
			warned: "schema other"},
		"another table": {sql: "CREATE TABLE other.flyway_schema_history " + table, table: "Own_History"},
		"table with capitals": {sql: `CREATE TABLE other."Own_History" ` + table, table: "Own_History",
			refused: true},
		"in other capitals": {sql: "CREATE TABLE other.own_history " + table, table: "Own_History"},
		"schema with capitals": {sql: `CREATE SCHEMA "Other One"; CREATE TABLE "Other One".flyway_schema_history ` +
			table, refused: true},
		"partitioned": {sql: "CREATE TABLE other.flyway_schema_history " + table +
			" PARTITION BY LIST (success)", refused: true},
		"a view":                 {sql: "CREATE VIEW other.flyway_schema_history AS SELECT 1 AS installed_rank"},
		"no history of Flyway's": {sql: "CREATE TABLE other.flyway_schema_history (id int)"},
		"an index of that name": {sql: "CREATE TABLE other.x (id int); CREATE INDEX flyway_schema_history ON " +
			"other.x (id)"},
		"that the role can't read": {sql: "SET ROLE hidden_owner; CREATE TABLE hidden.flyway_schema_history " + table,
			refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);"})
			super := y.super()
			if name == "that the role can't read" {
				if err := pgtest.Server(t).CreateRole(t.Context(), "hidden_owner", "p"); err != nil {
					t.Fatal(err)
				}
				super.exec("CREATE SCHEMA hidden AUTHORIZATION hidden_owner")
			} else {
				super = y
				y.exec("CREATE SCHEMA other")
			}
			super.exec(c.sql)
			y.config.Schema, y.config.Table = c.schema, c.table
			if c.table != "" {
				y.config.Flyway.Environment["FLYWAY_TABLE"] = c.table
			}
			if c.refused {
				y.fails(report.BadRequest, migrate)
				return
			}
			rep := y.ok(migrate)
			warnings := strings.Join(rep.Warnings, "\n")
			if scripts(rep.Applied) != "V1__a.sql" || (warnings != "") != (c.warned != "") {
				t.Errorf("applied %s, warnings %q", scripts(rep.Applied), warnings)
			}
			contains(t, "warnings", warnings, c.warned)
			if rep := y.ok(migrate); len(rep.Warnings) > 0 {
				t.Errorf("warned again: %q", rep.Warnings)
			}
		})
	}
}

// A path that leads to another schema in the middle of a run: Flyway is started
// anew after a table lock, and goes on with the history that the run began.
func TestPathThatChangesWithinARun(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE SCHEMA AUTHORIZATION CURRENT_USER;\nCREATE TABLE " +
		"public.a (id int);"})
	y.migrate()
	y.exec("DROP SCHEMA tester")
	y.write("V2__own.sql", "CREATE SCHEMA AUTHORIZATION CURRENT_USER;")
	y.write("V3__c.sql", "ALTER TABLE public.a ADD b int;")
	y.config.LockTimeout = 500 * time.Millisecond
	holder := y.connect()
	for _, statement := range []string{"BEGIN", "SELECT * FROM a"} {
		if _, err := holder.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan *report.Report)
	go func() { done <- y.run(t.Context(), migrate) }()
	y.await("a script that waits", "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() "+
		"AND wait_event_type = 'Lock' AND application_name LIKE 'slipway/%'")
	y.await("its end", "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND "+
		"wait_event_type = 'Lock' AND application_name LIKE 'slipway/%'")
	if _, err := holder.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if rep := <-done; !rep.OK() || scripts(rep.Applied) != "V2__own.sql V3__c.sql" {
		t.Errorf("%s %s, applied %s", rep.Code, rep.Message, scripts(rep.Applied))
	}
	y.equal("histories", y.text("SELECT count(*) FROM pg_class WHERE relname = 'flyway_schema_history'"), "1")
}
