package migrator_test

import (
	"strings"
	"testing"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
	"slipway/lambda/workbench/catalog"
)

// shop is a small release with a repeatable script that uses one of its tables.
func shop() map[string]string {
	return map[string]string{
		"V1__customers.sql":  "CREATE TABLE customers (id int PRIMARY KEY);",
		"U1__customers.sql":  "DROP TABLE customers;",
		"V2__orders.sql":     "CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers);",
		"U2__orders.sql":     "DROP VIEW IF EXISTS order_count;\nDROP TABLE orders;",
		"V3__index.sql":      "CREATE INDEX CONCURRENTLY by_customer ON orders (customer);",
		"U3__index.sql":      "DROP INDEX by_customer;",
		"V4__settings.sql":   "CREATE TABLE settings (name text);",
		"U4__settings.sql":   "DROP TABLE settings;",
		"R__order_count.sql": "CREATE OR REPLACE VIEW order_count AS SELECT count(*) FROM orders;",
	}
}

// Flyway's command line agrees in every state: after a revert, with the
// reverted script still there, without it, and after it was applied again.
func TestRevertAgreesWithFlyway(t *testing.T) {
	t.Parallel()
	y := newYard(t, shop())
	y.migrate()
	rep := y.revert("3")
	y.equal("schema version", rep.SchemaVersionBefore+" → "+rep.SchemaVersionAfter, "4 → 3")
	if len(rep.Reverted) != 1 || rep.Reverted[0].Script != "U4__settings.sql" || rep.Reverted[0].InstalledOn == nil ||
		rep.Reverted[0].InstalledBy == "" {
		t.Errorf("reverted: %+v", rep.Reverted)
	}
	contains(t, "warnings", strings.Join(rep.Warnings, "\n"), "V4__settings.sql", "next deployment")
	if len(rep.Pending) != 1 || rep.Pending[0].Script != "V4__settings.sql" {
		t.Errorf("pending: %+v", rep.Pending)
	}
	y.equal("history", y.history(), "1 SQL; 2 SQL; 3 SQL; 4 SQL; order count SQL; 4 DELETE")
	y.equal("tombstone", y.text("SELECT count(DISTINCT (version, description, script, checksum)) FROM "+
		"flyway_schema_history WHERE version = '4'"), "1")
	y.equal("states", y.states(), "1 Success; 2 Success; 3 Success; 4 Deleted; order count Success; 4 Pending")

	// A release without the script passes, also Flyway's own validate.
	y.remove("V4__settings.sql")
	if result := y.flywayOK("validate"); result.Validation == nil || !*result.Validation {
		t.Errorf("validate without the script: %+v", result.Invalid)
	}
	y.flywayOK("migrate")
	y.flywayOK("repair")
	y.equal("history", y.history(), "1 SQL; 2 SQL; 3 SQL; 4 SQL; order count SQL; 4 DELETE")
	y.ok(migrator.Request{Command: "validate"})

	// One that was renamed and edited is applied.
	y.write("V4__better_settings.sql", "CREATE TABLE settings (name text PRIMARY KEY);")
	if result := y.flywayOK("validate"); *result.Validation || len(result.Invalid) != 1 ||
		!strings.Contains(result.Invalid[0].ErrorDetails.ErrorCode, "NOT_APPLIED") {
		t.Errorf("validate with an edited script: %+v", result.Invalid)
	}
	y.flywayOK("repair")
	y.flywayOK("migrate")
	y.equal("history", y.history(), "1 SQL; 2 SQL; 3 SQL; 4 SQL; order count SQL; 4 DELETE; 4 SQL")
	y.ok(migrator.Request{Command: "validate"})
	y.equal("states", y.states(), "1 Success; 2 Success; 3 Success; 4 Deleted; order count Success; 4 Success")

	// Down and up once more: there are then two tombstones of one version.
	y.write("U4__settings.sql", "DROP TABLE settings;")
	y.revert("3")
	y.flywayOK("repair")
	y.migrate()
	y.flywayOK("migrate")
	y.equal("history", y.history(), "1 SQL; 2 SQL; 3 SQL; 4 SQL; order count SQL; 4 DELETE; 4 SQL; 4 DELETE; 4 SQL")
	if result := y.flywayOK("validate"); !*result.Validation {
		t.Errorf("validate at the end: %+v", result.Invalid)
	}
}

// An undo that drops what a repeatable script made has that run again, and no other.
func TestRevertedRepeatablesRunAgain(t *testing.T) {
	t.Parallel()
	scripts := shop()
	scripts["R__other.sql"] = "CREATE OR REPLACE VIEW other AS SELECT 1 AS orderscount;"
	y := newYard(t, scripts)
	y.migrate()
	plan := y.ok(migrator.Request{Command: "revert", To: "1", DryRun: true})
	contains(t, "the plan", strings.Join(plan.Actions, "\n"), "R__order_count.sql", "orders", "order_count")
	y.equal("planned", plan.SchemaVersionBefore+" → "+plan.SchemaVersionAfter, "4 → 1")
	y.equal("history after a dry run", y.history(), "1 SQL; 2 SQL; 3 SQL; 4 SQL; order count SQL; other SQL")

	rep := y.revert("1")
	contains(t, "the report", strings.Join(rep.Actions, "\n"), "R__order_count.sql runs again", "view order_count")
	y.equal("history", y.history(), "1 SQL; 2 SQL; 3 SQL; 4 SQL; order count SQL; other SQL; 4 DELETE; 3 DELETE; 2 "+
		"DELETE; order count DELETE")
	y.equal("states", y.states(), "1 Success; 2 Deleted; 3 Deleted; 4 Deleted; order count Deleted; other Success; "+
		"order count Success; 2 Pending; 3 Pending; 4 Pending; order count Pending")
	y.sameInfo()
	y.flywayOK("repair")
	y.flywayOK("migrate")
	y.sameInfo()
	y.equal("the view is back", y.text("SELECT * FROM order_count"), "0")
	if result := y.flywayOK("validate"); !*result.Validation {
		t.Errorf("validate: %+v", result.Invalid)
	}
	y.ok(migrator.Request{Command: "validate"})

	// Slipway's own way up, after a second time down.
	y.revert("0")
	y.migrate()
	y.equal("the view is back", y.text("SELECT * FROM order_count"), "0")
	y.equal("other ran once", y.text("SELECT count(*) FROM flyway_schema_history WHERE description = 'other'"), "1")
}

// Steps, from, and what is no request.
func TestRevertRequests(t *testing.T) {
	t.Parallel()
	y := newYard(t, shop())
	contains(t, "before anything", y.fails(report.RevertRefused, migrator.Request{Command: "revert", To: "1"}).Message,
		"no history")
	y.prime()
	want := y.history()
	for _, test := range []struct {
		req  migrator.Request
		code report.Code
		says string
	}{
		{migrator.Request{}, report.BadRequest, "how far"},
		{migrator.Request{To: "1", Steps: 1}, report.BadRequest, "not both"},
		{migrator.Request{Steps: -1}, report.BadRequest, "-1"},
		{migrator.Request{To: "one"}, report.BadRequest, `"one"`},
		{migrator.Request{To: "2.5"}, report.RevertRefused, "2.5 is not applied"},
		{migrator.Request{To: "9"}, report.RevertRefused, "9 is not applied"},
		{migrator.Request{Steps: 5}, report.RevertRefused, "only 4 versions"},
		{migrator.Request{Steps: 1, From: "3"}, report.RevertRefused, "at version 4, not 3"},
		{migrator.Request{Steps: 1, From: "x"}, report.BadRequest, "--from"},
	} {
		test.req.Command = "revert"
		rep := y.fails(test.code, test.req)
		contains(t, "message", rep.Message, test.says)
		if rep.Next == "" || len(rep.Reverted) > 0 {
			t.Errorf("%+v: next %q, reverted %v", test.req, rep.Next, rep.Reverted)
		}
	}
	y.config.Protected = true
	contains(t, "protected", y.fails(report.RevertRefused, migrator.Request{Command: "revert", To: "3"}).Next,
		"--from 4")
	y.ok(migrator.Request{Command: "revert", To: "3", DryRun: true})
	y.equal("history", y.history(), want)
	y.ok(migrator.Request{Command: "revert", To: "3", From: "4.0"})
	y.config.Protected = false
	if rep := y.revert("3.0"); len(rep.Reverted) != 0 {
		t.Errorf("back to the current version: %+v", rep.Reverted)
	}
	y.ok(migrator.Request{Command: "revert", Steps: 2})
	y.equal("history", y.history(), "1 SQL; 2 SQL; 3 SQL; 4 SQL; order count SQL; 4 DELETE; 3 DELETE; 2 DELETE; "+
		"order count DELETE")
	y.revert("0")
	y.equal("what is left", y.text("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND "+
		"relname !~ 'flyway'"), "0")
	y.revert("0")
}

// The newest is the highest version, not the one applied last: so every state
// on the way is one that Flyway goes on from.
func TestRevertAfterOutOfOrder(t *testing.T) {
	t.Parallel()
	y := newYard(t, ladder(3, 0))
	y.prime()
	// 2 was applied last.
	y.exec("UPDATE flyway_schema_history SET installed_rank = CASE version WHEN '2' THEN 13 WHEN '3' THEN 12 ELSE " +
		"11 END")
	rep := y.ok(migrator.Request{Command: "revert", Steps: 1})
	y.equal("reverted", rep.Reverted[0].Version+", now "+rep.SchemaVersionAfter, "3, now 2")
	y.whole()
	y.sameInfo()
	y.flywayOK("migrate")
	y.equal("history", y.history(), "1 SQL; 3 SQL; 2 SQL; 3 DELETE; 3 SQL")
	y.revert("1")
	y.equal("history", y.history(), "1 SQL; 3 SQL; 2 SQL; 3 DELETE; 3 SQL; 3 DELETE; 2 DELETE")
	y.whole()
	y.sameInfo()
}

// A repeatable script that fills a table runs again with it; one that gives
// rights on all tables runs again whatever is dropped.
func TestRevertedTablesAreFilledAgain(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{
		"V1__a.sql": "CREATE TABLE a (id int PRIMARY KEY);", "U1__a.sql": "DROP TABLE a;",
		"V2__countries.sql": "CREATE TABLE countries (code text PRIMARY KEY);",
		"U2__countries.sql": "DROP TABLE countries;",
		"R__countries.sql":  "INSERT INTO countries VALUES ('de'), ('fr') ON CONFLICT DO NOTHING;",
		"R__z_rights.sql":   "GRANT SELECT ON ALL TABLES IN SCHEMA public TO public;",
		"R__view.sql":       "CREATE OR REPLACE VIEW v AS SELECT id FROM a;",
	})
	y.prime()
	before := y.snapshot()
	rep := y.revert("1")
	y.equal("history", y.history(), "1 SQL; 2 SQL; countries SQL; view SQL; z rights SQL; 2 DELETE; countries "+
		"DELETE; z rights DELETE")
	contains(t, "the report", strings.Join(rep.Actions, "\n"), "R__countries.sql runs again",
		"R__z_rights.sql runs again")
	y.sameInfo()
	y.flywayOK("migrate")
	y.equal("rows", y.text("SELECT count(*) FROM countries"), "2")
	if diff := catalog.Diff(before, y.snapshot()); diff != "" {
		t.Errorf("after it was applied again:\n%s", diff)
	}
}
