//go:build faults

package faults

import (
	"strings"

	"slipway/lambda/report"
)

const deniedBefore = "ACCESS_DENIED with script, line and what would allow it, before anything is run"

// situationRightsFaults are scripts that need more than the role, the server or
// a placeholder gives them, and names that need quotation marks.
var situationRightsFaults = []fault{
	{"template-text-in-a-function", "text of another template engine: the line is named, and another prefix lets " +
		"the script run", func(t *testbed) {
		t.env["FLYWAY_PLACEHOLDERS_TENANT"] = "acme"
		t.migrated()
		t.script("V2__two.sql", "CREATE TABLE t2 (id int);\nCREATE FUNCTION greeting() RETURNS text LANGUAGE sql AS "+
			"$$ SELECT 'Dear ${addressee.name}' $$;\nCOMMENT ON TABLE t2 IS '${tenant}';\n")
		before := t.look()
		o := t.run("migrate")
		t.check(o.Script == "V2__two.sql" && o.Line == 2, "it names %q line %d", o.Script, o.Line)
		t.contains(o.Summary(2000), "${addressee.name}", "placeholderPrefix", "'$' || '{")
		t.answered(o, report.BadRelease, before)
		t.env["FLYWAY_PLACEHOLDER_PREFIX"] = "#{"
		t.next("2")
	}},
	{"vacuum-in-its-own-script", "VACUUM with options runs in a script of its own", func(t *testbed) {
		t.migrated()
		t.script("V2__vacuum.sql", "VACUUM (ANALYZE, VERBOSE) t1;\n")
		t.completes("2")
	}},
	{"cluster-of-everything", namedByLine, func(t *testbed) {
		t.refusedAt(2, "CLUSTER;\n", "executeInTransaction=false into V2__two.sql.conf")
	}},
	{"two-phase-commit", namedByLine, func(t *testbed) {
		t.refusedAt(3, "CREATE TABLE t2 (id int);\nPREPARE TRANSACTION 'half';\n", "PREPARE TRANSACTION")
	}},
	{"event-trigger", deniedBefore, func(t *testbed) {
		t.deniedAt(3, "CREATE FUNCTION seen() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;\n"+
			"CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION seen();\n", "superuser")
	}},
	{"file-of-the-server", deniedBefore, func(t *testbed) {
		t.deniedAt(2, "COPY t1 FROM '/tmp/rows.csv';\n", "pg_read_server_files")
	}},
	{"program-of-the-server", deniedBefore, func(t *testbed) {
		t.deniedAt(2, "COPY t1 FROM PROGRAM 'cat rows.csv';\n", "pg_execute_server_program")
	}},
	{"role-that-makes-roles", deniedBefore, func(t *testbed) {
		t.deniedAt(2, "CREATE ROLE reporting;\n", "CREATEROLE")
	}},
	{"extension-that-is-not-there", "an extension that the server does not have is BAD_RELEASE with script and " +
		"line, before anything is run", func(t *testbed) {
		t.refusedAt(2, "CREATE EXTENSION no_such_extension;\n", "no_such_extension")
	}},
	{"default-privileges-of-another-role", "42501: the role to be a member of is named, and the GRANT works as it " +
		"stands", func(t *testbed) {
		owner := t.role + "_owner"
		t.exec("CREATE ROLE " + owner)
		t.migrated()
		t.script("V2__two.sql", "CREATE TABLE t2 (id int);\nALTER DEFAULT PRIVILEGES FOR ROLE "+owner+
			" GRANT SELECT ON TABLES TO PUBLIC;\n")
		before := t.look()
		o := t.run("migrate")
		t.answered(o, report.MigrationFailed, before)
		t.check(o.SQLState == "42501" && o.Script == "V2__two.sql", "it names %q", o.Script)
		t.contains(o.Next, "GRANT "+owner+" TO "+t.role)
		t.exec("GRANT " + owner + " TO " + t.role)
		t.next("2")
		t.exec("DROP OWNED BY " + owner + "; DROP ROLE " + owner)
	}},
	{"partition-left-half-detached", "a DETACH CONCURRENTLY that was cut off is named before the next run, with the " +
		"statement that ends it", func(t *testbed) {
		t.script("V1__one.sql", "CREATE TABLE parts (id int) PARTITION BY LIST (id);\nCREATE TABLE part_one "+
			"PARTITION OF parts FOR VALUES IN (1);")
		t.completes("1")
		t.exec("UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = 'part_one'::regclass")
		t.script("V2__two.sql", "ALTER TABLE parts DETACH PARTITION part_one CONCURRENTLY;")
		t.script("V2__two.sql.conf", "executeInTransaction=false")
		before := t.look()
		o := t.run("migrate")
		t.contains(o.Message+" "+o.Next+" "+strings.Join(o.Warnings, " "), "part_one", "FINALIZE")
		t.check(!o.OK(), "it went on: %s", o.Code)
		t.asReported(o, before)
		t.saw("%s: FINALIZE", o.Code)
	}},
	{"schema-with-quotes", "schemas with capitals, of a key word and with a quotation mark, and another name of the " +
		"history: each command finds them", func(t *testbed) {
		for _, schema := range []string{"Sales Data", "order", `a"b`} {
			t.env["FLYWAY_DEFAULT_SCHEMA"] = schema
			t.env["FLYWAY_TABLE"] = "Schema History"
			t.env["FLYWAY_CREATE_SCHEMAS"] = "true"
			t.script("V1__one.sql", "CREATE TABLE things (id int);")
			t.script("U1__one.sql", "DROP TABLE things;")
			o := t.run("migrate")
			t.check(o.OK() && o.SchemaVersionAfter == "1", "%s: %s", schema, o.Message)
			where := t.ask("SELECT string_agg(relname, ', ' ORDER BY relname COLLATE \"C\") FROM pg_class WHERE "+
				"relkind = 'r' AND relnamespace = $1::name::text::regnamespace", quoted(schema))
			t.check(where == "Schema History, things", "%s holds %s", schema, where)
			o = t.run("migrate")
			t.check(o.OK() && o.FlywayVersion == "", "%s: a second run: %s, Flyway %q", schema, o.Code, o.FlywayVersion)
			for _, command := range [][]string{{"info"}, {"validate"}, {"repair"}, {"revert", "--steps", "1"}} {
				o = t.run(command...)
				t.check(o.OK(), "%s: %s: %s", schema, command[0], o.Message)
			}
			t.check(len(o.Reverted) == 1, "%s: reverted %v", schema, o.Reverted)
		}
		t.saw("OK in each, the second run without Flyway")
	}},
}

// quoted is an SQL identifier of any name.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// deniedAt puts the text below a first line into a pending script that the role
// may not run, which has to be said at that line before Flyway starts.
func (t *testbed) deniedAt(line int, text, words string) {
	t.migrated()
	t.script("V2__two.sql", "-- the second\n"+text)
	before := t.look()
	o := t.run("migrate")
	t.check(o.Script == "V2__two.sql" && o.Line == line, "it names %q line %d: %s", o.Script, o.Line, o.Message)
	t.contains(o.Message+" "+o.Next, words)
	t.check(o.FlywayVersion == "" && o.SQLState == "42501", "Flyway %q, SQLSTATE %q", o.FlywayVersion, o.SQLState)
	t.answered(o, report.AccessDenied, before)
	t.saw("line %d: “%s”", line, words)
}
