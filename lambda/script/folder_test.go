package script

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Flyway runs programs that stand among the scripts, and no manifest names them.
func TestLoadRefusesWhatIsNeitherScriptNorText(t *testing.T) {
	for name, want := range map[string]string{
		"V2__x.sh": "a program", "v2__x.SH": "a program", "beforeMigrate.sh": "a program",
		"afterConnect.py": "a program",
		"V2__x.ps1":       "a program", "R__x.cmd": "a program", "V2__x.bat": "a program", ".hidden.sh": "a program",
		"README.sh":             "a program",
		"sub/afterMigrate.bash": "a program", "license__x.BAT": "a program", "V1__a.sql/V2__x.sh": "a program",
		"V2__x.sh.conf": "neither a script", "V2__x.sql.bak": "neither a script", "V2__x.sql~": "neither a script",
		"V2__x":     "neither a script",
		".DS_Store": "neither a script", "Thumbs.db": "neither a script", ".V1__a.sql.swp": "neither a script",
		"V2__x.jar":   "neither a script",
		"flyway.toml": "neither a script", "flyway.conf": "neither a script",
		"db/migration/V2__X.class": "neither a script",
		".gitignore":               "neither a script", "x.gitkeep": "neither a script",
		"V2__x.SQL": "write .sql in lower case", "README.sql": "not a migration's name", "readme.SQL.conf": "",
	} {
		t.Run(name, func(t *testing.T) {
			root := folder(t, map[string]string{"V9__a.sql": "SELECT 1;", name: "x"})
			if got := refused(t, root); !strings.HasPrefix(got, name+": ") || !strings.Contains(got, want) {
				t.Errorf("%q, want %s and %q", got, name, want)
			}
			if Ignored(name) {
				t.Error("ignored")
			}
		})
	}
}

func TestLoadLeavesTextsForPeopleAside(t *testing.T) {
	files := map[string]string{"V1__a.sql": "SELECT 1;", ".git/hooks/V2__x.sh": "x", "..2024/V3__x.sql": "x",
		"sub/.wip/V4__x.sql": "x"}
	for _, name := range []string{
		"README", "README.md", "Readme.TXT", "README.rst", "README-de.adoc", "LICENSE", "LICENSE.apache", "notes.md",
		"V5__x.md", "a.txt", ".gitkeep", ".gitattributes",
		"sub/README", "sub/deep/.gitkeep",
	} {
		files[name] = "\xff\x00" // not even read
		if !Ignored(name) {
			t.Errorf("%s counts", name)
		}
	}
	set := load(t, files)
	if names(set.Versioned) != "V1__a.sql" || len(set.Configs)+len(set.Callbacks)+len(set.Repeatable)+
		len(set.Undo) > 0 {
		t.Errorf("%+v", set)
	}
}

func TestBytesAreThoseThatWereJudged(t *testing.T) {
	root := folder(t, map[string]string{"V1__a.sql": "SELECT 1;", "U1__a.sql": "SELECT 1;",
		"V1__a.sql.conf": "encoding=UTF-8", "beforeMigrate.sql": "SELECT 1;"})
	set, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, files := range [][]File{set.Versioned, set.Undo, set.Configs, set.Callbacks} {
		f := files[0]
		before, err := f.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		// Flyway's checksum would be the same.
		if err := os.WriteFile(filepath.Join(root, f.Script), append(before, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Bytes(); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: %v", f.Script, err)
		}
		if _, err := f.Text(); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: %v", f.Script, err)
		}
	}
}
