package main

import (
	"cmp"
	"context"

	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"slipway/lambda/workbench/distribution"
	"slipway/lambda/workbench/postgres"
	"slipway/lambda/workbench/secrets"
)

// bench is what all faults share: the built program, Flyway and Java, one
// PostgreSQL and one Secrets Manager.
type bench struct {
	dir      string // of everything that is made
	program  string
	java     string // the command
	javaHome string
	flyway   string // folder of jars
	archive  string
	path     string // PATH
	cache    *distribution.Cache
	server   *postgres.Server
	secrets  *secrets.Server

	closing []func()
	mu      sync.Mutex
}

func newBench(ctx context.Context, javaHome, mirror, path string) (b *bench, err error) {
	b = &bench{path: path}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if b.dir, err = os.MkdirTemp("", "slipway-faults-"); err != nil {
		return b, err
	}
	b.later(func() { os.RemoveAll(b.dir) })
	// PostgreSQL runs as another user when root starts it.
	if err := os.Chmod(b.dir, 0o755); err != nil {
		return b, err
	}
	folder, err := distribution.DefaultDir()
	if err != nil {
		return b, err
	}
	b.cache = &distribution.Cache{Dir: folder, Mirror: mirror, Progress: os.Stderr}
	if b.flyway, err = b.cache.Flyway(ctx); err != nil {
		return b, err
	}
	if b.javaHome, err = b.cache.Java(ctx, javaHome); err != nil {
		return b, err
	}
	if b.java, err = exec.LookPath(cmp.Or(strings.TrimSuffix(b.javaHome, "/")+"/bin/java", "java")); err != nil {
		if b.java, err = exec.LookPath("java"); err != nil {
			return b, err
		}
	}
	if err := b.build(ctx); err != nil {
		return b, err
	}
	if b.server, err = b.startServer(ctx, postgres.Options{Ephemeral: true}); err != nil {
		return b, err
	}
	// The application that shares the database; what it runs is not to be touched.
	if err := b.server.CreateRole(ctx, shop, shop, "SUPERUSER"); err != nil {
		return b, err
	}
	if b.secrets, err = secrets.Start(); err != nil {
		return b, err
	}
	b.later(func() { b.secrets.Close() })
	return b, nil
}

// build makes the program, and a class-data archive as the image has one.
func (b *bench) build(ctx context.Context) error {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("run it inside the project: %w", err)
	}
	home := strings.TrimSpace(string(root))
	b.program, b.archive = filepath.Join(b.dir, "slipway"), filepath.Join(b.dir, "classes.jsa")
	build := exec.CommandContext(ctx, "go", "build", "-o", b.program, "./lambda")
	build.Dir = home
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the program: %w\n%s", err, out)
	}
	archive := exec.CommandContext(ctx, b.program, "archive", filepath.Join(home, "docker", "flyway.classlist"), b.archive)
	archive.Env = []string{"PATH=" + b.path, "SLIPWAY_FLYWAY_HOME=" + b.flyway, "JAVA_HOME=" + b.javaHome}
	if out, err := archive.CombinedOutput(); err != nil {
		return fmt.Errorf("the class-data archive: %w\n%s", err, out)
	}
	return nil
}

// startServer starts a PostgreSQL of its own, ended with the bench at the latest.
func (b *bench) startServer(ctx context.Context, o postgres.Options) (*postgres.Server, error) {
	o.Cache = b.cache
	s, err := postgres.Start(ctx, o)
	if err == nil {
		b.later(func() { s.Stop() })
	}
	return s, err
}

func (b *bench) later(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closing = append(b.closing, f)
}

// close undoes everything, the newest first.
func (b *bench) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := len(b.closing) - 1; i >= 0; i-- {
		b.closing[i]()
	}
	b.closing = nil
}

func isRoot() bool { return os.Geteuid() == 0 }
