package main

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
	{"name-with-newline", refusedByName, func(l *lab) { l.refused("V2__a\nb.sql", "SELECT 1;", "U+000A") }},
	{"name-with-leading-dash", refusedByName, func(l *lab) { l.refused("-url=V2__a.sql", "SELECT 1;", "not a migration's name") }},
	{"name-with-one-underscore", refusedByName, func(l *lab) { l.refused("V2_a.sql", "SELECT 1;", "two underscores") }},
	{"name-in-lower-case", refusedByName, func(l *lab) { l.refused("v2__a.sql", "SELECT 1;", "not a migration's name") }},
	{"name-ending-in-capitals", refusedByName, func(l *lab) { l.refused("V2__a.SQL", "SELECT 1;", ".sql in lower case") }},
	{"names-that-differ-in-case", refusedByName, func(l *lab) {
		l.script("R__View.sql", "SELECT 1;")
		l.refused("R__view.sql", "SELECT 2;", "R__View.sql")
	}},
	{"one-version-twice", refusedByName, func(l *lab) {
		l.script("V02__b.sql", "SELECT 1;")
		l.refused("V2__a.sql", "SELECT 1;", "version")
	}},
	{"name-with-dots", "`..` in a name is a part of it and leads nowhere; the script runs", func(l *lab) { l.right("V2__a..b....sql", "CREATE TABLE t2 (id int);") }},
	{"name-with-spaces", "the script runs under its name", func(l *lab) { l.right("V2__two words.sql", "CREATE TABLE t2 (id int);") }},
	{"name-beyond-ascii", "the script runs under its name", func(l *lab) { l.right("V2__größe_表_🚢.sql", "CREATE TABLE t2 (id int);") }},
	{"name-in-folder", "scripts in folders run, the folder is a part of the name", func(l *lab) { l.right("2024/with space/V2__a.sql", "CREATE TABLE t2 (id int);") }},
	{"link-out-of-folder", refusedByName, func(l *lab) {
		l.must(os.Symlink("/etc/passwd", filepath.Join(l.dir, "sql", "V3__link.sql")))
		l.refused("V2__two.sql", "CREATE TABLE t2 (id int);", "V3__link.sql: a link that leads out")
	}},
	{"link-to-folder", refusedByName, func(l *lab) {
		l.must(os.Symlink("/etc", filepath.Join(l.dir, "sql", "more")))
		l.refused("V2__two.sql", "CREATE TABLE t2 (id int);", "more: a link that leads out")
	}},
	{"byte-order-mark", "right: the script runs, and its checksum is Flyway's", func(l *lab) { l.right("V2__bom.sql", "\ufeffCREATE TABLE t2 (id int);\n") }},
	{"crlf", "right: the script runs, and its checksum is Flyway's", func(l *lab) { l.right("V2__crlf.sql", "CREATE TABLE t2\r\n(id int);\r\n-- end\r\n") }},
	{"empty-file", "right: a version without statements", func(l *lab) { l.right("V2__empty.sql", "") }},
	{"invalid-utf-8", refusedByName, func(l *lab) {
		l.refused("V2__latin1.sql", "CREATE TABLE t2 (id int);\n-- gr\xf6\xdfe\n", "line 2 is not UTF-8")
	}},
	{"nul-byte", refusedByName, func(l *lab) { l.refused("V2__nul.sql", "SELECT 1;\nSELECT '\x00';\n", "line 2 holds a NUL byte") }},
	{"latin-1-with-conf", "right: the encoding is named in a .conf file beside the script", func(l *lab) {
		l.script("V2__latin1.sql.conf", "encoding=ISO-8859-1\n")
		l.right("V2__latin1.sql", "CREATE TABLE t2 (name text);\nINSERT INTO t2 VALUES ('gr\xf6\xdfe');\n")
		l.check(l.ask("SELECT name FROM t2") == "größe", "the name is %s", l.ask("SELECT name FROM t2"))
	}},
	{"placeholder-in-data", "BAD_RELEASE names script, line and placeholder, before anything is run", func(l *lab) {
		l.refused("V2__data.sql", "CREATE TABLE t2 (id int);\nINSERT INTO t2 VALUES (length('${price}'));\n", "the placeholder ${price} has no value")
	}},
	{"placeholder-literal", "right: with placeholderReplacement=false the text stays as it is", func(l *lab) {
		l.script("V2__data.sql.conf", "placeholderReplacement=false\n")
		l.right("V2__data.sql", "CREATE TABLE t2 (name text);\nINSERT INTO t2 VALUES ('${price}');\n")
		l.check(l.ask("SELECT name FROM t2") == "${price}", "the text is %s", l.ask("SELECT name FROM t2"))
	}},
	{"quote-not-closed", "MIGRATION_FAILED names script and line; nothing of it is run", func(l *lab) {
		l.migrated()
		l.script("V2__open.sql", "CREATE TABLE t2 (id int);\nINSERT INTO t2 VALUES ('open);\n")
		before := l.look()
		o := l.run("migrate")
		l.check(o.Script == "V2__open.sql" && o.Line == 2, "it names %q line %d", o.Script, o.Line)
		l.answered(o, report.MigrationFailed, before)
	}},
	{"fifty-megabytes", "right: one statement of 50 MB runs", func(l *lab) {
		l.limit = time.Minute
		l.right("V2__big.sql", "CREATE TABLE t2 (name text);\nINSERT INTO t2 VALUES ('"+strings.Repeat("0123456789", 5<<20)+"');")
		l.check(l.ask("SELECT length(name) FROM t2") == fmt.Sprint(50<<20), "it is %s long", l.ask("SELECT length(name) FROM t2"))
	}},
	{"ten-thousand-scripts", "loaded, named in the manifest and listed by `slipway info` in seconds (through Flyway they would take minutes)", func(l *lab) {
		for i := 1; i <= 10000; i++ {
			l.must(os.WriteFile(filepath.Join(l.dir, "sql", fmt.Sprintf("V%d__s.sql", i)), []byte(fmt.Sprintf("CREATE TABLE t%d (id int);\n", i)), 0o644))
		}
		o := l.run("info")
		l.check(o.Code == report.OK && len(o.Pending) == 10000 && o.took < 10*time.Second, "%s, %d pending, in %s", o.Code, len(o.Pending), o.took)
		set, err := script.Load(filepath.Join(l.dir, "sql"))
		l.must(err)
		m := set.Manifest(500)
		l.check(len(m.Scripts) == 500 && strings.HasPrefix(m.Older, "9500 scripts, ") && m.Digest == o.Release, "%d scripts and %q; digest %s, the program's %s", len(m.Scripts), m.Older, m.Digest, o.Release)
		l.nothingLeft()
		l.saw("10000 pending; 500 in the manifest, one digest for the other 9500")
	}},
	{"folder-empty", "BAD_RELEASE: no migration here", func(l *lab) {
		o := l.run("migrate")
		l.contains(o.Message, "no migration here")
		l.answered(o, report.BadRelease, l.look())
	}},
	{"folder-missing", "BAD_RELEASE names the folder", func(l *lab) {
		l.env["FLYWAY_LOCATIONS"] = "filesystem:" + filepath.Join(l.dir, "sqll")
		o := l.run("migrate")
		l.contains(o.Message, "sqll")
		l.answered(o, report.BadRelease, l.look())
	}},
}

const refusedByName = "BAD_RELEASE with its name, before anything is run"

// refused puts a script into the release that makes it none.
func (l *lab) refused(name, text, words string) {
	l.one()
	l.script(name, text)
	before := l.look()
	o := l.run("migrate")
	l.contains(o.Message+fmt.Sprint(o.Problems), words)
	l.check(o.Script != "", "no script is named")
	l.answered(o, report.BadRelease, before)
	l.saw("“%s”", words)
	l.check(l.ask("SELECT to_regclass('t1') IS NULL") == "true", "something was run")
}

// right puts a script into the release as version 2: it has to run, and a
// second run has to find nothing to do, without Flyway and with it.
func (l *lab) right(name, text string) {
	l.one()
	l.script(name, text)
	o := l.completes("2")
	l.check(o.Applied[1].Script == name, "it was applied as %q", o.Applied[1].Script)
	l.env["SLIPWAY_FAST_PATH"] = "false"
	o = l.completes("2")
	l.check(strings.Contains(o.log, "starting Flyway") && len(o.Applied) == 0, "Flyway does not agree")
	l.seen = []string{"applied under its name; Flyway agrees that nothing is left"}
}
