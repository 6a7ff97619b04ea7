//go:build faults

package faults

import (
	"strings"

	"slipway/lambda/report"
)

const namedByLine = "BAD_RELEASE with script, line and the way round, before anything is run"

// situationScriptFaults are scripts that PostgreSQL takes, or psql, and that
// would go wrong with Flyway, or with what a run promises.
var situationScriptFaults = []fault{
	{"copy-without-end-mark", namedByLine, func(t *testbed) {
		t.refusedAt(2, "COPY t1 FROM stdin;\n1\n", `a line that holds \.`)
	}},
	{"copy-with-more-on-its-line", namedByLine, func(t *testbed) {
		t.refusedAt(2, "COPY t1 FROM stdin; INSERT INTO t1 VALUES (1);\n1\n\\.\n", "below the data")
	}},
	{"dump-with-psql-commands", namedByLine, func(t *testbed) {
		t.refusedAt(2, "\\restrict key\nCREATE TABLE t2 (id int);\n\\unrestrict key\n",
			`\restrict is a command of psql`)
	}},
	{"dump-of-the-history", namedByLine, func(t *testbed) {
		t.refusedAt(2, "ALTER TABLE ONLY public.flyway_schema_history OWNER TO CURRENT_USER;\n",
			"pg_dump --exclude-table")
	}},
	{"script-that-commits", namedByLine, func(t *testbed) {
		t.refusedAt(4, "DO $$ BEGIN\n  NULL;\nEND $$; END; $$;\n", "executeInTransaction=false")
	}},
	{"body-with-a-parameter", namedByLine, func(t *testbed) {
		t.refusedAt(3, "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql BEGIN ATOMIC\n  SELECT $1; END;\n",
			"Give the argument a name")
	}},
	{"body-with-a-case-in-a-case", namedByLine, func(t *testbed) {
		t.refusedAt(3, "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC\n"+
			"  SELECT CASE WHEN a > 1 THEN CASE a WHEN 2 THEN 2 END END; END;\n", "inner CASE into parentheses")
	}},
	{"comment-that-begins-with-a-slash", namedByLine, func(t *testbed) {
		t.refusedAt(2, "/*/ first; */ CREATE TABLE t2 (id int);\n", "Write /* /")
	}},
	{"statement-in-parentheses", namedByLine, func(t *testbed) {
		t.refusedAt(3, "SELECT 1;\n(SELECT 1) UNION (SELECT 2);\n", "loses the parenthesis")
	}},
	{"reindex-concurrently", namedByLine, func(t *testbed) {
		t.refusedAt(2, "REINDEX (VERBOSE, CONCURRENTLY) TABLE t1;\n",
			"executeInTransaction=false into V2__two.sql.conf")
	}},
	{"discard-all", namedByLine, func(t *testbed) { t.refusedAt(2, "DISCARD ALL;\n", "lock under which Flyway runs") }},
	{"date-style", namedByLine, func(t *testbed) {
		t.refusedAt(2, "SET datestyle = 'SQL, DMY';\n", "DateStyle other than ISO")
	}},
	{"placeholder-behind-a-dollar", "the script runs, and a warning with its line says that the placeholder stays",
		func(t *testbed) {
			t.env["FLYWAY_PLACEHOLDERS_TENANT"] = "acme"
			t.migrated()
			t.script("V2__two.sql", "CREATE TABLE t2 (name text);\nINSERT INTO t2 VALUES ($q$${tenant}$q$);\n")
			before := t.look()
			o := t.run("migrate")
			t.contains(strings.Join(o.Warnings, "\n"), "V2__two.sql, line 2: ${tenant} stays as it is")
			t.answered(o, report.OK, before)
			t.saw("“${tenant} stays as it is”")
		}},
}

// refusedAt puts the text below a first line into a pending script that has to
// be refused at that line.
func (t *testbed) refusedAt(line int, text, words string) {
	t.migrated()
	t.script("V2__two.sql", "-- the second\n"+text)
	before := t.look()
	o := t.run("migrate")
	t.check(o.Script == "V2__two.sql" && o.Line == line, "it names %q line %d: %s", o.Script, o.Line, o.Message)
	t.contains(o.Message+" "+o.Next, words)
	t.check(o.FlywayVersion == "", "Flyway was started")
	t.answered(o, report.BadRelease, before)
	t.saw("line %d: “%s”", line, words)
}
