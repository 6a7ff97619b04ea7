package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// examples are reports as they stand in testdata, as JSON and as text.
func examples() map[string]*Report {
	at := time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC)
	database := Database{Host: "db.example.com", Port: 5432, Name: "shop", User: "app", ServerVersion: "17.5"}
	one := Script{Version: "1", Description: "customers", Type: "SQL", Script: "V1__customers.sql", Milliseconds: 12,
		InstalledBy: "app", InstalledOn: &at}
	failed := Script{Version: "3", Description: "index", Type: "SQL", Script: "V3__index.sql", State: "Failed",
		InstalledOn: &at}
	two := Script{Version: "2.1", Description: "größe <b>", Type: "SQL", Script: "V2.1__größe_<b>.sql",
		Milliseconds: 61234, InstalledBy: "app", InstalledOn: &at}
	next := Script{Version: two.Version, Description: two.Description, Type: two.Type, Script: two.Script}
	view := Script{Description: "order totals", Type: "SQL", Script: "R__order_totals.sql"}
	base := func(command string) *Report {
		return &Report{
			Command: command, Code: OK, Database: database, FlywayVersion: "12.4.0", Release: "0123456789ab",
			Applied: []Script{}, Pending: []Script{}, RunID: "a1b2c3d4e5f6", StartedAt: at, DurationMs: 1234,
		}
	}
	migrated := base("migrate")
	migrated.SchemaVersionAfter, migrated.Applied, migrated.RestorePoint = "2.1", []Script{one, two}, &at

	nothing := base("migrate")
	nothing.SchemaVersionBefore, nothing.SchemaVersionAfter, nothing.FlywayVersion = "2.1", "2.1", ""
	nothing.Warnings = []string{"the database is ahead of this release"}

	info := base("info")
	state := func(s Script, state string) Script { s.State = state; return s }
	info.SchemaVersionBefore, info.SchemaVersionAfter = "1", "1"
	info.Scripts = []Script{state(one, "Success"), state(two, "Deleted"), failed, state(view, "Pending")}
	info.Pending = []Script{view}

	failure := base("migrate")
	failure.SchemaVersionBefore, failure.SchemaVersionAfter, failure.Applied, failure.Pending = "1", "1", []Script{one},
		[]Script{next, view}
	failure.RestorePoint, failure.Restore = &at, "aws rds restore-db-cluster-to-point-in-time …"
	failure.Fail(&Failure{
		Code: MigrationFailed, Message: "syntax error at or near \"TABEL\"\nPosition: 8\n",
		NextStep: "Correct the script and run again.",
		Script:   "V2.1__größe_<b>.sql", Line: 3, SQLState: "42601",
	})

	locked := base("migrate")
	locked.Fail(&Failure{Code: Locked, Message: "another run holds this database's migrations", NextStep: "Wait.",
		Blockers: []Blocker{
			{PID: 42, User: "app", Application: "psql", Since: at, Query: "SELECT 1"},
		}, Problems: []Problem{{Script: "V1__a.sql", Line: 2, Reason: "waits"}, {Reason: "of no script"}}})

	broken := &Report{Command: "migrate", Applied: []Script{}, Pending: []Script{}}
	broken.Fail(&Failure{Code: BadRequest, Message: "the settings are not usable",
		NextStep: "Correct the environment."})

	repaired := base("repair")
	repaired.Actions = []string{"removed the failed run of V2__x.sql"}

	reverted := base("revert")
	reverted.SchemaVersionBefore, reverted.SchemaVersionAfter, reverted.Reverted = "2.1", "1", []Script{two}
	return map[string]*Report{
		"migrated": migrated, "nothing": nothing, "info": info, "failure": failure, "locked": locked, "broken": broken,
		"repaired": repaired, "reverted": reverted,
	}
}

func TestReportsInPrint(t *testing.T) {
	for name, r := range examples() {
		var text, object bytes.Buffer
		if err := errors.Join(r.WriteText(&text, false), r.WriteJSON(&object)); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".txt", text.Bytes())
		golden(t, name+".json", object.Bytes())
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (run with -update if that is meant):\n%s\nwant\n%s", name, got, want)
	}
}

func TestJSONReadsBackAsItWas(t *testing.T) {
	for name, r := range examples() {
		var b bytes.Buffer
		if err := r.WriteJSON(&b); err != nil {
			t.Fatal(err)
		}
		var back Report
		d := json.NewDecoder(&b)
		d.DisallowUnknownFields()
		if err := d.Decode(&back); err != nil {
			t.Fatal(err)
		}
		again, _ := json.Marshal(back)
		if first, _ := json.Marshal(r); !bytes.Equal(first, again) {
			t.Errorf("%s:\n%s\n%s", name, first, again)
		}
	}
}

// Who reads a list need not care whether there is one.
func TestListsOfScriptsAreNeverNull(t *testing.T) {
	for name, r := range examples() {
		if object, _ := json.Marshal(r); strings.Contains(string(object), "null") {
			t.Errorf("%s has a null: %s", name, object)
		}
	}
}

func TestColorOnlyWhenAsked(t *testing.T) {
	for name, r := range examples() {
		var plain, colored strings.Builder
		if err := errors.Join(r.WriteText(&plain, false), r.WriteText(&colored, true)); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(plain.String(), "\x1b") {
			t.Errorf("%s: escapes without color", name)
		}
		color := "\x1b[32mOK\x1b[0m"
		if !r.OK() {
			color = "\x1b[31m" + string(r.Code) + "\x1b[0m"
		}
		if !strings.Contains(colored.String(), color) {
			t.Errorf("%s: no %q in %q", name, color, colored.String())
		}
	}
}

type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errors.New("no space left")
	}
	return len(p), nil
}

func TestPrintingReportsAFullDisk(t *testing.T) {
	r := examples()["info"]
	for _, room := range []int{0, 80, 200, 300} {
		if err := r.WriteText(&full{room}, false); err == nil {
			t.Errorf("no error with room for %d bytes", room)
		}
	}
	if r.WriteJSON(&full{10}) == nil {
		t.Error("no error from JSON")
	}
}
