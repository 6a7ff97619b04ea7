package script

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// folder writes files (name below it → text) and returns where they are. A
// text that begins with "→" makes a symbolic link.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(text, "→"); ok {
			err = os.Symlink(target, path)
		} else {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func names(files []File) string {
	var all []string
	for _, f := range files {
		all = append(all, f.Script)
	}
	return strings.Join(all, " ")
}

// refused loads and returns the problems, which there have to be.
func refused(t *testing.T, locations ...string) string {
	t.Helper()
	set, err := Load(locations...)
	var bad *ReleaseError
	if !errors.As(err, &bad) || set != nil {
		t.Fatalf("got %v and %v, want a ReleaseError", set, err)
	}
	return bad.Error()
}

func TestLoadSortsFilesByKind(t *testing.T) {
	root := folder(t, map[string]string{
		"V10__ten.sql": "SELECT 10;", "V9__nine.sql": "SELECT 9;", "sub/deep/V1.5__x.sql": "SELECT 1;",
		"V2__two.sql": "SELECT 2;",
		"R__b.sql":    "SELECT 'b';", "sub/R__a.sql": "SELECT 'a';", "U10__ten.sql": "SELECT -10;",
		"U2__two.sql":       "SELECT -2;",
		"beforeMigrate.sql": "SELECT 0;", "V10__ten.sql.conf": "executeInTransaction=false", "README.md": "not SQL",
		"V3__x.txt": "not SQL either",
	})
	set, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		files []File
		want  string
	}{
		{set.Versioned, "sub/deep/V1.5__x.sql V2__two.sql V9__nine.sql V10__ten.sql"},
		{set.Repeatable, "sub/R__a.sql R__b.sql"},
		{set.Undo, "U2__two.sql U10__ten.sql"},
		{set.Callbacks, "beforeMigrate.sql"},
		{set.Configs, "V10__ten.sql.conf"},
	} {
		if got := names(c.files); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	if ten := set.Versioned[3]; !ten.NoTransaction || ten.Checksum != Checksum([]byte("SELECT 10;")) {
		t.Errorf("V10: %+v", ten)
	}
}

func TestLoadRefusesWhatMakesNoRelease(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"empty folder":      {map[string]string{}, []string{"no migration here"}},
		"undo scripts only": {map[string]string{"U1__x.sql": "SELECT 1;"}, []string{"no migration here"}},
		"callbacks only":    {map[string]string{"afterMigrate.sql": "SELECT 1;"}, []string{"no migration here"}},
		"callback twice": {map[string]string{"V1__a.sql": "", "beforeMigrate__b.sql": "",
			"sub/beforeMigrate__b.sql": ""}, []string{"sub/beforeMigrate__b.sql: a callback of the same name as " +
			"beforeMigrate__b.sql"}},
		"other files only":   {map[string]string{"x.txt": ""}, []string{"no migration here"}},
		"hidden folder only": {map[string]string{".hidden/V1__x.sql": ""}, []string{"no migration here"}},
		"malformed name": {map[string]string{"V1__a.sql": "", "V3_x.sql": ""},
			[]string{"V3_x.sql: two underscores"}},
		"one version twice": {map[string]string{"V1__a.sql": "", "V1.0__b.sql": "", "sub/V01__c.sql": ""},
			[]string{"V1__a.sql: has version 1, and so has V1.0__b.sql",
				"sub/V01__c.sql: has version 01, and so has V1__a.sql"}},
		"undo version twice": {map[string]string{"V1__a.sql": "", "U1__a.sql": "", "U01__b.sql": ""},
			[]string{"U1__a.sql: has version 1, and so has U01__b.sql"}},
		"repeatable twice": {map[string]string{"R__a.sql": "", "sub/R__a.sql": ""},
			[]string{`sub/R__a.sql: has the description "a", and so has R__a.sql`}},
		"repeatable by case": {map[string]string{"R__a.sql": "", "R__A.sql": ""}, []string{"and so has R__A.sql"}},
		"long repeatable": {map[string]string{"V1__" + strings.Repeat("x", 240) + ".sql": "", "R__" +
			strings.Repeat("x", 201) + ".sql": ""},
			[]string{"R__" + strings.Repeat("x", 201) + ".sql: its description is longer than 200"}},
		"invalid UTF-8": {map[string]string{"V1__a.sql": "ok\n\xe4"},
			[]string{"V1__a.sql: line 2 is not UTF-8"}},
		"NUL": {map[string]string{"R__a.sql": "\x00"}, []string{"R__a.sql: line 1 holds a NUL"}},
		"undo not in UTF-8": {map[string]string{"V1__a.sql": "", "U1__a.sql": "\xff"},
			[]string{"U1__a.sql: line 1 is not UTF-8"}},
		"name with a newline": {map[string]string{"V1__a\nb.sql": ""},
			[]string{`"V1__a\nb.sql": its path holds the character U+000A`}},
		"dangling link": {map[string]string{"V1__a.sql": "", "V2__b.sql": "→nowhere.sql"},
			[]string{"V2__b.sql: a link to nowhere"}},
		"link in a circle": {map[string]string{"V1__a.sql": "", "V2__b.sql": "→V2__b.sql"},
			[]string{"V2__b.sql: a link to nowhere"}},
		"link out of it": {map[string]string{"V1__a.sql": "", "V2__b.sql": "→/etc/hostname"},
			[]string{"V2__b.sql: a link that leads out"}},
		"link to a folder": {map[string]string{"V1__a.sql": "", "sub/V2__b.sql": "", "again": "→sub"},
			[]string{"again: a link to a folder"}},
		"config of nobody": {map[string]string{"V1__a.sql": "", "x.sql.conf": ""},
			[]string{"x.sql.conf: not a migration's name"}},
		"decided by Flyway": {map[string]string{"V1__a.sql": "", "V1__a.sql.conf": "shouldExecute=true"},
			[]string{"V1__a.sql.conf: line 1: shouldExecute is not used here"}},
		"unknown key": {map[string]string{"V1__a.sql": "",
			"V1__a.sql.conf": "# ok\n\nexecuteintransaction=true"},
			[]string{`line 3: unknown key "executeintransaction"`}},
		"neither true nor not": {map[string]string{"V1__a.sql": "", "V1__a.sql.conf": "executeInTransaction=maybe"},
			[]string{`executeInTransaction is "maybe"`}},
		"config without script": {map[string]string{"V1__a.sql": "", "V1__A.sql.conf": ""},
			[]string{"V1__A.sql.conf: there is no V1__A.sql beside it, with exactly that spelling"}},
		"config elsewhere": {map[string]string{"a/V1__a.sql": "", "b/V1__a.sql.conf": ""},
			[]string{"b/V1__a.sql.conf: there is no V1__a.sql beside it"}},
		"true in other words": {map[string]string{"V1__a.sql": "", "V1__a.sql.conf": "executeInTransaction=1"},
			[]string{`executeInTransaction is "1"`}},
		"placeholder in it": {map[string]string{"V1__a.sql": "", "V1__a.sql.conf": "\n# for ${who}"},
			[]string{"V1__a.sql.conf: line 2: placeholders are not used here"}},
		"encoding of Java's": {map[string]string{"V1__a.sql": "", "V1__a.sql.conf": "encoding=Shift_JIS"},
			[]string{`the encoding "Shift_JIS" is not supported`, "convert the script to UTF-8"}},
		"unknown encoding": {map[string]string{"V1__a.sql": "", "V1__a.sql.conf": "encoding=klingon"},
			[]string{`unknown encoding "klingon"`}},
	} {
		t.Run(name, func(t *testing.T) {
			got := refused(t, folder(t, c.files))
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q lacks %q", got, want)
				}
			}
		})
	}
}

func TestLoadNamesEveryProblem(t *testing.T) {
	got := refused(t, folder(t, map[string]string{"V1_a.sql": "", "V2__b.sql": "\xff", "x.sql": "", "R__.sql": ""}))
	if strings.Count(got, "\n") != 3 {
		t.Errorf("not four problems:\n%s", got)
	}
}

func TestLoadRefusesFoldersThatAreNone(t *testing.T) {
	root := folder(t, map[string]string{"V1__a.sql": ""})
	for location, want := range map[string]string{
		filepath.Join(root, "missing"):   "can't be read: no such file",
		filepath.Join(root, "V1__a.sql"): "not a folder",
	} {
		if got := refused(t, root, location); !strings.Contains(got, want) || !strings.Contains(got, location) {
			t.Errorf("%s: %q lacks %q", location, got, want)
		}
	}
}

func TestLoadFindsOneVersionInTwoLocations(t *testing.T) {
	a, b := folder(t, map[string]string{"V1__a.sql": ""}), folder(t, map[string]string{"V01__b.sql": ""})
	if got := refused(t, a, b); !strings.Contains(got, "V1__a.sql: has version 1, and so has V01__b.sql") {
		t.Error(got)
	}
}

func TestLoadTakesTheSameLocationsFilesOnce(t *testing.T) {
	root := folder(t, map[string]string{"V1__a.sql": "SELECT 1;"})
	if got := refused(t, root, root); !strings.Contains(got, "has version 1") {
		t.Error(got)
	}
}

func TestLoadFollowsLinksInside(t *testing.T) {
	// The way in which Kubernetes mounts a ConfigMap.
	root := folder(t, map[string]string{"..2024/V1__a.sql": "SELECT 1;", "..data": "→..2024",
		"V1__a.sql": "→..data/V1__a.sql"})
	linked := filepath.Join(t.TempDir(), "location")
	if err := os.Symlink(root, linked); err != nil {
		t.Fatal(err)
	}
	for _, location := range []string{root, linked} {
		set, err := Load(location)
		if err != nil {
			t.Fatal(err)
		}
		if names(set.Versioned) != "V1__a.sql" || set.Versioned[0].Checksum != Checksum([]byte("SELECT 1;")) {
			t.Errorf("%s: %+v", location, set.Versioned)
		}
	}
}

func TestLoadTakesNamesThatDifferInCase(t *testing.T) {
	root := folder(t, map[string]string{"V1__a.sql": "", "V2__A.sql": "", "Sub/V3__x.sql": "", "sub/V4__x.sql": ""})
	set, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Versioned) != 4 {
		t.Errorf("got %s", names(set.Versioned))
	}
}

func TestLoadDecodesOtherEncodings(t *testing.T) {
	const text = "SELECT 'äß€';\n"
	encode := func(s string, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	latin := encode(charmap.Windows1252.NewEncoder().String(text))
	little := encode(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().String(text))
	big := encode(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(text))
	root := folder(t, map[string]string{
		"V1__utf8.sql": text, "V1__utf8.sql.conf": "encoding = utf-8", "V2__bom.sql": bom + text,
		"V2__bom.sql.conf": "encoding=UTF-8",
		"V3__win.sql":      latin, "V4__le.sql": little, "V4__le.sql.conf": "encoding=UTF-16LE", "V5__be.sql": big,
		"V5__be.sql.conf": "encoding=UTF-16",
	})
	set, err := LoadEncoded("windows-1252", root)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range set.Versioned {
		if f.Checksum != Checksum([]byte(text)) {
			got, _ := f.Text()
			t.Errorf("%s: checksum %d of %q", f.Script, f.Checksum, got)
		}
	}
	if _, err := LoadEncoded("no-such-encoding", root); err == nil {
		t.Error("an unknown encoding was taken")
	}
}

// Flyway reads a .conf file in the encoding that the scripts have by default.
func TestLoadReadsConfigurationsInTheScriptsEncoding(t *testing.T) {
	encode := func(s string) string {
		text, err := Encode("UTF-16LE", s)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	set, err := LoadEncoded("UTF-16LE", folder(t, map[string]string{
		"V1__a.sql": encode("SELECT 1;"), "V1__a.sql.conf": encode("executeInTransaction=false\n"),
		"V2__b.sql": "SELECT 2;", "V2__b.sql.conf": encode("encoding=UTF-8"),
	}))
	if err != nil || !set.Versioned[0].NoTransaction || set.Versioned[1].Checksum != Checksum([]byte("SELECT 2;")) {
		t.Errorf("%+v, %v", set, err)
	}
	if _, err := Encode("no-such-encoding", "x"); err == nil {
		t.Error("an unknown encoding was taken")
	}
	if _, err := Encode("US-ASCII", "ü"); err == nil {
		t.Error("a character that the encoding lacks was taken")
	}
}

func TestLoadRefusesBytesThatTheEncodingDoesNotHave(t *testing.T) {
	for encoding, text := range map[string]string{
		"windows-1252": "a\x81",         // not assigned
		"Shift_JIS":    "a\x81",         // cut off
		"US-ASCII":     "\xe4",          // not ASCII
		"UTF-16LE":     "a\x00\x00\xd8", // half a surrogate pair
	} {
		root := folder(t, map[string]string{"V1__a.sql": text})
		if _, err := LoadEncoded(encoding, root); err == nil {
			t.Errorf("%s: %q was taken", encoding, text)
		}
	}
}

func TestConfigDecidesOnTransactionAndPlaceholders(t *testing.T) {
	root := folder(t, map[string]string{
		"V1__a.sql": "SELECT 1;", "V1__a.sql.conf": "executeInTransaction = false\r\nplaceholderReplacement=false\r\n",
		"V2__b.sql": "VACUUM;", "V2__b.sql.conf": "# nothing\n",
		"V3__c.sql": "SELECT 1;",
	})
	set, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []File{{NoTransaction: true, LiteralPlaceholders: true}, {NoTransaction: true}, {}} {
		if got := set.Versioned[i]; got.NoTransaction != want.NoTransaction ||
			got.LiteralPlaceholders != want.LiteralPlaceholders {
			t.Errorf("%s: %+v", got.Script, got)
		}
	}
}

func TestTextFailsForAFileThatIsGone(t *testing.T) {
	root := folder(t, map[string]string{"V1__a.sql": "SELECT 1;"})
	set, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(root, "V1__a.sql"))
	if _, err := set.Versioned[0].Text(); err == nil || strings.Contains(err.Error(), root) {
		t.Errorf("got %v", err)
	}
}
