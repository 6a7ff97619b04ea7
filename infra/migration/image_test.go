package migration

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"slipway/infra/environment"
)

// Docker only warns of an argument that the Dockerfile does not have.
func TestBuildArgumentsAreTheDockerfiles(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "docker", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	args := *buildArgs(environment.Images{Flyway: "a", Go: "b", Sums: "c"})
	if len(args) != 3 {
		t.Errorf("%d arguments for two images and a list", len(args))
	}
	for name := range args {
		if !strings.Contains(string(raw), "\nARG "+name+"=") {
			t.Errorf("the Dockerfile has no ARG %s", name)
		}
	}
	if none := *buildArgs(environment.Images{}); len(none) != 0 {
		t.Errorf("nothing is configured, but these hide the Dockerfile's defaults: %v", none)
	}
}

// Docker Hub limits what an address may pull, and CodeBuild's are shared.
func TestGoDoesNotComeFromDockerHub(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "docker", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(raw), "\nARG GO_IMAGE=public.ecr.aws/docker/library/golang:") {
		t.Error("Go's image comes from elsewhere")
	}
}

// The step of the build that keeps all but scripts out of the image, run here.
func TestTheImageHasScriptsAndNothingElse(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "docker", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	_, stage, _ := strings.Cut(string(raw), "AS scripts\n")
	stage, _, _ = strings.Cut(stage, "\nFROM ")
	out := t.TempDir()
	write := func(name string) {
		path := filepath.Join(out, "sql", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		"postgresql/V1__a.sql", "postgresql/V1__a.sql.conf", "postgresql/sub dir/R__b.sql", "postgresql/V3__x.SQL",
		"other/U1__a.sql",
		"postgresql/V2__x.sh", "postgresql/beforeMigrate.py", "postgresql/.hidden.sh", "postgresql/.git/V9__x.sql",
		"postgresql/x.sql.bak",
		"postgresql/README.md", "postgresql/.gitkeep", "postgresql/V1__a.sql~", "postgresql/x.sh/V4__a.sql",
		"postgresql/x.conf", "V2__x.sh",
	} {
		write(name)
	}
	if err := os.Symlink("/bin/sh", filepath.Join(out, "sql", "postgresql", "V5__x.sh")); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.ReplaceAll(stage, "\\\n", " "), "\n") {
		command, ok := strings.CutPrefix(line, "RUN ")
		if !ok {
			continue
		}
		if text, err := exec.Command("sh", "-ec",
			strings.ReplaceAll(command, "/out", out)).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", command, err, text)
		}
	}
	var left []string
	err = filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(filepath.Join(out, "sql"), path)
			left = append(left, name)
		}
		return err
	})
	want := "other/U1__a.sql, postgresql/V1__a.sql, postgresql/V1__a.sql.conf, postgresql/V3__x.SQL, postgresql/sub " +
		"dir/R__b.sql, postgresql/x.sh/V4__a.sql"
	if got := strings.Join(left, ", "); err != nil || got != want {
		t.Errorf("%v: the image has %s", err, got)
	}
}
