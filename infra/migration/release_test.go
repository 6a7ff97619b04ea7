package migration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/lambda/script"
)

func project(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, filepath.FromSlash(Scripts), filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestLoadRelease(t *testing.T) {
	root := project(t, map[string]string{"V1__a.sql": "SELECT 1;", "shop/V2__b.sql": "SELECT 2;",
		"R__view.sql": "SELECT 3;", "U1__a.sql": "SELECT 4;"})
	r, err := LoadRelease(context.Background(), root, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Scripts) != 3 || r.Scripts["shop/V2__b.sql"] == "" || r.Scripts["U1__a.sql"] != "" {
		t.Errorf("the manifest is V and R scripts, by their place: %v", r.Scripts)
	}
	if len(r.Digest) != 12 || r.Order == 0 || r.Older != "" {
		t.Errorf("%+v", r)
	}
}

func TestReleaseHasTheHighestVersion(t *testing.T) {
	for want, names := range map[string][]string{
		"10":  {"V9__a.sql", "V10__b.sql", "U11__c.sql"},
		"2.1": {"V2__a.sql", "V2_1__b.sql"},
		"7":   {"B7__all.sql", "V6__a.sql"},
		"0":   {"R__view.sql"},
	} {
		files := map[string]string{}
		for _, name := range names {
			files[name] = "SELECT 1;"
		}
		r, err := LoadRelease(context.Background(), project(t, files), "")
		if err != nil || r.Version != want {
			t.Errorf("%v: version %q, want %q, %v", names, r.Version, want, err)
		}
	}
}

func TestNoReleaseNoStack(t *testing.T) {
	for name, root := range map[string]string{
		"no folder":       t.TempDir(),
		"malformed name":  project(t, map[string]string{"V1__a.sql": "SELECT 1;", "V2_b.sql": "SELECT 2;"}),
		"version twice":   project(t, map[string]string{"V1__a.sql": "SELECT 1;", "V1__b.sql": "SELECT 2;"}),
		"a program":       project(t, map[string]string{"V1__a.sql": "SELECT 1;", "V2__b.sh": "true"}),
		"nothing to run":  project(t, map[string]string{"U1__a.sql": "SELECT 1;"}),
		"not in encoding": project(t, map[string]string{"V1__a.sql": "SELECT '\xff';"}),
	} {
		_, err := LoadRelease(context.Background(), root, "")
		var bad *script.ReleaseError
		if !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Old and new properties go to the function in one call of at most 256 KB.
func TestManyScriptsStaySmall(t *testing.T) {
	files := map[string]string{}
	for i := range 3001 {
		files[fmt.Sprintf("V%d__%s.sql", i+1, strings.Repeat("x", 60))] = "SELECT 1;"
	}
	root := project(t, files)
	first, err := LoadRelease(context.Background(), root, "")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(first.Scripts)
	if len(text) > listed || len(text) < listed/2 || first.Older == "" {
		t.Errorf("%d bytes listed, %q for the rest", len(text), first.Older)
	}
	newest := fmt.Sprintf("V3001__%s.sql", strings.Repeat("x", 60))
	if first.Scripts[newest] == "" {
		t.Errorf("the newest script is not listed")
	}

	added := filepath.Join(root, filepath.FromSlash(Scripts), "V3002__one_more.sql")
	if err := os.WriteFile(added, []byte("SELECT 1;"), 0o644); err != nil {
		t.Fatal(err)
	}
	second, err := LoadRelease(context.Background(), root, "")
	if err != nil {
		t.Fatal(err)
	}
	if second.Older != first.Older || len(second.Scripts) != len(first.Scripts)+1 {
		t.Errorf("one more script changes more than one line: %q, then %q", first.Older, second.Older)
	}
}
