package ground

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Account and Region are those that the emulator answers for.
const (
	Account = "000000000000"
	Region  = "eu-central-1"
)

// Options say what stands on the ground.
type Options struct {
	// Root is the project's folder. Required.
	Root string
	// Scripts is the folder of migration scripts to deploy in place of the
	// project's own sql/postgresql. Default: those.
	Scripts string
	// Log receives a line for each step, with the seconds it took. Required.
	Log io.Writer
	// Output receives what the CDK prints. Default: nothing is shown.
	Output io.Writer
}

// Ground is a running ground. It is for one goroutine.
type Ground struct {
	// Project is a working copy of the project, without infra's sources: its
	// scripts and configuration may be changed and deployed.
	Project string
	// Database is the PostgreSQL that plays Aurora.
	Database *Database

	options  Options
	folder   string // everything that belongs to this ground alone
	cache    string // what later grounds use again
	engine   engine
	emulator *emulator
	app      string // the built CDK app
	cdk      string // the CDK's command line
	close    []func() error
}

// Start makes a ground, ready for [Ground.Deploy]. The caller must call
// [Ground.Close]. The first start on a machine downloads some 200 MB.
func Start(ctx context.Context, o Options) (_ *Ground, err error) {
	g := &Ground{options: o}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.Close())
		}
	}()
	if g.cache, err = cacheDir(); err != nil {
		return nil, err
	}
	if g.folder, err = os.MkdirTemp("", "slipway-local-"); err != nil {
		return nil, err
	}
	g.onClose(func() error { return os.RemoveAll(g.folder) })
	// PostgreSQL and the functions' containers run as other users.
	if err := os.Chmod(g.folder, 0o755); err != nil {
		return nil, err
	}
	if g.folder, err = filepath.EvalSymlinks(g.folder); err != nil {
		return nil, err
	}
	g.Project = filepath.Join(g.folder, "project")

	steps := []struct {
		name string
		do   func(context.Context) error
	}{
		{"Docker engine", g.findEngine},
		{"working copy of the project", g.copyProject},
		{"CDK app (go build ./infra)", g.buildApp},
		{"CDK command line", g.installCDK},
		{"PostgreSQL", g.startDatabase},
		{"AWS emulator", g.startEmulator},
		{"cdk bootstrap", g.bootstrap},
	}
	for _, step := range steps {
		if err := g.Step(step.name, func() error { return step.do(ctx) }); err != nil {
			return nil, fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return g, nil
}

// Step does f and logs how long it took.
func (g *Ground) Step(name string, f func() error) error {
	started := time.Now()
	err := f()
	state := "ok"
	if err != nil {
		state = "failed"
	}
	fmt.Fprintf(g.options.Log, "%6.1fs  %-6s %s\n", time.Since(started).Seconds(), state, name)
	return err
}

// Folder is the ground's own; it goes away with it.
func (g *Ground) Folder() string { return g.folder }

// Architecture is the engine's, as an environment's key has it.
func (g *Ground) Architecture() string { return g.engine.arch }

func (g *Ground) onClose(f func() error) { g.close = append(g.close, f) }

// Close ends everything that Start started and removes what it made, the last
// first. Further calls do nothing.
func (g *Ground) Close() error {
	var errs []error
	for len(g.close) > 0 {
		last := len(g.close) - 1
		f := g.close[last]
		g.close = g.close[:last]
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(base, "slipway"), nil
}
