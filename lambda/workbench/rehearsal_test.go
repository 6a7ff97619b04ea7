package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A review that judges what was rehearsed elsewhere takes it from a file, and a
// file that has none is no clean bill.
func TestRehearsalFromAFile(t *testing.T) {
	for _, c := range []struct{ name, content, script, want string }{
		{"made", `{"ok": false, "rehearsal": {"scripts": [{"script": "V1__a.sql"}]}}`, "V1__a.sql", ""},
		{"not made", `{"notMade": ["no PostgreSQL was to be had"]}`, "", "no PostgreSQL was to be had"},
		{"empty", ``, "", "rehearsal.json"},
		{"something else", `{}`, "", "not made"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "rehearsal.json")
			if err := os.WriteFile(file, []byte(c.content), 0o644); err != nil {
				t.Fatal(err)
			}
			r, err := rehearsalOf(file)
			switch {
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			case c.want == "" && (err != nil || r.Scripts[0].Script != c.script):
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
	if _, err := rehearsalOf(filepath.Join(t.TempDir(), "none.json")); err == nil {
		t.Error("no file, and no error")
	}
}
