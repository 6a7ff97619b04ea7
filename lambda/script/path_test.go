package script

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckPath(t *testing.T) {
	for _, path := range []string{
		"V1__create orders.sql", "2024/V2__größe_日本.sql", "a-b/V3__it's (really) #1, 50%!.sql", "R__+=&;{}~^$*?_.sql",
		"V4__e\u0301.sql", `V5__"q".sql`,
	} {
		if err := CheckPath(path); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
	for path, want := range map[string]string{
		"V1__a\u202eb.sql": "U+202E", "x\u200b/V1__a.sql": "U+200B", "\x1b[2J/V1__a.sql": "U+001B",
		"a\nb/V1__a.sql": "U+000A", "V1__a\u2028.sql": "U+2028",
		"V1__\U000e0041.sql": "U+E0041", "V1__a\ufe0f.sql": "U+FE0F", "V1__`a`.sql": "'`'", "<b>/V1__a.sql": "'<'",
		"[x](y)/V1__a.sql": "'['",
		"![x]/V1__a.sql":   "'['", "V1__@team.sql": "'@'", "a|b/V1__a.sql": "'|'", `V1__a\b.sql`: `'\\'`,
		"V1__a\u3164.sql": "U+3164",
	} {
		if err := CheckPath(path); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), "rename") {
			t.Errorf("%q: %v, want %s", path, err, want)
		}
	}
	if err := CheckPath("V1__\xff.sql"); err == nil {
		t.Error("bytes that are no characters are taken")
	}
}

// Folders count, not only the name of the file.
func TestLoadRefusesPathsThatMislead(t *testing.T) {
	for _, path := range []string{"V2__a\u202elqs.sql", "f\u200bolder/V2__a.sql", "`a`/V2__a.sql", "[a](b)/V2__a.sql",
		"@team/R__a.sql"} {
		folder := t.TempDir()
		for _, p := range []string{"V1__one.sql", path} {
			file := filepath.Join(folder, p)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte("SELECT 1;"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_, err := Load(folder)
		var bad *ReleaseError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), "its path holds") {
			t.Errorf("%q: %v", path, err)
		}
	}
}
