package migrator_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/history"
	"slipway/lambda/migrator"
	"slipway/lambda/plan"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// texts are a script's text as it was applied and as it is now.
type texts struct{ was, now string }

func (t texts) change() plan.NewChecksum {
	return plan.NewChecksum{Was: script.Checksum([]byte(t.was)), Now: script.Checksum([]byte(t.now))}
}

func repairNamed(changes map[string]plan.NewChecksum) migrator.Request {
	return migrator.Request{Command: "repair", Checksums: changes}
}

const header = "-- Copyright the shop\n"

// rowsOfHistory is the whole history.
func (y *yard) rowsOfHistory() string {
	y.Helper()
	return y.text("SELECT h::text FROM flyway_schema_history h ORDER BY installed_rank")
}

// A function that has the former scripts repairs the history for the edited ones,
// which then run where nothing but the text of applied scripts has changed.
func TestNamedRepairTakesChecksumsThatTheImageLacks(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"V1__a.sql": "CREATE TABLE a (id int);", "V2__b.sql": "CREATE TABLE b (id int);",
		"R__v.sql": "CREATE OR REPLACE VIEW v AS SELECT 1;",
	}
	y := newYard(t, files)
	y.prime()
	files["V3__c.sql"] = "CREATE TABLE c (id int);"
	edited := newYard(t, nil)
	edited.url = y.url
	for name, text := range files {
		edited.write(name, header+text)
	}
	refused := edited.fails(report.ValidationFailed, migrate)
	contains(t, "next", refused.Next, "`slipway repair`, typed where the edited scripts are")

	set, err := script.Load(edited.folder)
	if err != nil {
		t.Fatal(err)
	}
	repair, err := migrator.RepairOf(set, y.ok(migrator.Request{Command: "info"}), edited.config, "")
	if err != nil {
		t.Fatal(err)
	}
	y.equal("scripts", strings.Join(slices.Sorted(maps.Keys(repair.Checksums)), " "), "V1__a.sql V2__b.sql")
	rep := y.ok(repairNamed(repair.Checksums))
	sum := repair.Checksums["V1__a.sql"]
	y.equal("actions", strings.Join(rep.Actions, "; "), strings.Join(repair.Actions, "; "))
	contains(t, "actions", rep.Actions[0], fmt.Sprintf("version 1, V1__a.sql: checksum %d → %d", sum.Was, sum.Now))
	contains(t, "warnings", strings.Join(rep.Warnings, "\n"), "the deployed one has V1__a.sql, V2__b.sql as before")
	y.equal("starts of Flyway", strings.Repeat("x", y.starts()), "")
	y.equal("applied", scripts(edited.ok(migrate).Applied), "V3__c.sql R__v.sql")
	edited.sameInfo()

	// The same request again names what is no longer there.
	before := y.rowsOfHistory()
	again := y.fails(report.ValidationFailed, repairNamed(repair.Checksums))
	contains(t, "problems", fmt.Sprint(again.Problems),
		"V1__a.sql", fmt.Sprintf("with the checksum %d, not %d", sum.Now, sum.Was), "V2__b.sql")
	y.equal("history", y.rowsOfHistory(), before)
}

// One script that is not as the request has it refuses all of them, by its name.
func TestNamedRepairRefusesByName(t *testing.T) {
	t.Parallel()
	y := newYard(t, release("1", "2", "3", "4", "5"))
	rows := append([]row{baseline("0.1"), squashed("0.5", "all", "SELECT 1;")}, applied("1", "2")...)
	rows = append(rows, sql("", "v", "SELECT 1;"), sql("4", "a", "SELECT 1;"), deleted("4", "a", "SELECT 1;"))
	rows = append(rows, row{"6", "j", "JDBC", "", false}, sql("7", "", "SELECT 1;"))
	rows = append(rows, sql("8", "twice", "SELECT 1;"), sql("8", "twice", "SELECT 1;"))
	y.exec(world{rows: rows}.insert() + "UPDATE flyway_schema_history SET checksum = NULL WHERE version = '2'")
	good := texts{"SELECT 1;", header + "SELECT 1;"}.change()
	before := y.rowsOfHistory()
	for name, want := range map[string]string{
		"V3__a.sql":     "the history has no version 3",
		"V1__b.sql":     `version 1 with the description "a"`,
		"V2__a.sql":     "version 2 without a checksum",
		"V4__a.sql":     "its state is Deleted",
		"V0.1__x.sql":   "with the type BASELINE, not SQL",
		"V0.5__all.sql": "with the type SQL_BASELINE, not SQL",
		"B0.5__all.sql": "not a script with a version of its own",
		"V6__j.sql":     "with the type JDBC, not SQL",
		"V7__x.sql":     `version 7 with the description ""`,
		"V8__twice.sql": "the history has version 8 2 times",
		"R__v.sql":      "not a script with a version of its own",
		"U1__a.sql":     "not a script with a version of its own",
		"notes.txt":     "notes.txt",
		"":              "",
	} {
		rep := y.fails(report.ValidationFailed, repairNamed(map[string]plan.NewChecksum{"V1__a.sql": good,
			name: good}))
		if len(rep.Problems) != 1 && name != "V1__a.sql" {
			t.Errorf("%s: %v", name, rep.Problems)
		}
		contains(t, name, fmt.Sprint(rep.Problems)+rep.Message, want, name, "nothing was changed")
	}
	y.equal("history", y.rowsOfHistory(), before)
	y.ok(repairNamed(map[string]plan.NewChecksum{"folder/V1__a.sql": good}))
	y.equal("checksum", y.text("SELECT checksum FROM flyway_schema_history WHERE version = '1'"), fmt.Sprint(good.Now))
}

// A failed row goes, too: the repair that Flyway makes would take the checksums of
// the deployed image again.
func TestNamedRepairRemovesFailedRows(t *testing.T) {
	t.Parallel()
	y := newYard(t, release("1", "2"))
	y.exec(world{rows: append(applied("1", "2"), failed("3", "c", "CREATE INDEX CONCURRENTLY i ON a (id);"))}.insert())
	good := texts{"SELECT 1;", header + "SELECT 1;"}.change()
	rep := y.ok(repairNamed(map[string]plan.NewChecksum{"V2__a.sql": good}))
	contains(t, "actions", strings.Join(rep.Actions, "; "),
		"failed run of V3__c.sql: removed; version 2, V2__a.sql: checksum")
	y.equal("history", y.history(), "1 SQL; 2 SQL")

	before := y.rowsOfHistory()
	rep = y.ok(repairNamed(map[string]plan.NewChecksum{}))
	y.equal("actions", strings.Join(rep.Actions, ";"), "")
	y.equal("history", y.rowsOfHistory(), before)
}

// A script that the release dropped on purpose is marked as Flyway's repair does it, by
// a function whose own scripts have it still.
func TestNamedRepairMarksAsDeleted(t *testing.T) {
	t.Parallel()
	y := newYard(t, with(release("1", "2", "3"), "R__v.sql", "SELECT 1;"))
	y.exec(world{rows: append(applied("1", "2", "3"), sql("", "v", "SELECT 1;"))}.insert())
	next := newYard(t, with(release("1", "3"), "V1__a.sql", header+"SELECT 1;"))
	next.url = y.url
	contains(t, "next", next.fails(report.ValidationFailed, migrate).Next,
		"`slipway repair`, typed where the edited scripts are")
	set, err := script.Load(next.folder)
	if err != nil {
		t.Fatal(err)
	}
	history := y.ok(migrator.Request{Command: "info"})
	next.config.CommandLine = "make {} ENVIRONMENT=prod"
	_, err = migrator.RepairOf(set, history, next.config, "")
	contains(t, "the refusal", report.AsFailure(err).NextStep,
		"`make repair ENVIRONMENT=prod ROWS=2,4` marks them as deleted")
	repair, err := migrator.RepairOf(set, history, next.config, "2, 4")
	if err != nil {
		t.Fatal(err)
	}
	rep := y.ok(migrator.Request{Command: "repair", Checksums: repair.Checksums, Deleted: repair.Deleted})
	y.equal("actions", strings.Join(rep.Actions, "; "), strings.Join(repair.Actions, "; "))
	contains(t, "actions", strings.Join(rep.Actions, "; "), "V1__a.sql: checksum",
		"V2__a.sql: marked as deleted", "R__v.sql: marked as deleted")
	contains(t, "warnings", strings.Join(rep.Warnings, "\n"), "the deployed one still has V2__a.sql, R__v.sql")
	y.equal("history", y.history(), "1 SQL; 2 SQL; 3 SQL; v SQL; 2 DELETE; v DELETE")
	next.config.CommandLine = ""
	y.equal("applied", scripts(next.ok(migrate).Applied), "")
	next.sameInfo()

	before := y.rowsOfHistory()
	for rank, name := range map[int]string{2: "V2__a.sql", 1: "V3__a.sql", 5: "V2__a.sql", 9: "V9__a.sql"} {
		rep := y.fails(report.ValidationFailed, migrator.Request{Command: "repair",
			Deleted: map[int]string{rank: name, 3: "V3__a.sql"}})
		contains(t, name, fmt.Sprint(rep.Problems), fmt.Sprintf("%s: does not stand in row %d", name, rank))
	}
	y.equal("history", y.rowsOfHistory(), before)
}

// The rows change in one transaction: where one can't be changed, none is.
func TestNamedRepairIsOneTransaction(t *testing.T) {
	t.Parallel()
	y := newYard(t, release("1", "2"))
	y.exec(world{rows: applied("1", "2")}.insert() + `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN IF NEW.version = '2' THEN RAISE 'not this one'; END IF; RETURN NEW; END $$;
		CREATE TRIGGER refuse BEFORE UPDATE ON flyway_schema_history FOR EACH ROW EXECUTE FUNCTION refuse()`)
	before := y.rowsOfHistory()
	good := texts{"SELECT 1;", header + "SELECT 1;"}.change()
	rep := y.fails(report.ValidationFailed, repairNamed(map[string]plan.NewChecksum{"V1__a.sql": good,
		"V2__a.sql": good}))
	contains(t, "message", rep.Message, "not this one", "none was changed")
	y.equal("actions", strings.Join(rep.Actions, ";"), "")
	y.equal("history", y.rowsOfHistory(), before)
}

// Both locks are waited for: another run's, and that of a Flyway without Slipway.
func TestNamedRepairWaitsForBothLocks(t *testing.T) {
	t.Parallel()
	for _, of := range []string{"a run", "a Flyway"} {
		y := newYard(t, release("1"))
		y.exec(world{rows: applied("1")}.insert())
		y.config.LockWait = 200 * time.Millisecond
		table := history.Table{Schema: "public", Name: "flyway_schema_history"}
		key := database.RunLock(table)
		if of == "a Flyway" {
			key = database.FlywayLock(table)
		}
		holder := y.connect()
		if _, err := holder.Exec(t.Context(), fmt.Sprintf("SELECT pg_advisory_lock(%d)", key)); err != nil {
			t.Fatal(err)
		}
		before := y.rowsOfHistory()
		change := map[string]plan.NewChecksum{"V1__a.sql": texts{"SELECT 1;", "x"}.change()}
		y.fails(report.Locked, repairNamed(change))
		y.equal("history", y.rowsOfHistory(), before)
	}
}

func TestNamedRepairIsOfRepairAlone(t *testing.T) {
	t.Parallel()
	y := newYard(t, release("1"))
	for _, command := range []string{"migrate", "info", "validate", "baseline", "revert"} {
		rep := y.fails(report.BadRequest, migrator.Request{Command: command,
			Checksums: map[string]plan.NewChecksum{}})
		contains(t, command, rep.Message, "checksums means nothing to "+command)
		rep = y.fails(report.BadRequest, migrator.Request{Command: command, Deleted: map[int]string{1: "x"}})
		contains(t, command, rep.Message, "deleted means nothing to "+command)
	}
}

// What a deployed environment's info says decides what is asked for, before anybody asks.
func TestRepairOf(t *testing.T) {
	files := map[string]string{"V1__a.sql": "SELECT 1;", "V2__b.sql": header + "SELECT 2;",
		"R__v.sql": header + "SELECT 1;"}
	set := setOf(t, files)
	baselined := listed("1", "x", "x", "", "Baseline")
	baselined.Type = "BASELINE"
	one := listed("1", "a", "V1__a.sql", "SELECT 1;", "Success")
	two := listed("2", "b", "V2__b.sql", "SELECT 2;", "Out of Order")
	for _, c := range []struct {
		name    string
		history []report.Script
		want    string // scripts, or what the failure says
	}{
		{"nothing is deployed", nil, ""},
		{"nothing is edited", []report.Script{one}, ""},
		{"one is edited", []report.Script{one, two, listed("", "v", "R__v.sql", "SELECT 1;", "Success")}, "V2__b.sql"},
		{"it was undone", []report.Script{one, listed("2", "b", "V2__b.sql", "SELECT 2;", "Deleted")}, ""},
		{"it stands below a baseline", []report.Script{listed("1", "a", "V1__a.sql", "SELECT 11;", "Success"),
			baselined}, ""},
		{"it was renamed as well", []report.Script{one, listed("2", "c", "V2__c.sql", "SELECT 2;", "Success")},
			"V2__b.sql: renamed after it was applied"},
		{"another one is gone", []report.Script{listed("0.5", "z", "V0.5__z.sql", "SELECT 1;", "Success"), one,
			two}, "V0.5__z.sql: was applied, and the scripts here do not have it"},
		{"the scripts here are older", []report.Script{one, two, listed("3", "c", "V3__c.sql", "SELECT 1;",
			"Future")}, "V3__c.sql: was applied, and the scripts here end before it"},
		{"the scripts here are older, and none is edited", []report.Script{one, listed("3", "c", "V3__c.sql",
			"SELECT 1;", "Future")}, ""},
	} {
		var history *report.Report
		if c.history != nil {
			history = &report.Report{Scripts: c.history}
		}
		repair, err := migrator.RepairOf(set, history, configOf(""), "")
		got := strings.Join(slices.Sorted(maps.Keys(repair.Checksums)), " ")
		if err != nil {
			got = fmt.Sprint(report.AsFailure(err).Problems)
		}
		if !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
