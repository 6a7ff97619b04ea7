//go:build faults

package faults

import (
	"strings"

	"slipway/lambda/report"
)

var indexFaults = []fault{
	{"index-concurrently", "CREATE INDEX CONCURRENTLY runs, in one start of Flyway with other scripts",
		func(t *testbed) {
			t.one()
			t.script("V2__index.sql", "CREATE INDEX CONCURRENTLY i2 ON t1 (id);")
			t.three()
			o := t.completes("3")
			t.check(strings.Count(o.log, "starting Flyway") == 1, "Flyway was started more than once")
			t.check(t.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i2'::regclass") == "true",
				"the index is not valid")
			t.saw("the index is valid")
		}},
	{"index-fails", "the invalid index is named with the statement that removes it; after that and repair the run " +
		"completes", func(t *testbed) {
		t.migrated()
		t.exec("INSERT INTO t1 VALUES (1, 'twice')")
		t.script("V2__index.sql", "CREATE UNIQUE INDEX CONCURRENTLY i2 ON t1 (id);")
		before := t.look()
		o := t.run("migrate")
		t.answered(o, report.MigrationFailed, before)
		t.check(o.SQLState == "23505" && o.Script == "V2__index.sql", "SQLSTATE %s in %s", o.SQLState, o.Script)
		t.contains(o.Next, "DROP INDEX CONCURRENTLY public.i2;")
		t.exec("DELETE FROM t1 WHERE name = 'twice'")
		t.mend(o, "2")
	}},
	{"index-killed", "killed, Flyway records nothing: the next run finds the invalid index before it runs anything " +
		"and names the statement that removes it", func(t *testbed) {
		t.migrated()
		t.two()
		t.script("V3__index.sql", "CREATE INDEX CONCURRENTLY IF NOT EXISTS i3 ON t1 (id);")
		app := t.session()
		t.do(app, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t1")
		run := t.start("migrate")
		t.awaitStatement("CREATE INDEX%")
		run.kill()
		t.nothingLeft()
		t.do(app, "COMMIT")
		before := t.look()
		t.check(len(before.failed) == 0, "there is a failed row")
		o := t.run("migrate")
		t.answered(o, report.PreviousFailed, before)
		t.contains(o.Next, "DROP INDEX CONCURRENTLY public.i3;")
		t.saw("names DROP INDEX CONCURRENTLY public.i3")
		t.exec("DROP INDEX CONCURRENTLY public.i3")
		t.next("3")
	}},
	{"index-of-somebody-else", "an invalid index that no pending script makes stands in nobody's way",
		func(t *testbed) {
			t.migrated()
			t.exec("INSERT INTO t1 VALUES (1, 'twice')")
			_, err := t.admin.Exec(t.ctx, "CREATE UNIQUE INDEX CONCURRENTLY theirs ON t1 (id)")
			t.check(err != nil, "the index is valid")
			t.script("V2__index.sql", "CREATE INDEX CONCURRENTLY i2 ON t1 (id);")
			t.completes("2")
		}},
	{"non-transactional-fails", "PREVIOUS_FAILED names the script until `repair`; a fixed release goes on",
		func(t *testbed) {
			t.migrated()
			t.script("V2__parts.sql", "CREATE TABLE IF NOT EXISTS t2 (id int);\nSELECT 1/0;")
			t.script("V2__parts.sql.conf", "executeInTransaction=false\n")
			before := t.look()
			o := t.run("migrate")
			t.answered(o, report.MigrationFailed, before)
			t.contains(o.Next, "outside a transaction", "slipway repair")
			t.check(o.RestorePoint != nil, "it changed something, and there is no restore point")
			before = t.look()
			o = t.run("migrate")
			t.answered(o, report.PreviousFailed, before)
			t.check(o.Script == "V2__parts.sql", "it names %q", o.Script)
			t.contains(o.Next, "slipway repair")
			t.script("V2__parts.sql", "CREATE TABLE IF NOT EXISTS t2 (id int);\nSELECT 1;")
			t.repair()
			t.completes("2")
		}},
	{"vacuum", "VACUUM runs outside a transaction", func(t *testbed) {
		t.migrated()
		t.script("V2__vacuum.sql", "VACUUM t1;")
		t.completes("2")
	}},
	{"mixed-script", "a script that mixes both kinds is BAD_RELEASE with its name, before anything is run",
		func(t *testbed) {
			t.migrated()
			t.two()
			t.script("V3__mixed.sql", "CREATE TABLE t3 (id int);\nCREATE INDEX CONCURRENTLY i3 ON t1 (id);")
			before := t.look()
			o := t.run("migrate")
			t.check(o.Script == "V3__mixed.sql", "it names %q", o.Script)
			t.contains(o.Next, "plit it")
			t.check(len(o.Applied) == 0, "applied: %v", o.Applied)
			t.answered(o, report.BadRelease, before)
			t.script("V3__mixed.sql", "CREATE TABLE t3 (id int);")
			t.next("3")
		}},
	{"edited-after-applied", "VALIDATION_FAILED names the script; nothing is run", func(t *testbed) {
		t.migrated()
		t.script("V1__one.sql", "CREATE TABLE t1 (id int, name text, more int);")
		t.two()
		before := t.look()
		o := t.run("migrate")
		t.check(o.Script == "V1__one.sql", "it names %q", o.Script)
		t.answered(o, report.ValidationFailed, before)
		t.one()
		t.next("2")
	}},
	{"database-with-tables", "SCHEMA_NOT_EMPTY names the setting; with it the database is adopted", func(t *testbed) {
		t.exec("CREATE TABLE t1 (id int)")
		t.script("V1__one.sql", "CREATE TABLE t1 (id int);")
		t.two()
		o := t.run("migrate")
		t.answered(o, report.SchemaNotEmpty, nil)
		t.contains(o.Next, "SLIPWAY_BASELINE_VERSION")
		t.env["SLIPWAY_BASELINE_VERSION"] = "1"
		o = t.run("migrate")
		t.answered(o, report.OK, nil)
		t.check(len(o.Applied) == 1 && o.Applied[0].Script == "V2__two.sql", "applied: %v", o.Applied)
	}},
}

// mend does what the report's next step says of an invalid index: drop it,
// repair. Then the run completes.
func (t *testbed) mend(o *outcome, version string) {
	const verb = "DROP INDEX CONCURRENTLY "
	from := strings.Index(o.Next, verb)
	t.check(from >= 0, "no %sin %q", verb, o.Next)
	statement, _, _ := strings.Cut(o.Next[from:], ";")
	before := t.look()
	again := t.run("migrate")
	t.answered(again, report.PreviousFailed, before)
	t.contains(again.Next, statement, "slipway repair")
	t.exec(statement)
	t.repair()
	t.next(version)
}

func (t *testbed) repair() {
	o := t.run("repair")
	t.check(o.Code == report.OK && len(o.Actions) == 1, "repair: %s %s %v", o.Code, o.Message, o.Actions)
	t.saw("repair: %s", o.Actions[0])
}
