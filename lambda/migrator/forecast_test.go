package migrator_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
	"slipway/lambda/script"
	"slipway/lambda/settings"
)

// listed is a line of another release's info: a script with this text was
// applied, and stands so.
func listed(version, description, name, text, state string) report.Script {
	sum, on := script.Checksum([]byte(text)), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return report.Script{Version: version, Description: description, Type: "SQL", Script: name, State: state,
		InstalledOn: &on, Checksum: &sum}
}

func TestForecast(t *testing.T) {
	files := map[string]string{"V1__a.sql": "SELECT 1;", "V2__b.sql": "SELECT 2;", "R__v.sql": "SELECT '${tenant}';"}
	first := listed("1", "a", "V1__a.sql", "SELECT 1;", "Success")
	view := listed("", "v", "R__v.sql", "SELECT 'acme';", "Success")
	deleted := listed("2", "b", "V2__b.sql", "SELECT 2;", "Deleted")
	tombstone := listed("2", "b", "V2__b.sql", "SELECT 2;", "Success")
	tombstone.Type = "DELETE"
	squash := listed("4", "all", "B4__all.sql", "x", "Deleted")
	squash.Type = "SQL_BASELINE"
	unapplied := report.Script{Version: "2", Description: "b", Type: "SQL", Script: "V2__b.sql", State: "Pending"}
	for _, c := range []struct {
		name     string
		history  []report.Script // nil: nothing is deployed
		baseline string
		code     report.Code
		pending  string
		says     string
	}{
		{"nothing is deployed", nil, "", report.OK, "V1__a.sql V2__b.sql R__v.sql", ""},
		{"an empty history", []report.Script{}, "", report.OK, "V1__a.sql V2__b.sql R__v.sql", ""},
		{"to be adopted", nil, "1", report.OK, "V1__a.sql V2__b.sql R__v.sql", "adopted at version 1"},
		{"one applied", []report.Script{first, unapplied}, "", report.OK, "V2__b.sql R__v.sql", ""},
		{"a view as it was", []report.Script{first, view}, "", report.OK, "V2__b.sql", ""},
		{"a view edited", []report.Script{first, listed("", "v", "R__v.sql", "SELECT 'other';", "Success")}, "",
			report.OK, "V2__b.sql R__v.sql", ""},
		{"reverted", []report.Script{first, deleted}, "", report.OK, "V2__b.sql R__v.sql", ""},
		{"reverted, with the tombstone listed", []report.Script{first, deleted, tombstone, view}, "", report.OK,
			"V2__b.sql", ""},
		{"reverted and applied again", []report.Script{first, deleted, listed("2", "b", "V2__b.sql", "SELECT 2;",
			"Success"), view}, "", report.OK, "", ""},
		{"a B script marked as deleted", []report.Script{squash, listed("5", "e", "V5__e.sql", "x", "Deleted")}, "",
			report.OK, "R__v.sql", ""},
		{"edited", []report.Script{listed("1", "a", "V1__a.sql", "SELECT 11;", "Success")}, "", report.ValidationFailed,
			"", "edited after it was applied"},
		{"missing", []report.Script{first, listed("1.5", "gone", "V1.5__gone.sql", "x", "Success")}, "",
			report.ValidationFailed, "", "the release does not have it"},
		{"failed before", []report.Script{first, listed("2", "b", "V2__b.sql", "SELECT 2;", "Failed")}, "",
			report.PreviousFailed, "", "V2__b.sql failed"},
		{"ahead", []report.Script{first, listed("2", "b", "V2__b.sql", "SELECT 2;", "Success"), view,
			listed("3", "c", "V3__c.sql", "x", "Future")}, "", report.OK, "", "ahead of this release"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := setOf(t, files)
			if strings.Contains(c.name, "B script") {
				set = setOf(t, with(maps.Clone(files), "B6__all.sql", "SELECT 6;"))
			}
			var history *report.Report
			if c.history != nil {
				history = &report.Report{Command: "info", Code: report.OK, Scripts: c.history}
			}
			r, err := migrator.Forecast(set, history, migrator.Config{Baseline: c.baseline, Flyway: settings.Flyway{
				Replace: true, Prefix: "${", Suffix: "}", Placeholders: map[string]string{"tenant": "acme"}}})
			if err != nil {
				t.Fatal(err)
			}
			var pending []string
			for _, s := range r.Pending {
				pending = append(pending, s.Script)
			}
			if got := strings.Join(pending, " "); r.Code != c.code || (c.code == report.OK && got != c.pending) {
				t.Errorf("%s, pending %q; want %s, %q", r.Code, got, c.code, c.pending)
			}
			said := r.Summary(2000) + strings.Join(r.Warnings, "\n")
			for _, p := range r.Problems {
				said += "\n" + p.Reason
			}
			if !strings.Contains(said, c.says) {
				t.Errorf("no %q in %s", c.says, said)
			}
		})
	}
}

// setOf reads the release of these files.
func setOf(t *testing.T, files map[string]string) *script.Set {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	set, err := script.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	return set
}
