package main

import (
	"strings"

	"slipway/lambda/report"
)

var indexFaults = []fault{
	{"index-concurrently", "CREATE INDEX CONCURRENTLY runs, in one start of Flyway with other scripts", func(l *lab) {
		l.one()
		l.script("V2__index.sql", "CREATE INDEX CONCURRENTLY i2 ON t1 (id);")
		l.three()
		o := l.completes("3")
		l.check(strings.Count(o.log, "starting Flyway") == 1, "Flyway was started more than once")
		l.check(l.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i2'::regclass") == "true", "the index is not valid")
		l.saw("the index is valid")
	}},
	{"index-fails", "the invalid index is named with the statement that removes it; after that and repair the run completes", func(l *lab) {
		l.migrated()
		l.exec("INSERT INTO t1 VALUES (1, 'twice')")
		l.script("V2__index.sql", "CREATE UNIQUE INDEX CONCURRENTLY i2 ON t1 (id);")
		before := l.look()
		o := l.run("migrate")
		l.answered(o, report.MigrationFailed, before)
		l.check(o.SQLState == "23505" && o.Script == "V2__index.sql", "SQLSTATE %s in %s", o.SQLState, o.Script)
		l.contains(o.Next, "DROP INDEX CONCURRENTLY public.i2;")
		l.exec("DELETE FROM t1 WHERE name = 'twice'")
		l.mend(o, "2")
	}},
	{"index-killed", "killed, Flyway records nothing: the next run finds the invalid index before it runs anything and names the statement that removes it", func(l *lab) {
		l.migrated()
		l.two()
		l.script("V3__index.sql", "CREATE INDEX CONCURRENTLY IF NOT EXISTS i3 ON t1 (id);")
		app := l.session()
		l.do(app, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t1")
		run := l.start("migrate")
		l.awaitStatement("CREATE INDEX%")
		run.kill()
		l.nothingLeft()
		l.do(app, "COMMIT")
		before := l.look()
		l.check(len(before.failed) == 0, "there is a failed row")
		o := l.run("migrate")
		l.answered(o, report.PreviousFailed, before)
		l.contains(o.Next, "DROP INDEX CONCURRENTLY public.i3;")
		l.saw("names DROP INDEX CONCURRENTLY public.i3")
		l.exec("DROP INDEX CONCURRENTLY public.i3")
		l.next("3")
	}},
	{"index-of-somebody-else", "an invalid index that no pending script makes stands in nobody's way", func(l *lab) {
		l.migrated()
		l.exec("INSERT INTO t1 VALUES (1, 'twice')")
		_, err := l.admin.Exec(l.ctx, "CREATE UNIQUE INDEX CONCURRENTLY theirs ON t1 (id)")
		l.check(err != nil, "the index is valid")
		l.script("V2__index.sql", "CREATE INDEX CONCURRENTLY i2 ON t1 (id);")
		l.completes("2")
	}},
	{"non-transactional-fails", "PREVIOUS_FAILED names the script until `repair`; a fixed release goes on", func(l *lab) {
		l.migrated()
		l.script("V2__parts.sql", "CREATE TABLE IF NOT EXISTS t2 (id int);\nSELECT 1/0;")
		l.script("V2__parts.sql.conf", "executeInTransaction=false\n")
		before := l.look()
		o := l.run("migrate")
		l.answered(o, report.MigrationFailed, before)
		l.contains(o.Next, "outside a transaction", "slipway repair")
		l.check(o.RestorePoint != nil, "it changed something, and there is no restore point")
		before = l.look()
		o = l.run("migrate")
		l.answered(o, report.PreviousFailed, before)
		l.check(o.Script == "V2__parts.sql", "it names %q", o.Script)
		l.contains(o.Next, "slipway repair")
		l.script("V2__parts.sql", "CREATE TABLE IF NOT EXISTS t2 (id int);\nSELECT 1;")
		l.repair()
		l.completes("2")
	}},
	{"vacuum", "VACUUM runs outside a transaction", func(l *lab) {
		l.migrated()
		l.script("V2__vacuum.sql", "VACUUM t1;")
		l.completes("2")
	}},
	{"mixed-script", "a script that mixes both kinds is BAD_RELEASE with its name, before anything is run", func(l *lab) {
		l.migrated()
		l.two()
		l.script("V3__mixed.sql", "CREATE TABLE t3 (id int);\nCREATE INDEX CONCURRENTLY i3 ON t1 (id);")
		before := l.look()
		o := l.run("migrate")
		l.check(o.Script == "V3__mixed.sql", "it names %q", o.Script)
		l.contains(o.Next, "plit it")
		l.check(len(o.Applied) == 0, "applied: %v", o.Applied)
		l.answered(o, report.BadRelease, before)
		l.script("V3__mixed.sql", "CREATE TABLE t3 (id int);")
		l.next("3")
	}},
	{"edited-after-applied", "VALIDATION_FAILED names the script; nothing is run", func(l *lab) {
		l.migrated()
		l.script("V1__one.sql", "CREATE TABLE t1 (id int, name text, more int);")
		l.two()
		before := l.look()
		o := l.run("migrate")
		l.check(o.Script == "V1__one.sql", "it names %q", o.Script)
		l.answered(o, report.ValidationFailed, before)
		l.one()
		l.next("2")
	}},
	{"database-with-tables", "SCHEMA_NOT_EMPTY names the setting; with it the database is adopted", func(l *lab) {
		l.exec("CREATE TABLE t1 (id int)")
		l.script("V1__one.sql", "CREATE TABLE t1 (id int);")
		l.two()
		o := l.run("migrate")
		l.answered(o, report.SchemaNotEmpty, nil)
		l.contains(o.Next, "SLIPWAY_BASELINE_VERSION")
		l.env["SLIPWAY_BASELINE_VERSION"] = "1"
		o = l.run("migrate")
		l.answered(o, report.OK, nil)
		l.check(len(o.Applied) == 1 && o.Applied[0].Script == "V2__two.sql", "applied: %v", o.Applied)
	}},
}

// mend does what the report's next step says of an invalid index: drop it,
// repair. Then the run completes.
func (l *lab) mend(o *outcome, version string) {
	const verb = "DROP INDEX CONCURRENTLY "
	from := strings.Index(o.Next, verb)
	l.check(from >= 0, "no %sin %q", verb, o.Next)
	statement, _, _ := strings.Cut(o.Next[from:], ";")
	before := l.look()
	again := l.run("migrate")
	l.answered(again, report.PreviousFailed, before)
	l.contains(again.Next, statement, "slipway repair")
	l.exec(statement)
	l.repair()
	l.next(version)
}

func (l *lab) repair() {
	o := l.run("repair")
	l.check(o.Code == report.OK && len(o.Actions) == 1, "repair: %s %s %v", o.Code, o.Message, o.Actions)
	l.saw("repair: %s", o.Actions[0])
}
