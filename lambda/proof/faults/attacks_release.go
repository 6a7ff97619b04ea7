package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"slipway/lambda/database"
	"slipway/lambda/report"
)

// What somebody puts among the scripts, or does to them, so that something else
// runs than what was read.
var attackReleaseFaults = []fault{
	{"attack-program-as-script", refusedByName, func(l *lab) { l.refused("V2__x.sh", l.betrays(), "a program") }},
	{"attack-program-as-callback", refusedByName, func(l *lab) { l.refused("beforeMigrate.sh", l.betrays(), "a program") }},
	{"attack-program-in-capitals", refusedByName, func(l *lab) { l.refused("sub/v2__x.SH", l.betrays(), "a program") }},
	{"attack-program-named-readme", refusedByName, func(l *lab) { l.refused("README.py", l.betrays(), "a program") }},
	{"attack-file-of-no-kind", refusedByName, func(l *lab) { l.refused("flyway.toml", "[flyway]\n", "neither a script") }},
	{"texts-beside-scripts", "right: README, LICENSE, .md, .txt and .gitkeep are left aside", func(l *lab) {
		for _, name := range []string{"README", "LICENSE", "notes.md", "more.txt", "sub/.gitkeep"} {
			l.script(name, "\x00")
		}
		l.right("V2__two.sql", "CREATE TABLE t2 (id int);")
	}},
	{"attack-program-after-reading", "a program that comes into the folder after the release was read is not run", func(l *lab) {
		l.migrated()
		l.two()
		o := l.swapped(func() {
			l.must(os.WriteFile(filepath.Join(l.dir, "sql", "beforeMigrate.sh"), []byte(l.betrays()), 0o755))
		})
		l.answered(o, report.OK, nil)
		_, err := os.Stat(filepath.Join(l.dir, "betrayed"))
		l.check(os.IsNotExist(err), "the program was run")
		l.saw("it was not run")
	}},
	{"attack-script-swapped-after-reading", "BAD_RELEASE names a script that was swapped after it was read, even for one with the same checksum of Flyway's; nothing is run", func(l *lab) {
		l.migrated()
		l.script("V2__two.sql", "CREATE TABLE t2 (id int); -- later: DROP TABLE t1;")
		before := l.look()
		o := l.swapped(func() { l.script("V2__two.sql", "CREATE TABLE t2 (id int); -- later: \nDROP TABLE t1;") })
		l.check(o.Script == "V2__two.sql", "it names %q", o.Script)
		l.contains(o.Message, "was changed after this run had read it")
		l.answered(o, report.BadRelease, before)
	}},
	{"attack-line-end-in-a-comment", "a script that differs in line ends alone has another digest, though Flyway's checksum is the same", func(l *lab) {
		l.script("V1__one.sql", "CREATE TABLE t1 (id int); -- later: DROP TABLE t1;")
		first := l.completes("1")
		l.script("V1__one.sql", "CREATE TABLE t1 (id int); -- later: \nDROP TABLE t1;")
		second := l.completes("1")
		l.check(len(second.Applied) == 0 && first.Release != second.Release, "applied %v, digests %s and %s", second.Applied, first.Release, second.Release)
		l.seen = []string{"another digest; nothing is pending"}
	}},
}

// betrays is a program that leaves a mark with its environment.
func (l *lab) betrays() string {
	return "#!/bin/sh\nenv > '" + filepath.Join(l.dir, "betrayed") + "'\n"
}

// swapped starts a run, and calls change after it has read the release and
// waits for the lock.
func (l *lab) swapped(change func()) *outcome {
	holder := l.session()
	key := database.RunLock(database.Table{Schema: "public", Name: "flyway_schema_history"})
	l.do(holder, fmt.Sprintf("SELECT pg_advisory_lock(%d)", key))
	run := l.start("migrate")
	l.await("the run waits for its lock", func() bool { return strings.Contains(run.err.String(), "another run is at work") })
	change()
	l.do(holder, "SELECT pg_advisory_unlock_all()")
	return run.answer()
}
