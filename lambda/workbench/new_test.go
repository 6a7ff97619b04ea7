package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/lambda/script"
)

func TestNextVersion(t *testing.T) {
	now := time.Date(2026, 11, 25, 16, 20, 30, 0, time.UTC)
	for newest, want := range map[string]string{
		"": "1", "1": "2", "9": "10", "007": "008", "099": "100", "99999999999999999999": "100000000000000000000",
		"1.2": "1.3", "1.2.9": "1.2.10", "1_2": "1_3", "2.01": "2.02",
		"20240131120000": "20261125162030", "202401311200": "202611251620", "20240131": "20261125",
		"20240131.3": "20261125.1",
		"20261125":   "20261125.1", "20261125.4": "20261125.5", "20261125_4": "20261125_5",
		"20270101000000": "20270101000001", // a clock that is ahead
		"1700000000":     "1795623630", "12345678": "12345679", "2024": "2025",
	} {
		got := nextVersion(newest, now)
		if got != want {
			t.Errorf("after %q: got %s, want %s", newest, got, want)
		}
		if newest != "" && script.MustVersion(got).Compare(script.MustVersion(newest)) <= 0 {
			t.Errorf("%s is not above %s", got, newest)
		}
	}
}

func TestDescriptionOf(t *testing.T) {
	for name, want := range map[string]string{"add orders": "add_orders", "  Add  the-orders_ ": "Add_the_orders",
		"größe 2": "größe_2", "v2 of orders": "v2_of_orders"} {
		if got, err := descriptionOf(name); got != want || err != nil {
			t.Errorf("%q: got %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "  ", "__", "a/b", "../x", "a.sql", "it's", `a"b`, "a;b", "a$b", "tab\tbed",
		"nul\x00", "\xff", "a%", "V5__orders", "U5__orders", "V12", strings.Repeat("long ", 60)} {
		if got, err := descriptionOf(name); err == nil {
			t.Errorf("%q passes as %q", name, got)
		}
	}
}

func makeNew(t *testing.T, arguments ...string) (string, error) {
	t.Helper()
	out := &bytes.Buffer{}
	_, err := runNew(t.Context(), &bench{out: out}, flag.NewFlagSet("new", flag.ContinueOnError), arguments)
	return out.String(), err
}

func TestNew(t *testing.T) {
	sql := t.TempDir()
	path := func(name string) string { return filepath.Join(sql, name) }
	for i, name := range []string{"add orders", "index"} {
		out, err := makeNew(t, "--sql", sql, name)
		if err != nil {
			t.Fatal(err)
		}
		version := []string{"1", "2"}[i]
		file := version + "__" + strings.ReplaceAll(name, " ", "_") + ".sql"
		if want := path("V"+file) + "\n" + path("U"+file) + "\n"; out != want {
			t.Errorf("printed %q, want %q", out, want)
		}
	}
	set, err := script.Load(sql)
	if err != nil || len(set.Versioned) != 2 || len(set.Undo) != 2 {
		t.Fatalf("the scripts make no release: %v, %+v", err, set)
	}
	// The newest one lies deeper: the next belongs beside it. An undo script counts, too.
	if err := os.MkdirAll(path("2026"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, path("2026/U7__only.sql"), "")
	write(t, path(".hidden/V99__no.sql"), "")
	write(t, path("broken name.sql"), "")
	write(t, path("R__view.sql"), "")
	write(t, path("B6__all.sql"), "")
	if out, err := makeNew(t, "--sql", sql, "more"); err != nil || !strings.HasPrefix(out, path("2026/V8__more.sql")) {
		t.Errorf("got %q, %v", out, err)
	}
	write(t, path("B20__all.sql"), "")
	if out, err := makeNew(t, "--sql", sql, "more"); err != nil || !strings.HasPrefix(out, path("V21__more.sql")) {
		t.Errorf("got %q, %v", out, err)
	}
}

// Neither file is ever overwritten, and none is left alone.
func TestNewOverwritesNothing(t *testing.T) {
	sql := t.TempDir()
	blocked := filepath.Join(sql, "U1__a.sql")
	if err := os.Mkdir(blocked, 0o755); err != nil { // a folder, so that it is no script
		t.Fatal(err)
	}
	if out, err := makeNew(t, "--sql", sql, "a"); err == nil {
		t.Errorf("made %s", out)
	}
	if entries, _ := os.ReadDir(sql); len(entries) != 1 {
		t.Errorf("left: %v", entries)
	}
	if err := create(filepath.Join(sql, "x"), "one"); err != nil {
		t.Fatal(err)
	}
	if err := create(filepath.Join(sql, "x"), "two"); err == nil {
		t.Error("overwritten")
	}
	if _, err := makeNew(t, "--sql", filepath.Join(sql, "nowhere"), "a"); err == nil {
		t.Error("a folder that is not there")
	}
	if _, err := makeNew(t, "--sql", sql); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("without a name: %v", err)
	}
}
