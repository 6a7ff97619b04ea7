package migrator_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/history"
	"slipway/lambda/migrator"
	"slipway/lambda/report"
)

// leftovers are the temporary files of runs.
func leftovers(t *testing.T) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "*"))
	if err != nil {
		t.Fatal(err)
	}
	return left
}

// afterLoading starts a run, and calls change when it has read the release and waits for its lock.
func (y *yard) afterLoading(req migrator.Request, change func()) *report.Report {
	y.Helper()
	holder := y.connect()
	key := database.RunLock(history.Table{Schema: "public", Name: "flyway_schema_history"})
	if _, err := holder.Exec(y.Context(), fmt.Sprintf("SELECT pg_advisory_lock(%d)", key)); err != nil {
		y.Fatal(err)
	}
	done := make(chan *report.Report)
	go func() { done <- y.run(y.Context(), req) }()
	y.await("a run that waits", "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND "+
		"application_name LIKE 'slipway-run/%'")
	time.Sleep(100 * time.Millisecond)
	change()
	if _, err := holder.Exec(y.Context(), "SELECT pg_advisory_unlock_all()"); err != nil {
		y.Fatal(err)
	}
	return <-done
}

func TestAFileThatIsSwappedAfterItWasReadIsNotRun(t *testing.T) {
	t.Parallel()
	for _, swapped := range []string{"V2__b.sql", "V2__b.sql.conf", "afterMigrate.sql", "V1__a.sql"} {
		y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);"})
		y.migrate()
		y.write("V2__b.sql", "CREATE TABLE b (id int); -- later: DROP TABLE a;")
		y.write("V2__b.sql.conf", "executeInTransaction=true\n")
		y.write("afterMigrate.sql", "SELECT 1;")
		rep := y.afterLoading(migrate, func() {
			text, err := os.ReadFile(filepath.Join(y.folder, swapped))
			if err != nil {
				t.Fatal(err)
			}
			// The same to Flyway's checksum.
			y.write(swapped, strings.Replace(string(text), "later: ", "later: \n", 1)+"\n")
		})
		if rep.Code != report.BadRelease || rep.Script != swapped || len(rep.Applied) > 0 ||
			!strings.Contains(rep.Message, "changed") {
			t.Errorf("%s: %s %s %q", swapped, rep.Code, rep.Script, rep.Message)
		}
		y.equal("a table", y.text("SELECT to_regclass('a') IS NOT NULL AND to_regclass('b') IS NULL"), "true")
	}
}

func TestAFileThatComesAfterTheReleaseWasReadIsNotRun(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);", "U1__a.sql": "DROP TABLE a;"})
	mark := filepath.Join(t.TempDir(), "ran")
	rep := y.afterLoading(migrate, func() {
		for _, name := range []string{"V2__b.sh", "beforeMigrate.sh", "afterConnect.sh", "V3__c.py"} {
			y.write(name, "#!/bin/sh\nenv > "+mark+"\n")
		}
		y.write("V4__d.sql", "CREATE TABLE d (id int);")
		y.write("afterMigrate.sql", "CREATE TABLE e (id int);")
	})
	if !rep.OK() || scripts(rep.Applied) != "V1__a.sql" {
		t.Errorf("%s %s, applied %s", rep.Code, rep.Message, scripts(rep.Applied))
	}
	y.equal("history", y.history(), "1 SQL")
	if _, err := os.Stat(mark); err == nil {
		t.Error("a program was run")
	}
}

// The names below a location stay, and with them history, checksums, .conf
// files and placeholders; nothing stays in the folder for temporary files.
func TestFlywayFindsScriptsUnderTheirNames(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	y := newYard(t, nil)
	a, b := filepath.Join(y.folder, "a, with *"), filepath.Join(y.folder, "b")
	y.config.Locations = []string{a, b}
	for name, text := range map[string]string{
		a + "/sub/V1__a.sql": "CREATE TABLE names (name text);\r\nINSERT INTO names VALUES ('${flyway:filename}');\r\n",
		b + "/sub/V2__b.sql": "INSERT INTO names VALUES ('${price}');", b +
			"/sub/V2__b.sql.conf": "placeholderReplacement=false\n",
		b + "/U2__b.sql": "DELETE FROM names;", b + "/U2__b.sql.conf": "executeInTransaction=false\n",
		a + "/README.md": "x", a + "/afterMigrate.sql": "INSERT INTO names VALUES ('a');", b +
			"/afterMigrate__b.sql": "INSERT INTO names VALUES ('b');",
	} {
		path := strings.ReplaceAll(name, "/", string(filepath.Separator))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rep := y.ok(migrate)
	y.equal("applied", scripts(rep.Applied), "sub/V1__a.sql sub/V2__b.sql")
	y.equal("history", y.text("SELECT string_agg(script, ' ' ORDER BY installed_rank) FROM flyway_schema_history"),
		"sub/V1__a.sql sub/V2__b.sql")
	y.equal("names", y.text("SELECT string_agg(name, ' ' ORDER BY name) FROM names"), "${price} V1__a.sql a b")
	for _, command := range []string{"validate", "info", "repair"} {
		y.ok(migrator.Request{Command: command})
	}
	for name, text := range map[string]string{
		"V3__c.sql": "SELECT 1;\n\nSELECT x;", "V3.1__d.sql": "SELECT 1;\nSELECT 'x;",
	} {
		if err := os.WriteFile(filepath.Join(a, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		rep = y.fails(report.MigrationFailed, migrate)
		if rep.Script != name || rep.Line != strings.Count(text, "\n")+1 ||
			strings.Contains(fmt.Sprintf("%+v", rep), "slipway-run-") {
			t.Errorf("%s line %d: %+v", rep.Script, rep.Line, rep)
		}
		if err := os.Remove(filepath.Join(a, name)); err != nil {
			t.Fatal(err)
		}
	}
	if left := leftovers(t); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// What a killed run left is removed by the next one; what another run uses, or
// is not of Slipway's, is not.
func TestFoldersOfKilledRunsAreRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{"slipway-run-1", "slipway-other", "slipway-run-without"} {
		folder := filepath.Join(os.TempDir(), name)
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if name != "slipway-run-without" {
			if err := os.WriteFile(filepath.Join(folder, ".alive"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(folder, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("slipway-other", filepath.Join(os.TempDir(), "slipway-run-link")); err != nil {
		t.Fatal(err)
	}
	y := newYard(t, map[string]string{"V1__a.sql": "SELECT 1;"})
	y.ok(migrate)
	var names []string
	for _, path := range leftovers(t) {
		names = append(names, filepath.Base(path))
	}
	y.equal("what is left", strings.Join(names, " "), "slipway-other slipway-run-link slipway-run-without")
}

func TestTheWorkingDirectoryIsNoPlaceholder(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"V1__a.sql", "R__a.sql", "afterMigrate.sql"} {
		y := newYard(t, map[string]string{"V9__z.sql": "SELECT 1;",
			name: "SELECT 1;\nSELECT '${flyway:WorkingDirectory}';"})
		if rep := y.fails(report.BadRelease, migrate); rep.Script != name || rep.Line != 2 ||
			!strings.Contains(rep.Message, "temporary folder") {
			t.Errorf("%s line %d: %s", rep.Script, rep.Line, rep.Message)
		}
		y.write(name+".conf", "placeholderReplacement=false\n")
		y.ok(migrate)
	}
}
