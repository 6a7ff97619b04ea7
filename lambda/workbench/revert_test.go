package main

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"slipway/lambda/report"
)

// The program, Flyway and PostgreSQL are real, and the user's name and password awkward.
func TestRevert(t *testing.T) {
	b, out, progress := testBench(t)
	sql := filepath.Join(t.TempDir(), "shop")
	for name, text := range map[string]string{"V1__a.sql": "CREATE TABLE a (id int);",
		"V2__b.sql": "CREATE TABLE b (id int);", "U2__b.sql": "DROP TABLE b;"} {
		write(t, filepath.Join(sql, name), text)
	}
	if code := call(t, b, "run", "--sql", sql); code != 0 {
		t.Fatalf("run: %d\n%s%s", code, out, progress)
	}
	for _, step := range []struct {
		arguments []string
		code      int
		reverted  int
		version   string
	}{
		{[]string{"--steps", "1", "--dry-run"}, 0, 1, "1"},
		{[]string{"--to", "0"}, 1, 0, "2"}, // version 1 has no undo script
		{[]string{"--to", "1", "--from", "2"}, 0, 1, "1"},
		{[]string{"--to", "1"}, 0, 0, "1"},
	} {
		out.Reset()
		code := call(t, b, "revert", append(step.arguments, "--sql", sql, "--json")...)
		var r report.Report
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatalf("%q: %v\n%s", step.arguments, err, out)
		}
		if code != step.code || len(r.Reverted) != step.reverted || r.SchemaVersionAfter != step.version {
			t.Errorf("%q: exit code %d\n%s", step.arguments, code, out)
		}
	}
}
