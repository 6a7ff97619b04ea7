package main

import (
	"fmt"
	"strings"

	"slipway/lambda/report"
)

// Histories that another program, another edition or an older Flyway wrote, and
// releases whose scripts were made into one.
var situationHistoriesFaults = []fault{
	{"history-of-an-old-flyway", "each command names the row that Flyway can't read, with the statement that ends it; nothing else is run", func(l *lab) {
		l.one()
		l.script("V2__two.sql", "CREATE TABLE t2 (id int);")
		l.asOwner(historyOfOthers + "INSERT INTO flyway_schema_history VALUES (1, '0.9', 'begin', 'SPRING_JDBC', 'db.migration.V0_9__begin', NULL, 'old', '2015-03-01', 5, true)")
		before := l.look()
		for _, command := range []string{"migrate", "validate", "repair"} {
			o := l.run(command)
			l.contains(fmt.Sprint(o.Problems), `row 1 of the history (version 0.9, "begin", type "SPRING_JDBC")`, "SET type = 'JDBC' WHERE installed_rank = 1")
			l.contains(o.Next, "slipway repair --rows 1")
			l.answered(o, report.ValidationFailed, before)
			l.seen = nil
		}
		o := l.run("repair", "--rows", "1")
		l.check(o.Code == report.OK && len(o.Actions) == 2, "repair: %s %s %v", o.Code, o.Message, o.Actions)
		l.saw("VALIDATION_FAILED names the row; repair --rows 1: %s", strings.Join(o.Actions, " "))
		l.next("2")
	}},
	{"history-is-a-view", "refused by name before anything runs", func(l *lab) {
		l.one()
		l.asOwner(strings.Replace(historyOfOthers, "flyway_schema_history", "h", 1) + "CREATE VIEW flyway_schema_history AS SELECT * FROM h")
		o := l.run("migrate")
		l.contains(o.Message, `"flyway_schema_history" is a view`)
		l.answered(o, report.ValidationFailed, l.look())
	}},
	{"history-of-flyway-3", "the column that Flyway no longer fills is named, with the statement; then the run completes", func(l *lab) {
		l.one()
		l.asOwner(historyOfOthers + "ALTER TABLE flyway_schema_history ADD version_rank int NOT NULL")
		o := l.run("migrate")
		l.contains(o.Message, "needs a value in version_rank")
		l.answered(o, report.ValidationFailed, l.look())
		_, statement, _ := strings.Cut(o.Next, "again: ")
		l.asOwner(statement)
		l.next("1")
	}},
	{"squash-on-a-new-database", "the B script runs in place of all scripts up to its version", func(l *lab) {
		l.one()
		l.two()
		l.three()
		l.script("B2__all.sql", "CREATE TABLE t12 (id int);")
		o := l.completes("3")
		l.check(len(o.Applied) == 2 && o.Applied[0].Script == "B2__all.sql" && o.Applied[1].Script == "V3__three.sql", "applied %v", o.Applied)
		l.saw("applied: B2__all.sql, V3__three.sql")
	}},
	{"squash-under-a-database", "with the V scripts gone, neither migrate nor repair leads to a second run of what is there; the way out is named, and works", func(l *lab) {
		l.one()
		l.two()
		l.completes("2")
		l.seen = nil
		l.must(l.remove("V1__one.sql"))
		l.must(l.remove("V2__two.sql"))
		l.script("B2__all.sql", "CREATE TABLE t12 (id int);")
		l.three()
		before := l.look()
		for _, command := range []string{"migrate", "repair"} {
			o := l.run(command)
			l.contains(o.Next, "Put the V script of version 2 back into the release beside B2__all.sql")
			l.answered(o, report.ValidationFailed, before)
			l.seen = nil
		}
		l.two()
		o := l.run("repair")
		l.check(o.Code == report.OK, "repair: %s %s", o.Code, o.Message)
		l.saw("VALIDATION_FAILED, twice; with V2 back, repair: %s", strings.Join(o.Actions, " "))
		l.next("3")
	}},
}

// historyOfOthers is a table as Flyway makes it, without its rows.
const historyOfOthers = `CREATE TABLE flyway_schema_history (installed_rank int NOT NULL PRIMARY KEY, version varchar(50), description varchar(200) NOT NULL,
	type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum int, installed_by varchar(100) NOT NULL,
	installed_on timestamp NOT NULL DEFAULT now(), execution_time int NOT NULL, success boolean NOT NULL);
`

// asOwner runs SQL as the role of the migrations.
func (l *lab) asOwner(sql string) { l.exec("SET ROLE " + l.role + "; " + sql + "; RESET ROLE") }
