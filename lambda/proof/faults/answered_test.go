//go:build faults

package faults

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"slipway/lambda/report"
)

func lockThread() { runtime.LockOSThread() }

// answered checks what every answer has in common: a typed code, its exit code
// and a next step, within the limit; no process, session, lock or temporary
// file left; the database as the report says. before is the database's look
// before the run; nil skips that comparison.
func (t *testbed) answered(o *outcome, want report.Code, before *look) {
	t.check(o.Code == want, "the code is %s, not %s: %s; next: %s", o.Code, want, o.Message, o.Next)
	t.check(o.exit == want.Exit(), "the exit code is %d, not %d", o.exit, want.Exit())
	t.check(o.took <= t.limit, "it took %s, over the limit of %s", o.took, t.limit)
	if want != report.OK {
		t.check(len(o.Next) > 15 && o.Message != "", "the answer has no next step or no message: %q, %q", o.Message,
			o.Next)
	}
	for _, text := range []string{o.Message, o.Next, o.log, fmt.Sprint(o.Problems), fmt.Sprint(o.Warnings)} {
		t.check(!strings.Contains(text, t.password), "the password is in %q", text)
	}
	t.nothingLeft()
	if before != nil {
		t.asReported(o, before)
	}
	if want == report.OK {
		t.saw("OK at version %s", version(o.SchemaVersionAfter))
	} else {
		t.saw("%s, exit %d, at version %s", want, o.exit, version(o.SchemaVersionAfter))
	}
}

func version(v string) string {
	if v == "" {
		return "none"
	}
	return v
}

// nothingLeft: no process of the fault, no session of Slipway's in the
// database, no advisory lock but the fault's own, no temporary file. The
// server may need a moment to notice that a client is gone.
func (t *testbed) nothingLeft(except ...int) {
	t.await("no process is left", func() bool {
		left := t.processes()
		for _, pid := range except {
			delete(left, pid)
		}
		return len(left) == 0
	})
	t.await("no session is left in the database", func() bool {
		return t.ask(`SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND usename = $2`, t.database,
			t.role) == "0"
	})
	var own []uint32
	for pid := range t.mine {
		own = append(own, pid)
	}
	t.check(t.ask(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = $1) AND NOT pid = ANY($2)`, t.database, own) == "0", "an advisory lock is left")
	if len(except) == 0 {
		left, _ := filepath.Glob(filepath.Join(t.dir, "tmp", "*"))
		t.check(len(left) == 0, "temporary files are left: %v", left)
	}
}

// look is the database as it is: its objects, and its history.
type look struct {
	objects string
	applied []string // scripts by rank
	failed  []string
	version string // the last one applied; versions of faults are single numbers
}

func (t *testbed) look() *look {
	s := &look{objects: t.ask(`SELECT coalesce(string_agg(o, E'\n' ORDER BY o), '') FROM (
		SELECT format('%s %s.%s %s', c.relkind, n.nspname, c.relname, (SELECT i.indisvalid FROM pg_index i WHERE i.indexrelid = c.oid)) AS o
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('information_schema', 'lab') AND c.relname NOT LIKE 'flyway\_schema\_history%'
		UNION ALL SELECT format('column %s.%s', c.oid::regclass, a.attname) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'flyway\_schema\_history%' AND a.attnum > 0 AND NOT a.attisdropped
		UNION ALL SELECT format('function %s', p.oid::regprocedure) FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace) _`)}
	if t.ask("SELECT to_regclass('public.flyway_schema_history') IS NOT NULL") != "true" {
		return s
	}
	rows, err := t.admin.Query(t.ctx, "SELECT script, coalesce(version, ''), success FROM flyway_schema_history "+
		"WHERE type = 'SQL' OR type = 'SQL_BASELINE' ORDER BY installed_rank")
	t.must(err)
	defer rows.Close()
	for rows.Next() {
		var script, version string
		var success bool
		t.must(rows.Scan(&script, &version, &success))
		if !success {
			s.failed = append(s.failed, script)
			continue
		}
		s.applied = append(s.applied, script)
		if version != "" {
			s.version = version
		}
	}
	t.must(rows.Err())
	return s
}

var makesTable = regexp.MustCompile(`(?i)CREATE TABLE (?:IF NOT EXISTS )?(t\d+)\b`)

// asReported compares the database with the report and with the scripts: it is
// as before, or at the version that the report names, and each script either
// is in the history with its table, or is in neither.
func (t *testbed) asReported(o *outcome, before *look) {
	after := t.look()
	t.check(o.SchemaVersionAfter == after.version, "the report names version %q, the history %q", o.SchemaVersionAfter,
		after.version)
	var applied []string
	for _, s := range o.Applied {
		applied = append(applied, s.Script)
	}
	t.check(slices.Equal(append(slices.Clone(before.applied), applied...), after.applied),
		"the report has %v as applied, the history %v after %v", applied, after.applied, before.applied)
	if len(applied) == 0 && len(after.failed) == 0 {
		t.check(before.objects == after.objects, "nothing is reported as applied, but the database has changed "+
			"from\n%s\nto\n%s", before.objects, after.objects)
	}
	for _, name := range slices.Sorted(maps.Keys(t.scripts)) {
		m := makesTable.FindStringSubmatch(t.scripts[name])
		if m == nil || slices.Contains(after.failed, name) || strings.HasPrefix(name, "U") {
			continue
		}
		there := strings.Contains(after.objects+"\n", "r public."+m[1]+" \n")
		t.check(there == slices.Contains(after.applied, name), "%s is half applied: table %t, history %v", name, there,
			after.applied)
	}
}

// completes runs migrate, with nothing done by hand since the last run, and
// wants the release applied up to that version.
func (t *testbed) completes(version string) *outcome {
	before := t.look()
	o := t.run("migrate")
	t.answered(o, report.OK, before)
	t.check(o.SchemaVersionAfter == version && len(o.Pending) == 0, "the run ended at version %s with %d pending",
		o.SchemaVersionAfter, len(o.Pending))
	return o
}

// next is completes, said of the run after a fault.
func (t *testbed) next(version string) *outcome {
	seen := t.seen
	o := t.completes(version)
	t.seen = append(seen, "the next run completes at "+version)
	return o
}

// kill kills the program and all it started at once, as the end of a sandbox does.
func (p *process) kill() {
	jvm := p.child()
	_ = syscall.Kill(p.cmd.Process.Pid, syscall.SIGKILL)
	if jvm != 0 {
		_ = syscall.Kill(-jvm, syscall.SIGKILL)
	}
	<-p.ended
	// What it left in its temporary folder goes with its sandbox.
	left, _ := filepath.Glob(filepath.Join(p.t.dir, "tmp", "*"))
	for _, name := range left {
		_ = os.RemoveAll(name)
	}
}
