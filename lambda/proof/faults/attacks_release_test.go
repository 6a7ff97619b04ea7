//go:build faults

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"slipway/lambda/database"
	"slipway/lambda/history"
	"slipway/lambda/report"
)

// What somebody puts among the scripts, or does to them, so that something else
// runs than what was read.
var attackReleaseFaults = []fault{
	{"attack-program-as-script", refusedByName, func(t *testbed) { t.refused("V2__x.sh", t.betrays(), "a program") }},
	{"attack-program-as-callback", refusedByName, func(t *testbed) {
		t.refused("beforeMigrate.sh", t.betrays(), "a program")
	}},
	{"attack-program-in-capitals", refusedByName,
		func(t *testbed) { t.refused("sub/v2__x.SH", t.betrays(), "a program") }},
	{"attack-program-named-readme", refusedByName,
		func(t *testbed) { t.refused("README.py", t.betrays(), "a program") }},
	{"attack-file-of-no-kind", refusedByName,
		func(t *testbed) { t.refused("flyway.toml", "[flyway]\n", "neither a script") }},
	{"texts-beside-scripts", "right: README, LICENSE, .md, .txt and .gitkeep are left aside", func(t *testbed) {
		for _, name := range []string{"README", "LICENSE", "notes.md", "more.txt", "sub/.gitkeep"} {
			t.script(name, "\x00")
		}
		t.right("V2__two.sql", "CREATE TABLE t2 (id int);")
	}},
	{"attack-program-after-reading", "a program that comes into the folder after the release was read is not run",
		func(t *testbed) {
			t.migrated()
			t.two()
			o := t.swapped(func() {
				t.must(os.WriteFile(filepath.Join(t.dir, "sql", "beforeMigrate.sh"), []byte(t.betrays()), 0o755))
			})
			t.answered(o, report.OK, nil)
			_, err := os.Stat(filepath.Join(t.dir, "betrayed"))
			t.check(os.IsNotExist(err), "the program was run")
			t.saw("it was not run")
		}},
	{"attack-script-swapped-after-reading", "BAD_RELEASE names a script that was swapped after it was read, even " +
		"for one with the same checksum of Flyway's; nothing is run", func(t *testbed) {
		t.migrated()
		t.script("V2__two.sql", "CREATE TABLE t2 (id int); -- later: DROP TABLE t1;")
		before := t.look()
		o := t.swapped(func() { t.script("V2__two.sql", "CREATE TABLE t2 (id int); -- later: \nDROP TABLE t1;") })
		t.check(o.Script == "V2__two.sql", "it names %q", o.Script)
		t.contains(o.Message, "was changed after this run had read it")
		t.answered(o, report.BadRelease, before)
	}},
	{"attack-line-end-in-a-comment", "a script that differs in line ends alone has another digest, though Flyway's " +
		"checksum is the same", func(t *testbed) {
		t.script("V1__one.sql", "CREATE TABLE t1 (id int); -- later: DROP TABLE t1;")
		first := t.completes("1")
		t.script("V1__one.sql", "CREATE TABLE t1 (id int); -- later: \nDROP TABLE t1;")
		second := t.completes("1")
		t.check(len(second.Applied) == 0 && first.Release != second.Release, "applied %v, digests %s and %s",
			second.Applied, first.Release, second.Release)
		t.seen = []string{"another digest; nothing is pending"}
	}},
}

// betrays is a program that leaves a mark with its environment.
func (t *testbed) betrays() string {
	return "#!/bin/sh\nenv > '" + filepath.Join(t.dir, "betrayed") + "'\n"
}

// swapped starts a run, and calls change after it has read the release and
// waits for the lock.
func (t *testbed) swapped(change func()) *outcome {
	holder := t.session()
	key := database.RunLock(history.Table{Schema: "public", Name: "flyway_schema_history"})
	t.do(holder, fmt.Sprintf("SELECT pg_advisory_lock(%d)", key))
	run := t.start("migrate")
	t.await("the run waits for its lock",
		func() bool { return strings.Contains(run.err.String(), "another run is at work") })
	change()
	t.do(holder, "SELECT pg_advisory_unlock_all()")
	return run.answer()
}
