package migrator_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
)

// starts is how often Flyway was started so far.
func (y *yard) starts() int { return strings.Count(y.log.String(), "starting Flyway") }

func scripts(list []report.Script) string {
	var names []string
	for _, s := range list {
		names = append(names, s.Script)
	}
	return strings.Join(names, " ")
}

var migrate = migrator.Request{Command: "migrate"}

func TestMigrateAppliesWhatIsPendingAndNothingElse(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{
		"V1__customers.sql": "CREATE TABLE customers (id int);",
		"V1.1__größe.sql":   "ALTER TABLE customers ADD größe int;",
		"R__view.sql":       "CREATE OR REPLACE VIEW v AS SELECT count(*), '${who}' AS who FROM customers;",
		"U1__customers.sql": "DROP TABLE customers;",
	})
	y.config.Flyway.Placeholders = map[string]string{"who": "it's me"}
	y.write("R__view.sql", "CREATE OR REPLACE VIEW v AS SELECT count(*), $$${who}$$ AS who FROM customers;")

	rep := y.ok(migrate)
	y.equal("applied", scripts(rep.Applied), "V1__customers.sql V1.1__größe.sql R__view.sql")
	y.equal("schema version", rep.SchemaVersionBefore+" → "+rep.SchemaVersionAfter, " → 1.1")
	if len(rep.Pending) > 0 || len(rep.Warnings) > 0 || rep.FlywayVersion != "12.4.0" ||
		!strings.HasPrefix(rep.Database.ServerVersion, "17") || rep.RestorePoint == nil || len(rep.Release) != 12 ||
		rep.RunID == "" {
		t.Errorf("%+v", rep)
	}
	if s := rep.Applied[1]; s.Version != "1.1" || s.Description != "größe" || s.Type != "SQL" || s.InstalledOn == nil {
		t.Errorf("%+v", s)
	}
	y.equal("what it did", y.text("SELECT * FROM v"), "0 it's me")

	// Nothing is pending: Flyway need not be there at all.
	y.log.Reset()
	m := y.migrator()
	m.Runner.Java, m.Runner.Home = "/nowhere/java", "/nowhere"
	for _, command := range []string{"migrate", "info", "validate"} {
		rep, err := m.Run(t.Context(), migrator.Request{Command: command})
		if err != nil || rep.FlywayVersion != "" || len(rep.Applied) > 0 || rep.SchemaVersionAfter != "1.1" ||
			rep.RestorePoint != nil {
			t.Errorf("%s: %+v, %v", command, rep, err)
		}
	}
	y.equal("starts", fmt.Sprint(y.starts()), "0")

	y.config.FastPath = false
	if rep = y.ok(migrate); rep.FlywayVersion == "" || y.starts() != 1 || len(rep.Applied) > 0 {
		t.Errorf("with the fast path off: %+v", rep)
	}
	y.config.FastPath = true

	y.write("V2__more.sql", "CREATE TABLE more (id int);")
	y.write("R__view.sql", "CREATE OR REPLACE VIEW v AS SELECT count(*), 'edited'::text AS who FROM customers;")
	rep = y.ok(migrate)
	y.equal("applied", scripts(rep.Applied), "V2__more.sql R__view.sql")
	y.equal("history", y.history(), "1 SQL; 1.1 SQL; view SQL; 2 SQL; view SQL")
}

func TestThreeHundredScriptsInOneStartAndOnFromTheOneThatFailed(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for v := 1; v <= 300; v++ {
		files[fmt.Sprintf("V%d__t.sql", v)] = fmt.Sprintf("CREATE TABLE t%d (id int);", v)
	}
	files["V201__t.sql"] = "CREATE TABLE t201 (id int);\n\nINSERT INTO t201 VALUES\n  ('no number');"
	y := newYard(t, files)
	rep := y.fails(report.MigrationFailed, migrate)
	if len(rep.Applied) != 200 || rep.SchemaVersionAfter != "200" || len(rep.Pending) != 100 ||
		rep.Pending[0].Script != "V201__t.sql" {
		t.Errorf("applied %d, at %s, pending %d", len(rep.Applied), rep.SchemaVersionAfter, len(rep.Pending))
	}
	if rep.Script != "V201__t.sql" || rep.SQLState != "22P02" || rep.Line < 3 || rep.Line > 4 ||
		!strings.Contains(rep.Message, "no number") || rep.Code.Exit() != 1 || rep.RestorePoint == nil {
		t.Errorf("%+v", rep.Message)
	}
	y.equal("starts", fmt.Sprint(y.starts()), "1")
	y.equal("rolled back", y.text("SELECT to_regclass('t201') IS NULL"), "true")

	y.write("V201__t.sql", files["V200__t.sql"][:13]+"t201 (id int);")
	rep = y.ok(migrate)
	if len(rep.Applied) != 100 || rep.Applied[0].Script != "V201__t.sql" || rep.SchemaVersionBefore != "200" ||
		rep.SchemaVersionAfter != "300" {
		t.Errorf("applied %d from %+v", len(rep.Applied), rep.Applied[0])
	}
	y.equal("starts", fmt.Sprint(y.starts()), "2")
}

func TestTargetStopsBelowWhatIsAboveIt(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "SELECT 1;", "V2__b.sql": "SELECT 2;", "V3__c.sql": "SELECT 3;",
		"R__v.sql": "SELECT 4;"})
	rep := y.ok(migrator.Request{Command: "migrate", Target: "2.0"})
	if rep.SchemaVersionAfter != "2" || !strings.HasPrefix(scripts(rep.Applied), "V1__a.sql V2__b.sql") ||
		len(rep.Pending) > 0 {
		t.Errorf("at %s, applied %s, pending %s", rep.SchemaVersionAfter, scripts(rep.Applied), scripts(rep.Pending))
	}
	for _, target := range []string{"2.5", "latest", "current", "next", "x", "2?"} {
		if rep := y.fails(report.BadRequest,
			migrator.Request{Command: "migrate", Target: target}); !strings.Contains(rep.Message, target) {
			t.Errorf("%s: %s", target, rep.Message)
		}
	}
	y.equal("the rest", y.ok(migrate).SchemaVersionAfter, "3")
}

// What Flyway would let through with exit code 0.
func TestSilentSuccessesAreFailures(t *testing.T) {
	t.Parallel()
	y := newYard(t, nil)
	empty := y.folder
	for name, c := range map[string]struct {
		locations []string
		file      string
		want      string
	}{
		"an empty folder":   {[]string{empty}, "", "no migration here"},
		"a missing folder":  {[]string{filepath.Join(empty, "missing")}, "", "no such file"},
		"a malformed name":  {[]string{empty}, "V3_x.sql", "two underscores"},
		"no location":       {nil, "", "no migration here"},
		"one of two misses": {[]string{empty, empty + "/missing"}, "V1__x.sql", "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			z := *y
			z.T = t
			z.config.Locations = c.locations
			if c.file != "" {
				z.write(c.file, "SELECT 1;")
				defer os.Remove(filepath.Join(empty, c.file)) //nolint:errcheck // the next case would tell
			}
			rep := z.fails(report.BadRelease, migrate)
			text, _ := json.Marshal(rep)
			contains(t, "the report", string(text), c.want)
			if rep.Code.Exit() != 2 || rep.Next == "" {
				t.Errorf("exit %d, next %q", rep.Code.Exit(), rep.Next)
			}
		})
	}
	y.equal("starts", fmt.Sprint(y.starts()), "0")
	y.equal("nothing is there", y.text("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"),
		"0")
}

func TestSchemaThatIsNotEmptyIsAdoptedOnlyWhenConfigured(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);", "V2__b.sql": "CREATE TABLE b (id int);"})
	y.exec("CREATE TABLE a (id int)")
	rep := y.fails(report.SchemaNotEmpty, migrate)
	contains(t, "next", rep.Next, "SLIPWAY_BASELINE_VERSION", "database.baseline")
	if rep.Code.Exit() != 1 || len(rep.Applied) > 0 || rep.RestorePoint != nil {
		t.Errorf("%+v", rep)
	}
	y.config.Baseline = "1"
	rep = y.ok(migrate)
	y.equal("applied", scripts(rep.Applied), "V2__b.sql")
	contains(t, "warnings", strings.Join(rep.Warnings, "\n"), "adopted at version 1")
	y.equal("history", y.history(), "1 BASELINE; 2 SQL")
	if rep := y.ok(migrate); rep.FlywayVersion != "" || len(rep.Warnings) > 0 {
		t.Errorf("once more: %+v", rep)
	}
}

func TestBaselineCommand(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "SELECT 1;", "V2__b.sql": "SELECT 2;"})
	y.exec("CREATE TABLE a (id int)")
	contains(t, "without a version", y.fails(report.BadRequest, migrator.Request{Command: "baseline"}).Next, "--target")
	y.fails(report.BadRequest, migrator.Request{Command: "baseline", Target: "one"})
	rep := y.ok(migrator.Request{Command: "baseline", Target: "1"})
	y.equal("schema version", rep.SchemaVersionAfter, "1")
	y.fails(report.BadRequest, migrator.Request{Command: "baseline", Target: "2"})
	y.equal("applied", scripts(y.ok(migrate).Applied), "V2__b.sql")
	y.equal("history", y.history(), "1 BASELINE; 2 SQL")
}

func TestRepairTakesEditsAndFailedRowsOver(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);", "V2__b.sql": "SELECT 2;",
		"V3__c.sql": "SELECT 3;"})
	contains(t, "without a history", y.fails(report.BadRequest, migrator.Request{Command: "repair"}).Message,
		"no history")
	y.migrate()
	y.write("V1__a.sql", "CREATE TABLE a (id int); -- edited")
	y.remove("V2__b.sql")
	y.write("V2__renamed.sql", "SELECT 2;")
	y.write("V4__i.sql", "CREATE INDEX CONCURRENTLY i ON a (nothing);")
	edited := y.fails(report.ValidationFailed, migrate)
	contains(t, "problems", fmt.Sprint(edited.Problems), "V1__a.sql", "edited", "V2__renamed.sql", "renamed")
	rep := y.ok(migrator.Request{Command: "repair"})
	contains(t, "actions", strings.Join(rep.Actions, "\n"), "took the checksum", "V1__a.sql",
		`took the description "renamed"`)

	failed := y.fails(report.MigrationFailed, migrate)
	contains(t, "next", failed.Next, "slipway repair")
	y.config.CommandLine = "make {} ENVIRONMENT=$prod"
	again := y.fails(report.PreviousFailed, migrate)
	contains(t, "next, where it is called otherwise", again.Next, "`make repair ENVIRONMENT=$prod`")
	if again.Script != "V4__i.sql" || again.Code.Exit() != 1 {
		t.Errorf("%+v", again)
	}
	y.remove("V3__c.sql")
	rep = y.ok(migrator.Request{Command: "repair"})
	contains(t, "actions", strings.Join(rep.Actions, "\n"), "removed the failed run of V4__i.sql",
		"marked V3__c.sql as deleted")
	y.write("V4__i.sql", "CREATE INDEX CONCURRENTLY i ON a (id);")
	y.equal("applied", scripts(y.ok(migrate).Applied), "V4__i.sql")
	if rep := y.ok(migrator.Request{Command: "repair"}); len(rep.Actions) > 0 {
		t.Errorf("nothing to repair: %v", rep.Actions)
	}
}
