//go:build faults

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"slipway/lambda/report"
	"slipway/lambda/script"
)

var inputFaults = []fault{
	{"name-with-newline", refusedByName, func(t *testbed) { t.refused("V2__a\nb.sql", "SELECT 1;", "U+000A") }},
	{"name-with-leading-dash", refusedByName, func(t *testbed) {
		t.refused("-url=V2__a.sql", "SELECT 1;", "not a migration's name")
	}},
	{"name-with-one-underscore", refusedByName,
		func(t *testbed) { t.refused("V2_a.sql", "SELECT 1;", "two underscores") }},
	{"name-in-lower-case", refusedByName,
		func(t *testbed) { t.refused("v2__a.sql", "SELECT 1;", "not a migration's name") }},
	{"name-ending-in-capitals", refusedByName,
		func(t *testbed) { t.refused("V2__a.SQL", "SELECT 1;", ".sql in lower case") }},
	{"names-that-differ-in-case", refusedByName, func(t *testbed) {
		t.script("R__View.sql", "SELECT 1;")
		t.refused("R__view.sql", "SELECT 2;", "R__View.sql")
	}},
	{"one-version-twice", refusedByName, func(t *testbed) {
		t.script("V02__b.sql", "SELECT 1;")
		t.refused("V2__a.sql", "SELECT 1;", "version")
	}},
	{"name-with-dots", "`..` in a name is a part of it and leads nowhere; the script runs",
		func(t *testbed) { t.right("V2__a..b....sql", "CREATE TABLE t2 (id int);") }},
	{"name-with-spaces", "the script runs under its name",
		func(t *testbed) { t.right("V2__two words.sql", "CREATE TABLE t2 (id int);") }},
	{"name-beyond-ascii", "the script runs under its name",
		func(t *testbed) { t.right("V2__größe_表_🚢.sql", "CREATE TABLE t2 (id int);") }},
	{"name-in-folder", "scripts in folders run, the folder is a part of the name",
		func(t *testbed) { t.right("2024/with space/V2__a.sql", "CREATE TABLE t2 (id int);") }},
	{"link-out-of-folder", refusedByName, func(t *testbed) {
		t.must(os.Symlink("/etc/passwd", filepath.Join(t.dir, "sql", "V3__link.sql")))
		t.refused("V2__two.sql", "CREATE TABLE t2 (id int);", "V3__link.sql: a link that leads out")
	}},
	{"link-to-folder", refusedByName, func(t *testbed) {
		t.must(os.Symlink("/etc", filepath.Join(t.dir, "sql", "more")))
		t.refused("V2__two.sql", "CREATE TABLE t2 (id int);", "more: a link that leads out")
	}},
	{"byte-order-mark", "right: the script runs, and its checksum is Flyway's",
		func(t *testbed) { t.right("V2__bom.sql", "\ufeffCREATE TABLE t2 (id int);\n") }},
	{"crlf", "right: the script runs, and its checksum is Flyway's",
		func(t *testbed) { t.right("V2__crlf.sql", "CREATE TABLE t2\r\n(id int);\r\n-- end\r\n") }},
	{"empty-file", "right: a version without statements", func(t *testbed) { t.right("V2__empty.sql", "") }},
	{"invalid-utf-8", refusedByName, func(t *testbed) {
		t.refused("V2__latin1.sql", "CREATE TABLE t2 (id int);\n-- gr\xf6\xdfe\n", "line 2 is not UTF-8")
	}},
	{"nul-byte", refusedByName, func(t *testbed) {
		t.refused("V2__nul.sql", "SELECT 1;\nSELECT '\x00';\n", "line 2 holds a NUL byte")
	}},
	{"latin-1-with-conf", "right: the encoding is named in a .conf file beside the script", func(t *testbed) {
		t.script("V2__latin1.sql.conf", "encoding=ISO-8859-1\n")
		t.right("V2__latin1.sql", "CREATE TABLE t2 (name text);\nINSERT INTO t2 VALUES ('gr\xf6\xdfe');\n")
		t.check(t.ask("SELECT name FROM t2") == "größe", "the name is %s", t.ask("SELECT name FROM t2"))
	}},
	{"placeholder-in-data", "BAD_RELEASE names script, line and placeholder, before anything is run", func(t *testbed) {
		t.refused("V2__data.sql", "CREATE TABLE t2 (id int);\nINSERT INTO t2 VALUES (length('${price}'));\n",
			"the placeholder ${price} has no value")
	}},
	{"placeholder-literal", "right: with placeholderReplacement=false the text stays as it is", func(t *testbed) {
		t.script("V2__data.sql.conf", "placeholderReplacement=false\n")
		t.right("V2__data.sql", "CREATE TABLE t2 (name text);\nINSERT INTO t2 VALUES ('${price}');\n")
		t.check(t.ask("SELECT name FROM t2") == "${price}", "the text is %s", t.ask("SELECT name FROM t2"))
	}},
	{"quote-not-closed", "MIGRATION_FAILED names script and line; nothing of it is run", func(t *testbed) {
		t.migrated()
		t.script("V2__open.sql", "CREATE TABLE t2 (id int);\nINSERT INTO t2 VALUES ('open);\n")
		before := t.look()
		o := t.run("migrate")
		t.check(o.Script == "V2__open.sql" && o.Line == 2, "it names %q line %d", o.Script, o.Line)
		t.answered(o, report.MigrationFailed, before)
	}},
	{"fifty-megabytes", "right: one statement of 50 MB runs", func(t *testbed) {
		t.limit = time.Minute
		t.right("V2__big.sql", "CREATE TABLE t2 (name text);\nINSERT INTO t2 VALUES ('"+
			strings.Repeat("0123456789", 5<<20)+"');")
		t.check(t.ask("SELECT length(name) FROM t2") == fmt.Sprint(50<<20), "it is %s long",
			t.ask("SELECT length(name) FROM t2"))
	}},
	{"ten-thousand-scripts", "loaded, named in the manifest and listed by `slipway info` in seconds (through Flyway " +
		"they would take minutes)", func(t *testbed) {
		for i := 1; i <= 10000; i++ {
			t.must(os.WriteFile(filepath.Join(t.dir, "sql", fmt.Sprintf("V%d__s.sql", i)),
				[]byte(fmt.Sprintf("CREATE TABLE t%d (id int);\n", i)), 0o644))
		}
		o := t.run("info")
		t.check(o.Code == report.OK && len(o.Pending) == 10000 && o.took < 10*time.Second, "%s, %d pending, in %s",
			o.Code, len(o.Pending), o.took)
		set, err := script.Load(filepath.Join(t.dir, "sql"))
		t.must(err)
		m := set.Manifest(500)
		t.check(len(m.Scripts) == 500 && strings.HasPrefix(m.Older, "9500 scripts, ") && m.Digest == o.Release,
			"%d scripts and %q; digest %s, the program's %s", len(m.Scripts), m.Older, m.Digest, o.Release)
		t.nothingLeft()
		t.saw("10000 pending; 500 in the manifest, one digest for the other 9500")
	}},
	{"folder-empty", "BAD_RELEASE: no migration here", func(t *testbed) {
		o := t.run("migrate")
		t.contains(o.Message, "no migration here")
		t.answered(o, report.BadRelease, t.look())
	}},
	{"folder-missing", "BAD_RELEASE names the folder", func(t *testbed) {
		t.env["FLYWAY_LOCATIONS"] = "filesystem:" + filepath.Join(t.dir, "sqll")
		o := t.run("migrate")
		t.contains(o.Message, "sqll")
		t.answered(o, report.BadRelease, t.look())
	}},
}

const refusedByName = "BAD_RELEASE with its name, before anything is run"

// refused puts a script into the release that makes it none.
func (t *testbed) refused(name, text, words string) {
	t.one()
	t.script(name, text)
	before := t.look()
	o := t.run("migrate")
	t.contains(o.Message+fmt.Sprint(o.Problems), words)
	t.check(o.Script != "", "no script is named")
	t.answered(o, report.BadRelease, before)
	t.saw("“%s”", words)
	t.check(t.ask("SELECT to_regclass('t1') IS NULL") == "true", "something was run")
}

// right puts a script into the release as version 2: it has to run, and a
// second run has to find nothing to do, without Flyway and with it.
func (t *testbed) right(name, text string) {
	t.one()
	t.script(name, text)
	o := t.completes("2")
	t.check(o.Applied[1].Script == name, "it was applied as %q", o.Applied[1].Script)
	t.env["SLIPWAY_FAST_PATH"] = "false"
	o = t.completes("2")
	t.check(strings.Contains(o.log, "starting Flyway") && len(o.Applied) == 0, "Flyway does not agree")
	t.seen = []string{"applied under its name; Flyway agrees that nothing is left"}
}
