package main

import (
	"os"
	"path/filepath"
	"time"

	"slipway/lambda/report"
)

// Here a script stands in for java, because the real one can't be brought to
// behave so.
var answerFaults = []fault{
	{"flyway-hangs", "it is killed at the deadline, TERM ignored or not", func(l *lab) {
		l.migrated()
		l.two()
		before := l.look()
		l.fakeJava("trap '' TERM INT\nwhile :; do sleep 1; done")
		l.limit = 8 * time.Second
		o := l.run("migrate", "--timeout", "8s")
		l.answered(o, report.Deadline, before)
		l.realJava()
		l.next("2")
	}},
	{"flyway-exit-0-with-error", "the error in the JSON counts, not the exit code", func(l *lab) {
		l.faked(`echo '{"operation":"migrate","success":false,"error":{"errorCode":"FAILED_VERSIONED_MIGRATION","sqlState":"42601","message":"ERROR: syntax error","lineNumber":7,"path":"`+filepath.Join(l.dir, "sql/V2__two.sql")+`"}}'`,
			report.MigrationFailed, func(o *outcome) {
				l.check(o.Script == "V2__two.sql" && o.Line == 7 && o.SQLState == "42601", "it names %s line %d SQLSTATE %s", o.Script, o.Line, o.SQLState)
			})
	}},
	{"flyway-exit-0-and-nothing-done", "the history counts, not the success in the JSON", func(l *lab) {
		l.faked(`echo '{"operation":"migrate","success":true,"migrations":[]}'`, report.Internal, func(o *outcome) {
			l.contains(o.Message, "Flyway reports success", "V2__two.sql")
		})
	}},
	{"flyway-exit-1-says-nothing", "INTERNAL with what it printed on stderr", func(l *lab) {
		l.faked("echo 'Error: could not find or load main class' >&2\nexit 1", report.Internal, func(o *outcome) {
			l.contains(o.Message, "exit code 1", "could not find or load main class")
		})
	}},
	{"flyway-json-cut", "INTERNAL: an answer that ends early is no answer", func(l *lab) {
		l.faked(`printf '{"operation":"migrate","success":true,"migrations":[{"version":"2","desc'`, report.Internal, func(o *outcome) {
			l.contains(o.Message, "unexpected EOF")
		})
	}},
	{"flyway-floods", "300 MB of output, without a line end, are read and dropped in bounded memory", func(l *lab) {
		l.migrated()
		l.two()
		before := l.look()
		l.fakeJava("head -c 150000000 /dev/zero | tr '\\0' x >&2\nhead -c 150000000 /dev/zero | tr '\\0' x\necho\necho '{\"operation\":\"migrate\",\"success\":true}'")
		run := l.start("migrate")
		peak := run.peak()
		o := run.answer()
		l.contains(o.Message, "Flyway reports success")
		l.answered(o, report.Internal, before)
		l.check(peak > 1<<20 && peak < 60<<20, "the program needed %d MB", peak>>20)
		l.saw("under 60 MB of memory")
		l.realJava()
		l.next("2")
	}},
	{"flyway-leaves-children", "what Flyway started and left behind is killed with it", func(l *lab) {
		l.limit = 8 * time.Second
		l.migrated()
		l.two()
		before := l.look()
		l.fakeJava("sleep 600 &\nsleep 600 >/dev/null 2>&1 &\nwait")
		o := l.run("migrate", "--timeout", "8s")
		l.answered(o, report.Deadline, before)
		l.realJava()
		l.next("2")
	}},
}

// faked runs migrate with version 2 pending and that shell script for java.
func (l *lab) faked(java string, want report.Code, check func(*outcome)) {
	l.migrated()
	l.two()
	before := l.look()
	l.fakeJava(java)
	o := l.run("migrate")
	check(o)
	l.answered(o, want, before)
	l.realJava()
	l.next("2")
}

func (l *lab) fakeJava(script string) {
	bin := filepath.Join(l.dir, "java", "bin")
	l.must(os.MkdirAll(bin, 0o755))
	l.must(os.WriteFile(filepath.Join(bin, "java"), []byte("#!/bin/sh\nPATH="+l.path+"\n"+script+"\n"), 0o755))
	l.env["JAVA_HOME"] = filepath.Dir(bin)
}

func (l *lab) realJava() { l.env["JAVA_HOME"] = l.javaHome }
