//go:build faults

package faults

import (
	"os"
	"path/filepath"
	"time"

	"slipway/lambda/report"
)

// Here a script stands in for java, because the real one can't be brought to
// behave so.
var answerFaults = []fault{
	{"flyway-hangs", "it is killed at the deadline, TERM ignored or not", func(t *testbed) {
		t.migrated()
		t.two()
		before := t.look()
		t.fakeJava("trap '' TERM INT\nwhile :; do sleep 1; done")
		t.limit = 8 * time.Second
		o := t.run("migrate", "--timeout", "8s")
		t.answered(o, report.Deadline, before)
		t.realJava()
		t.next("2")
	}},
	{"flyway-exit-0-with-error", "the error in the JSON counts, not the exit code", func(t *testbed) {
		t.faked(`echo '{"operation":"migrate","success":false,"error":{"errorCode":"FAILED_VERSIONED_MIGRATION","sqlState":"42601","message":"ERROR: syntax error","lineNumber":1,"path":"`+filepath.Join(t.dir, "sql/V2__two.sql")+`"}}'`,
			report.MigrationFailed, func(o *outcome) {
				t.check(o.Script == "V2__two.sql" && o.Line == 1 && o.SQLState == "42601",
					"it names %s line %d SQLSTATE %s", o.Script, o.Line, o.SQLState)
			})
	}},
	{"flyway-exit-0-and-nothing-done", "the history counts, not the success in the JSON", func(t *testbed) {
		t.faked(`echo '{"operation":"migrate","success":true,"migrations":[]}'`, report.Internal, func(o *outcome) {
			t.contains(o.Message, "Flyway reports success", "V2__two.sql")
		})
	}},
	{"flyway-exit-1-says-nothing", "INTERNAL with what it printed on stderr", func(t *testbed) {
		t.faked("echo 'Error: could not find or load main class' >&2\nexit 1", report.Internal, func(o *outcome) {
			t.contains(o.Message, "exit code 1", "could not find or load main class")
		})
	}},
	{"flyway-json-cut", "INTERNAL: an answer that ends early is no answer", func(t *testbed) {
		t.faked(`printf '{"operation":"migrate","success":true,"migrations":[{"version":"2","desc'`, report.Internal,
			func(o *outcome) {
				t.contains(o.Message, "unexpected EOF")
			})
	}},
	{"flyway-floods", "300 MB of output, without a line end, are read and dropped in bounded memory", func(t *testbed) {
		t.migrated()
		t.two()
		before := t.look()
		t.fakeJava("head -c 150000000 /dev/zero | tr '\\0' x >&2\nhead -c 150000000 /dev/zero | tr '\\0' " +
			"x\necho\necho '{\"operation\":\"migrate\",\"success\":true}'")
		run := t.start("migrate")
		peak := run.peak()
		o := run.answer()
		t.contains(o.Message, "Flyway reports success")
		t.answered(o, report.Internal, before)
		t.check(peak > 1<<20 && peak < 60<<20, "the program needed %d MB", peak>>20)
		t.saw("under 60 MB of memory")
		t.realJava()
		t.next("2")
	}},
	{"flyway-leaves-children", "what Flyway started and left behind is killed with it", func(t *testbed) {
		t.limit = 8 * time.Second
		t.migrated()
		t.two()
		before := t.look()
		t.fakeJava("sleep 600 &\nsleep 600 >/dev/null 2>&1 &\nwait")
		o := t.run("migrate", "--timeout", "8s")
		t.answered(o, report.Deadline, before)
		t.realJava()
		t.next("2")
	}},
}

// faked runs migrate with version 2 pending and that shell script for java.
func (t *testbed) faked(java string, want report.Code, check func(*outcome)) {
	t.migrated()
	t.two()
	before := t.look()
	t.fakeJava(java)
	o := t.run("migrate")
	check(o)
	t.answered(o, want, before)
	t.realJava()
	t.next("2")
}

func (t *testbed) fakeJava(script string) {
	bin := filepath.Join(t.dir, "java", "bin")
	t.must(os.MkdirAll(bin, 0o755))
	t.must(os.WriteFile(filepath.Join(bin, "java"), []byte("#!/bin/sh\nPATH="+t.path+"\n"+script+"\n"), 0o755))
	t.env["JAVA_HOME"] = filepath.Dir(bin)
}

func (t *testbed) realJava() { t.env["JAVA_HOME"] = t.javaHome }
