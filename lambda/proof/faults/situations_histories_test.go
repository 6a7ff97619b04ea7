//go:build faults

package faults

import (
	"fmt"
	"strings"

	"slipway/lambda/report"
)

// Histories that another program, another edition or an older Flyway wrote, and
// releases whose scripts were made into one.
var situationHistoriesFaults = []fault{
	{"history-of-an-old-flyway", "each command names the row that Flyway can't read, with the statement that ends " +
		"it; nothing else is run", func(t *testbed) {
		t.one()
		t.script("V2__two.sql", "CREATE TABLE t2 (id int);")
		t.asOwner(historyOfOthers + "INSERT INTO flyway_schema_history VALUES (1, '0.9', 'begin', 'SPRING_JDBC', " +
			"'db.migration.V0_9__begin', NULL, 'old', '2015-03-01', 5, true)")
		before := t.look()
		for _, command := range []string{"migrate", "validate", "repair"} {
			o := t.run(command)
			t.contains(fmt.Sprint(o.Problems), `row 1 of the history (version 0.9, "begin", type "SPRING_JDBC")`,
				"SET type = 'JDBC' WHERE installed_rank = 1")
			t.contains(o.Next, "slipway repair --rows 1")
			t.answered(o, report.ValidationFailed, before)
			t.seen = nil
		}
		o := t.run("repair", "--rows", "1")
		t.check(o.Code == report.OK && len(o.Actions) == 2, "repair: %s %s %v", o.Code, o.Message, o.Actions)
		t.saw("VALIDATION_FAILED names the row; repair --rows 1: %s", strings.Join(o.Actions, " "))
		t.next("2")
	}},
	{"history-is-a-view", "refused by name before anything runs", func(t *testbed) {
		t.one()
		t.asOwner(strings.Replace(historyOfOthers, "flyway_schema_history", "h", 1) +
			"CREATE VIEW flyway_schema_history AS SELECT * FROM h")
		o := t.run("migrate")
		t.contains(o.Message, `"flyway_schema_history" is a view`)
		t.answered(o, report.ValidationFailed, t.look())
	}},
	{"history-of-flyway-3", "the column that Flyway no longer fills is named, with the statement; then the run " +
		"completes", func(t *testbed) {
		t.one()
		t.asOwner(historyOfOthers + "ALTER TABLE flyway_schema_history ADD version_rank int NOT NULL")
		o := t.run("migrate")
		t.contains(o.Message, "needs a value in version_rank")
		t.answered(o, report.ValidationFailed, t.look())
		_, statement, _ := strings.Cut(o.Next, "again: ")
		t.asOwner(statement)
		t.next("1")
	}},
	{"squash-on-a-new-database", "the B script runs in place of all scripts up to its version", func(t *testbed) {
		t.one()
		t.two()
		t.three()
		t.script("B2__all.sql", "CREATE TABLE t12 (id int);")
		o := t.completes("3")
		t.check(len(o.Applied) == 2 && o.Applied[0].Script == "B2__all.sql" && o.Applied[1].Script == "V3__three.sql",
			"applied %v", o.Applied)
		t.saw("applied: B2__all.sql, V3__three.sql")
	}},
	{"squash-under-a-database", "with the V scripts gone, neither migrate nor repair leads to a second run of what " +
		"is there; the way out is named, and works", func(t *testbed) {
		t.one()
		t.two()
		t.completes("2")
		t.seen = nil
		t.must(t.remove("V1__one.sql"))
		t.must(t.remove("V2__two.sql"))
		t.script("B2__all.sql", "CREATE TABLE t12 (id int);")
		t.three()
		before := t.look()
		for _, command := range []string{"migrate", "repair"} {
			o := t.run(command)
			t.contains(o.Next, "Put the V script of version 2 back into the release beside B2__all.sql")
			t.answered(o, report.ValidationFailed, before)
			t.seen = nil
		}
		t.two()
		o := t.run("repair")
		t.check(o.Code == report.OK, "repair: %s %s", o.Code, o.Message)
		t.saw("VALIDATION_FAILED, twice; with V2 back, repair: %s", strings.Join(o.Actions, " "))
		t.next("3")
	}},
}

// historyOfOthers is a table as Flyway makes it, without its rows.
const historyOfOthers = `CREATE TABLE flyway_schema_history (installed_rank int NOT NULL PRIMARY KEY, version varchar(50), description varchar(200) NOT NULL,
	type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum int, installed_by varchar(100) NOT NULL,
	installed_on timestamp NOT NULL DEFAULT now(), execution_time int NOT NULL, success boolean NOT NULL);
`

// asOwner runs SQL as the role of the migrations.
func (t *testbed) asOwner(sql string) { t.exec("SET ROLE " + t.role + "; " + sql + "; RESET ROLE") }
