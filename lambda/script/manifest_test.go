package script

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func load(t *testing.T, files map[string]string) *Set {
	t.Helper()
	set, err := Load(folder(t, files))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestManifestListsWhatADeploymentRuns(t *testing.T) {
	m := load(t, map[string]string{
		"V1__a.sql": "SELECT 1;", "B1__a.sql": "SELECT 1;", "U1__a.sql": "SELECT -1;", "sub/R__b.sql": "SELECT 1;\n",
		"beforeMigrate.sql": "SELECT 1;\r\n",
		"V1__a.sql.conf":    "executeInTransaction=true", "README.md": "",
	}).Manifest(0)
	want := map[string]string{}
	for name, text := range map[string]string{
		"V1__a.sql": "SELECT 1;", "B1__a.sql": "SELECT 1;", "sub/R__b.sql": "SELECT 1;\n",
		"beforeMigrate.sql": "SELECT 1;\r\n", "V1__a.sql.conf": "executeInTransaction=true",
	} {
		want[name] = fmt.Sprintf("%x", sha256.Sum256([]byte(text)))[:12]
	}
	if len(m.Scripts) != len(want) {
		t.Errorf("lists %v", m.Scripts)
	}
	for name, sum := range want {
		if m.Scripts[name] != sum {
			t.Errorf("%s: %q, want %q", name, m.Scripts[name], sum)
		}
	}
	if !regexp.MustCompile(`^[0-9a-f]{12}$`).MatchString(m.Digest) || m.Older != "" {
		t.Errorf("digest %q, older %q", m.Digest, m.Older)
	}
}

func TestManifestDigestChangesWithWhatWouldRun(t *testing.T) {
	files := func(change map[string]string) map[string]string {
		all := map[string]string{"V1__a.sql": "SELECT 1;", "V2__b.sql": "SELECT 2;", "U1__a.sql": "x",
			"R__c.sql": "SELECT 3;", "x.txt": ""}
		for name, text := range change {
			all[name] = text
		}
		return all
	}
	before := load(t, files(nil)).Manifest(0).Digest
	for name, c := range map[string]struct {
		change map[string]string
		same   bool
	}{
		"nothing":           {nil, true},
		"an undo script":    {map[string]string{"U1__a.sql": "y", "U2__b.sql": "z"}, true},
		"line ends":         {map[string]string{"V1__a.sql": "SELECT 1;\r\n"}, false},
		"a byte order mark": {map[string]string{"R__c.sql": bom + "SELECT 3;"}, false},
		"a comment's end":   {map[string]string{"V2__b.sql": "SELECT\n 2;"}, false},
		"another file":      {map[string]string{"x.txt": "y"}, true},
		"an edited script":  {map[string]string{"V1__a.sql": "SELECT 11;"}, false},
		"a new script":      {map[string]string{"V3__c.sql": ""}, false},
		"a baseline":        {map[string]string{"B2__b.sql": ""}, false},
		"a callback":        {map[string]string{"afterMigrate.sql": ""}, false},
		"a configuration":   {map[string]string{"V1__a.sql.conf": ""}, false},
	} {
		if got := load(t, files(c.change)).Manifest(0).Digest; (got == before) != c.same {
			t.Errorf("%s: %s after %s", name, got, before)
		}
	}
}

func TestManifestAboveItsLimitListsTheNewest(t *testing.T) {
	files := map[string]string{"R__view.sql": "SELECT 1;"}
	for v := range 12 {
		files[fmt.Sprintf("V%d__x.sql", v+1)] = fmt.Sprintf("SELECT %d;", v+1)
	}
	set := load(t, files)
	all, some := set.Manifest(0), set.Manifest(5)
	if some.Digest != all.Digest {
		t.Error("the release's name depends on the limit")
	}
	if len(some.Scripts) != 6 || some.Scripts["V12__x.sql"] == "" || some.Scripts["V8__x.sql"] == "" ||
		some.Scripts["R__view.sql"] == "" {
		t.Errorf("lists %v", some.Scripts)
	}
	if !regexp.MustCompile(`^7 scripts, [0-9a-f]{12}$`).MatchString(some.Older) {
		t.Errorf("older: %q", some.Older)
	}
	files["V3__x.sql"] = "SELECT 33;"
	if edited := load(t, files).Manifest(5); edited.Older == some.Older || edited.Digest == some.Digest {
		t.Error("an edit of a script that is not listed shows nowhere")
	}
	if exact := set.Manifest(12); exact.Older != "" || len(exact.Scripts) != 13 {
		t.Errorf("at the limit: %v, %q", exact.Scripts, exact.Older)
	}
}

func TestManifestDoesNotDependOnWhereItLies(t *testing.T) {
	files := map[string]string{"V1__a.sql": "SELECT 1;", "sub/V2__b.sql": "SELECT 2;"}
	a, b := load(t, files).Manifest(0), load(t, files).Manifest(0)
	if a.Digest != b.Digest || strings.Contains(fmt.Sprint(a.Scripts), "/tmp") {
		t.Errorf("%v and %v", a, b)
	}
}
