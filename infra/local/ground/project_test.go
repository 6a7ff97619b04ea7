package ground

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCopiesKeepTheTimesThatOrderReleases(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	name := filepath.Join(from, "deep", "V1__a.sql")
	write(t, name, "SELECT 1;")
	then := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := os.Chtimes(name, then, then); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(name, filepath.Join(from, "V2__link.sql")); err != nil {
		t.Fatal(err)
	}
	if err := copyTree(from, to); err != nil {
		t.Fatal(err)
	}
	for _, copied := range []string{"deep/V1__a.sql", "V2__link.sql"} {
		info, err := os.Lstat(filepath.Join(to, copied))
		if err != nil {
			t.Fatal(err)
		}
		if !info.ModTime().Equal(then) || !info.Mode().IsRegular() {
			t.Errorf("%s: %v of %v, want a file of %v", copied, info.Mode(), info.ModTime(), then)
		}
	}
	if err := copyTree(filepath.Join(from, "none"), to); err == nil {
		t.Error("a missing folder is no error")
	}
}

func TestConfigureKeepsTheProjectsContextButNotItsEnvironments(t *testing.T) {
	root, project := t.TempDir(), t.TempDir()
	write(t, filepath.Join(root, "cdk.json"), `{"app": "go run ./infra", "versionReporting": false, "context": {
		"@aws-cdk/x": true, "images": {"go": "mirror/golang"}, "pipeline": {"repository": "r"}, "environments": {"prod": {}}}}`)
	g := &Ground{Project: project, Database: &Database{Port: 5999}, app: "/app", engine: engine{arch: "arm64"},
		options: Options{Root: root}}
	if err := g.Configure(map[string]map[string]any{"local": {"throwaway": true,
		"database": map[string]any{"name": "shop"}}}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(project, "cdk.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal(content, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(
		`{"app": "/app", "versionReporting": false, "context": {"@aws-cdk/x": true, "images": {"go": "mirror/golang"},
		"environments": {"local": {"account": "000000000000", "region": "eu-central-1", "architecture": "arm64", "throwaway": true, "database": {"name": "shop", "port": 5999}}}}}`), &want); err != nil {
		t.Fatal(err)
	}
	if g, w := text(got), text(want); g != w {
		t.Errorf("cdk.json\n%s\nwant\n%s", g, w)
	}
}

func text(v any) string {
	out, _ := json.MarshalIndent(v, "", " ") // sorts keys
	return string(out)
}
