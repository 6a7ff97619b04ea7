//go:build faults

package faults

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"slipway/lambda/workbench/distribution"
	"slipway/lambda/workbench/postgres"
	"slipway/lambda/workbench/secrets"
)

// shared is what all faults have in common: the built program, Flyway and Java,
// one PostgreSQL and one Secrets Manager.
type shared struct {
	dir      string // of everything that is made
	program  string
	javaHome string
	flyway   string // folder of jars
	archive  string
	path     string // PATH
	ci       bool
	cache    *distribution.Cache
	server   *postgres.Server
	secrets  *secrets.Server
}

func newShared(ctx context.Context, t *testing.T) *shared {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s := &shared{path: os.Getenv("PATH"), ci: os.Getenv("CI") == "true"}
	var err error
	s.dir, err = os.MkdirTemp("", "slipway-faults-")
	must(err)
	t.Cleanup(func() { os.RemoveAll(s.dir) })
	// PostgreSQL runs as another user when root starts it, so t.TempDir won't do.
	must(os.Chmod(s.dir, 0o755))
	folder, err := distribution.DefaultDir()
	must(err)
	s.cache = &distribution.Cache{Dir: folder, Mirror: os.Getenv("SLIPWAY_MAVEN_MIRROR"), Progress: os.Stderr}
	s.flyway, err = s.cache.Flyway(ctx)
	must(err)
	s.javaHome, err = s.cache.Java(ctx, os.Getenv("JAVA_HOME"))
	must(err)
	must(s.build(ctx))
	s.server, err = postgres.Start(ctx, postgres.Options{Ephemeral: true, Cache: s.cache})
	must(err)
	t.Cleanup(func() { s.server.Stop() })
	// The application that shares the database; what it runs is not to be touched.
	must(s.server.CreateRole(ctx, shop, shop, "SUPERUSER"))
	s.secrets, err = secrets.Start()
	must(err)
	t.Cleanup(func() { s.secrets.Close() })
	return s
}

// build makes the program, and a class-data archive as the image has one.
func (s *shared) build(ctx context.Context) error {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("run it inside the project: %w", err)
	}
	home := strings.TrimSpace(string(root))
	s.program, s.archive = filepath.Join(s.dir, "slipway"), filepath.Join(s.dir, "classes.jsa")
	build := exec.CommandContext(ctx, "go", "build", "-o", s.program, "./lambda")
	build.Dir = home
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the program: %w\n%s", err, out)
	}
	archive := exec.CommandContext(ctx, s.program, "archive", filepath.Join(home, "docker", "flyway.classlist"),
		s.archive)
	archive.Env = []string{"PATH=" + s.path, "SLIPWAY_FLYWAY_HOME=" + s.flyway, "JAVA_HOME=" + s.javaHome}
	if out, err := archive.CombinedOutput(); err != nil {
		return fmt.Errorf("the class-data archive: %w\n%s", err, out)
	}
	return nil
}

func isRoot() bool { return os.Geteuid() == 0 }
