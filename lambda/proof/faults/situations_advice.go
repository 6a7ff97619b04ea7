package main

import (
	"strings"

	"slipway/lambda/report"
)

// Errors for which "correct the script" is no way on: the next step is the one
// that works, and the run after it completes.
var situationAdviceFaults = []fault{
	{"advice-commit-in-procedure", "2D000 names the .conf with which it works; with it the script completes", func(l *lab) {
		l.migrated()
		l.script("V2__two.sql", "CREATE TABLE t2 (id int);\nCREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1..5 LOOP INSERT INTO t2 VALUES (i); COMMIT; END LOOP; END $$;")
		l.script("V3__call.sql", "CALL fill();")
		o := l.advised("2D000", "V3__call.sql", "executeInTransaction=false into V3__call.sql.conf", "rolled back")
		l.check(o.SchemaVersionAfter == "2", "it stands at %s", o.SchemaVersionAfter)
		l.script("V3__call.sql.conf", "executeInTransaction=false\n")
		l.next("3")
		l.check(l.ask("SELECT count(*) FROM t2") == "5", "rows: %s", l.ask("SELECT count(*) FROM t2"))
	}},
	{"advice-enum-value", "55P04: an earlier script for ALTER TYPE; so it completes", func(l *lab) {
		l.migrated()
		l.script("V2__type.sql", "CREATE TYPE state AS ENUM ('new');")
		l.script("V3__use.sql", "ALTER TYPE state ADD VALUE 'done';\nCREATE TABLE t3 AS SELECT 'done'::state AS s;")
		l.advised("55P04", "V3__use.sql", "ALTER TYPE … ADD VALUE into an earlier script", "rolled back")
		l.script("V3__use.sql", "ALTER TYPE state ADD VALUE 'done';")
		l.script("V4__use.sql", "CREATE TABLE t4 AS SELECT 'done'::state AS s;")
		l.next("4")
	}},
	{"advice-pending-triggers", "55006: SET CONSTRAINTS between rows and ALTER TABLE; so it completes", func(l *lab) {
		l.script("V1__one.sql", "CREATE TABLE t1 (id int PRIMARY KEY, up int REFERENCES t1 DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO t1 VALUES (1, NULL), (2, 1);")
		l.script("V2__two.sql", "UPDATE t1 SET up = 2 WHERE id = 2;\nALTER TABLE t1 ADD COLUMN more int;")
		l.advised("55006", "V2__two.sql", "SET CONSTRAINTS ALL IMMEDIATE;", "t1", "rolled back")
		l.script("V2__two.sql", "UPDATE t1 SET up = 2 WHERE id = 2;\nSET CONSTRAINTS ALL IMMEDIATE;\nALTER TABLE t1 ADD COLUMN more int;")
		l.next("2")
	}},
	{"advice-at-commit", "a deferred constraint names its script and the end of its transaction", func(l *lab) {
		l.script("V1__one.sql", "CREATE TABLE t1 (id int PRIMARY KEY, up int REFERENCES t1 DEFERRABLE INITIALLY DEFERRED);")
		l.script("V2__two.sql", "INSERT INTO t1 VALUES (1, 99);\nCREATE TABLE t2 (id int);")
		l.three()
		o := l.advised("23503", "V2__two.sql", "deferred", "rolled back")
		l.contains(o.Message, "at the end of the script's transaction")
		l.script("V2__two.sql", "INSERT INTO t1 VALUES (1, 1);\nCREATE TABLE t2 (id int);")
		l.next("3")
	}},
	{"advice-partitioned-index", "0A000 leads to ON ONLY, CONCURRENTLY, ATTACH; nothing is left behind, and so it completes", func(l *lab) {
		l.script("V1__one.sql", "CREATE TABLE logs (id int) PARTITION BY RANGE (id);\nCREATE TABLE logs_a PARTITION OF logs DEFAULT;")
		l.script("V2__index.sql", "CREATE INDEX CONCURRENTLY i2 ON logs (id);")
		l.advised("0A000", "V2__index.sql", "ON ONLY logs", "ATTACH PARTITION", "left nothing", "slipway repair")
		l.repair()
		l.script("V2__index.sql", "CREATE INDEX i2 ON ONLY logs (id);")
		l.script("V3__part.sql", "CREATE INDEX CONCURRENTLY i3 ON logs_a (id);")
		l.script("V4__attach.sql", "ALTER INDEX i2 ATTACH PARTITION i3;")
		l.next("4")
	}},
	{"advice-owner", "42501: the owner is looked up, and the GRANT works as it stands", func(l *lab) {
		l.migrated()
		owner := l.role + "_owner"
		l.exec("CREATE ROLE " + owner)
		l.later(func() { l.exec("DROP OWNED BY " + owner + "; DROP ROLE " + owner) })
		l.exec("GRANT CREATE, USAGE ON SCHEMA public TO " + owner)
		l.exec("CREATE TABLE theirs (id int)")
		l.exec("ALTER TABLE theirs OWNER TO " + owner)
		l.script("V2__theirs.sql", "ALTER TABLE theirs ADD COLUMN more int;")
		o := l.advised("42501", "V2__theirs.sql", "rolled back")
		l.statement(o.Next, "GRANT ")
		l.next("2")
	}},
	{"advice-missing-role", "42704: roles belong to the server, and the statement that makes one", func(l *lab) {
		l.migrated()
		role := l.role + "_reader"
		l.script("V2__grant.sql", "GRANT SELECT ON t1 TO "+role+";")
		o := l.advised("42704", "V2__grant.sql", "belong to the server")
		l.later(func() { l.exec("DROP OWNED BY " + role + "; DROP ROLE " + role) })
		l.statement(o.Next, "CREATE ROLE ")
		l.next("2")
	}},
	{"advice-other-schema", "42P01: where the table is", func(l *lab) {
		l.migrated()
		l.script("V2__two.sql", "CREATE SCHEMA shop;\nCREATE TABLE shop.\"Orders\" (id int);")
		l.script("V3__three.sql", "CREATE INDEX ON orders (id);")
		l.advised("42P01", "V3__three.sql", `There is shop."Orders"`, "rolled back")
		l.script("V3__three.sql", `CREATE INDEX ON shop."Orders" (id);`)
		l.next("3")
	}},
	{"advice-backfill-cut-off", "a backfill that is cut off by the deadline: repair and migrate go on, and nothing says that it was rolled back", func(l *lab) {
		l.script("V1__one.sql", "CREATE TABLE t1 (id int, done int);\nINSERT INTO t1 SELECT generate_series(1, 20);")
		l.completes("1")
		l.script("V2__fill.sql", "DO $$ BEGIN WHILE EXISTS (SELECT FROM t1 WHERE done IS NULL) LOOP\n"+
			"UPDATE t1 SET done = 1 WHERE id = (SELECT min(id) FROM t1 WHERE done IS NULL); COMMIT; PERFORM pg_sleep(0.8); END LOOP; END $$;")
		l.script("V2__fill.sql.conf", "executeInTransaction=false\n")
		before := l.look()
		o := l.run("migrate", "--timeout", "10s")
		l.answered(o, report.Deadline, before)
		l.check(o.Script == "V2__fill.sql" && !strings.Contains(o.Message+o.Next, "rolled back"), "%q: %s %s", o.Script, o.Message, o.Next)
		l.contains(o.Next, "made to go on", "slipway repair")
		l.repair()
		l.next("2")
		l.check(l.ask("SELECT count(*) FROM t1 WHERE done IS NULL") == "0", "rows are left")
	}},
	{"advice-in-an-undo-script", "revert gives the same advice, and what the undo did is rolled back", func(l *lab) {
		l.script("V1__one.sql", "CREATE TYPE state AS ENUM ('new');\nCREATE TABLE t1 (id int);")
		l.script("V2__two.sql", "CREATE TABLE t2 (id int);")
		l.script("U2__two.sql", "DROP TABLE t2;\nALTER TYPE state ADD VALUE 'old';\nSELECT 'old'::state;")
		l.completes("2")
		before := l.look()
		o := l.run("revert", "--steps", "1")
		l.check(o.SQLState == "55P04" && o.Script == "U2__two.sql", "SQLSTATE %s in %q: %s", o.SQLState, o.Script, o.Message)
		l.contains(o.Next, "ALTER TYPE … ADD VALUE into an earlier script", "revert again")
		l.answered(o, report.MigrationFailed, before)
	}},
}

// advised runs migrate, which has to fail in that script with that SQLSTATE and
// those words in its next step.
func (l *lab) advised(state, script string, words ...string) *outcome {
	before := l.look()
	o := l.run("migrate")
	l.check(o.SQLState == state && o.Script == script, "SQLSTATE %s in %q: %s", o.SQLState, o.Script, o.Message)
	l.contains(o.Next, words...)
	l.check(!strings.Contains(o.Next, "Correct the script"), "next: %s", o.Next)
	l.answered(o, report.MigrationFailed, before)
	return o
}

// statement carries out the statement that the text names, from its first words on.
func (l *lab) statement(text, first string) {
	from := strings.Index(text, first)
	l.check(from >= 0, "no %q in %q", first, text)
	statement, _, _ := strings.Cut(text[from:], ";")
	l.exec(statement)
	l.saw("its statement was carried out")
}
