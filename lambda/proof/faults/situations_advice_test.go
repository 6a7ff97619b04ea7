//go:build faults

package faults

import (
	"strings"

	"slipway/lambda/report"
)

// Errors for which "correct the script" is no way on: the next step is the one
// that works, and the run after it completes.
var situationAdviceFaults = []fault{
	{"advice-commit-in-procedure", "2D000 names the .conf with which it works; with it the script completes",
		func(t *testbed) {
			t.migrated()
			t.script("V2__two.sql", "CREATE TABLE t2 (id int);\nCREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ "+
				"BEGIN FOR i IN 1..5 LOOP INSERT INTO t2 VALUES (i); COMMIT; END LOOP; END $$;")
			t.script("V3__call.sql", "CALL fill();")
			o := t.advised("2D000", "V3__call.sql", "executeInTransaction=false into V3__call.sql.conf", "rolled back")
			t.check(o.SchemaVersionAfter == "2", "it stands at %s", o.SchemaVersionAfter)
			t.script("V3__call.sql.conf", "executeInTransaction=false\n")
			t.next("3")
			t.check(t.ask("SELECT count(*) FROM t2") == "5", "rows: %s", t.ask("SELECT count(*) FROM t2"))
		}},
	{"advice-enum-value", "55P04: an earlier script for ALTER TYPE; so it completes", func(t *testbed) {
		t.migrated()
		t.script("V2__type.sql", "CREATE TYPE state AS ENUM ('new');")
		t.script("V3__use.sql", "ALTER TYPE state ADD VALUE 'done';\nCREATE TABLE t3 AS SELECT 'done'::state AS s;")
		t.advised("55P04", "V3__use.sql", "ALTER TYPE … ADD VALUE into an earlier script", "rolled back")
		t.script("V3__use.sql", "ALTER TYPE state ADD VALUE 'done';")
		t.script("V4__use.sql", "CREATE TABLE t4 AS SELECT 'done'::state AS s;")
		t.next("4")
	}},
	{"advice-pending-triggers", "55006: SET CONSTRAINTS between rows and ALTER TABLE; so it completes",
		func(t *testbed) {
			t.script("V1__one.sql", "CREATE TABLE t1 (id int PRIMARY KEY, up int REFERENCES t1 DEFERRABLE INITIALLY "+
				"DEFERRED);\nINSERT INTO t1 VALUES (1, NULL), (2, 1);")
			t.script("V2__two.sql", "UPDATE t1 SET up = 2 WHERE id = 2;\nALTER TABLE t1 ADD COLUMN more int;")
			t.advised("55006", "V2__two.sql", "SET CONSTRAINTS ALL IMMEDIATE;", "t1", "rolled back")
			t.script("V2__two.sql", "UPDATE t1 SET up = 2 WHERE id = 2;\nSET CONSTRAINTS ALL IMMEDIATE;\nALTER "+
				"TABLE t1 ADD COLUMN more int;")
			t.next("2")
		}},
	{"advice-at-commit", "a deferred constraint names its script and the end of its transaction", func(t *testbed) {
		t.script("V1__one.sql", "CREATE TABLE t1 (id int PRIMARY KEY, up int REFERENCES t1 DEFERRABLE INITIALLY "+
			"DEFERRED);")
		t.script("V2__two.sql", "INSERT INTO t1 VALUES (1, 99);\nCREATE TABLE t2 (id int);")
		t.three()
		o := t.advised("23503", "V2__two.sql", "deferred", "rolled back")
		t.contains(o.Message, "at the end of the script's transaction")
		t.script("V2__two.sql", "INSERT INTO t1 VALUES (1, 1);\nCREATE TABLE t2 (id int);")
		t.next("3")
	}},
	{"advice-partitioned-index", "0A000 leads to ON ONLY, CONCURRENTLY, ATTACH; nothing is left behind, and so it " +
		"completes", func(t *testbed) {
		t.script("V1__one.sql", "CREATE TABLE logs (id int) PARTITION BY RANGE (id);\nCREATE TABLE logs_a PARTITION "+
			"OF logs DEFAULT;")
		t.script("V2__index.sql", "CREATE INDEX CONCURRENTLY i2 ON logs (id);")
		t.advised("0A000", "V2__index.sql", "ON ONLY logs", "ATTACH PARTITION", "left nothing", "slipway repair")
		t.repair()
		t.script("V2__index.sql", "CREATE INDEX i2 ON ONLY logs (id);")
		t.script("V3__part.sql", "CREATE INDEX CONCURRENTLY i3 ON logs_a (id);")
		t.script("V4__attach.sql", "ALTER INDEX i2 ATTACH PARTITION i3;")
		t.next("4")
	}},
	{"advice-owner", "42501: the owner is looked up, and the GRANT works as it stands", func(t *testbed) {
		t.migrated()
		owner := t.role + "_owner"
		t.exec("CREATE ROLE " + owner)
		t.Cleanup(func() { t.exec("DROP OWNED BY " + owner + "; DROP ROLE " + owner) })
		t.exec("GRANT CREATE, USAGE ON SCHEMA public TO " + owner)
		t.exec("CREATE TABLE theirs (id int)")
		t.exec("ALTER TABLE theirs OWNER TO " + owner)
		t.script("V2__theirs.sql", "ALTER TABLE theirs ADD COLUMN more int;")
		o := t.advised("42501", "V2__theirs.sql", "rolled back")
		t.statement(o.Next, "GRANT ")
		t.next("2")
	}},
	{"advice-missing-role", "42704: roles belong to the server, and the statement that makes one", func(t *testbed) {
		t.migrated()
		role := t.role + "_reader"
		t.script("V2__grant.sql", "GRANT SELECT ON t1 TO "+role+";")
		o := t.advised("42704", "V2__grant.sql", "belong to the server")
		t.Cleanup(func() { t.exec("DROP OWNED BY " + role + "; DROP ROLE " + role) })
		t.statement(o.Next, "CREATE ROLE ")
		t.next("2")
	}},
	{"advice-other-schema", "42P01: where the table is", func(t *testbed) {
		t.migrated()
		t.script("V2__two.sql", "CREATE SCHEMA shop;\nCREATE TABLE shop.\"Orders\" (id int);")
		t.script("V3__three.sql", "CREATE INDEX ON orders (id);")
		t.advised("42P01", "V3__three.sql", `There is shop."Orders"`, "rolled back")
		t.script("V3__three.sql", `CREATE INDEX ON shop."Orders" (id);`)
		t.next("3")
	}},
	{"advice-backfill-cut-off", "a backfill that is cut off by the deadline: repair and migrate go on, and nothing " +
		"says that it was rolled back", func(t *testbed) {
		t.script("V1__one.sql", "CREATE TABLE t1 (id int, done int);\nINSERT INTO t1 SELECT generate_series(1, 20);")
		t.completes("1")
		t.script("V2__fill.sql", "DO $$ BEGIN WHILE EXISTS (SELECT FROM t1 WHERE done IS NULL) LOOP\n"+
			"UPDATE t1 SET done = 1 WHERE id = (SELECT min(id) FROM t1 WHERE done IS NULL); COMMIT; PERFORM "+
			"pg_sleep(0.8); END LOOP; END $$;")
		t.script("V2__fill.sql.conf", "executeInTransaction=false\n")
		before := t.look()
		o := t.run("migrate", "--timeout", "10s")
		t.answered(o, report.Deadline, before)
		t.check(o.Script == "V2__fill.sql" && !strings.Contains(o.Message+o.Next, "rolled back"), "%q: %s %s", o.Script,
			o.Message, o.Next)
		t.contains(o.Next, "made to go on", "slipway repair")
		t.repair()
		t.next("2")
		t.check(t.ask("SELECT count(*) FROM t1 WHERE done IS NULL") == "0", "rows are left")
	}},
	{"advice-in-an-undo-script", "revert gives the same advice, and what the undo did is rolled back",
		func(t *testbed) {
			t.script("V1__one.sql", "CREATE TYPE state AS ENUM ('new');\nCREATE TABLE t1 (id int);")
			t.script("V2__two.sql", "CREATE TABLE t2 (id int);")
			t.script("U2__two.sql", "DROP TABLE t2;\nALTER TYPE state ADD VALUE 'old';\nSELECT 'old'::state;")
			t.completes("2")
			before := t.look()
			o := t.run("revert", "--steps", "1")
			t.check(o.SQLState == "55P04" && o.Script == "U2__two.sql", "SQLSTATE %s in %q: %s", o.SQLState, o.Script,
				o.Message)
			t.contains(o.Next, "ALTER TYPE … ADD VALUE into an earlier script", "revert again")
			t.answered(o, report.MigrationFailed, before)
		}},
}

// advised runs migrate, which has to fail in that script with that SQLSTATE and
// those words in its next step.
func (t *testbed) advised(state, script string, words ...string) *outcome {
	before := t.look()
	o := t.run("migrate")
	t.check(o.SQLState == state && o.Script == script, "SQLSTATE %s in %q: %s", o.SQLState, o.Script, o.Message)
	t.contains(o.Next, words...)
	t.check(!strings.Contains(o.Next, "Correct the script"), "next: %s", o.Next)
	t.answered(o, report.MigrationFailed, before)
	return o
}

// statement carries out the statement that the text names, from its first words on.
func (t *testbed) statement(text, first string) {
	from := strings.Index(text, first)
	t.check(from >= 0, "no %q in %q", first, text)
	statement, _, _ := strings.Cut(text[from:], ";")
	t.exec(statement)
	t.saw("its statement was carried out")
}
