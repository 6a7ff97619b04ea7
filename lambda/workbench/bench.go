package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"slipway/lambda/untrusted"
	"slipway/lambda/workbench/distribution"
	"slipway/lambda/workbench/postgres"
)

// defaultSQL is the folder of the project's own scripts.
const defaultSQL = "sql/postgresql"

// Where URLs of databases come from: the environment, since everybody on the
// machine can read the arguments of a process. The names are our own: what half
// of the world's .env files export, DATABASE_URL, is not read.
const (
	databaseVariable = "SLIPWAY_DATABASE_URL" // of the commands that migrate, ask or revert
	copyVariable     = "SLIPWAY_COPY"         // of the commands that rehearse; it is changed
)

// bench is what all commands share. The working directory is the project's folder.
type bench struct {
	env      map[string]string // the process's environment
	out, err io.Writer         // results and progress
	// dir is the ignored folder for everything that belongs to this clone.
	dir   string
	cache *distribution.Cache
	// role owns the local databases.
	role string
	// throwAway is a server that takes the place of the local one; nil for none.
	throwAway *postgres.Server
}

func newBench(env map[string]string, out, err io.Writer) (*bench, error) {
	downloads, failure := distribution.DefaultDir()
	if failure != nil {
		return nil, fmt.Errorf("no folder for downloads: %w (set HOME or XDG_CACHE_HOME)", failure)
	}
	dir, failure := filepath.Abs(".slipway")
	if failure != nil {
		return nil, failure
	}
	return &bench{
		env: env, out: out, err: err, dir: dir, role: "app",
		cache: &distribution.Cache{Dir: downloads, Mirror: env["SLIPWAY_MAVEN_MIRROR"], Progress: err},
	}, nil
}

// say prints a line of progress.
func (b *bench) say(format string, arguments ...any) {
	fmt.Fprintln(b.err, untrusted.Indented(fmt.Sprintf(format, arguments...)))
}

// postgresFolder holds the local databases.
func (b *bench) postgresFolder() string { return filepath.Join(b.dir, "postgres") }

// build builds the program and returns its path.
func (b *bench) build(ctx context.Context) (string, error) {
	if _, err := os.Stat(filepath.Join("lambda", "main.go")); err != nil {
		return "", errors.New("there is no lambda/main.go here: run this in the project's folder")
	}
	program := filepath.Join(b.dir, "bin", "slipway")
	command := exec.CommandContext(ctx, "go", "build", "-o", program, "./lambda")
	command.Stdout, command.Stderr = b.err, b.err
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("go build ./lambda: %w", err)
	}
	return program, nil
}

// inherited are the variables of the user's that the program gets besides
// FLYWAY_* and SLIPWAY_*.
var inherited = []string{"PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL", "TERM", "NO_COLOR", "PGSSLROOTCERT"}

// replaced are variables that say where database and scripts are, which is
// what the workbench does.
var replaced = []string{"FLYWAY_URL", "FLYWAY_LOCATIONS", "SLIPWAY_MAVEN_MIRROR", "SLIPWAY_IAM_AUTH", databaseVariable,
	copyVariable}

// programEnvironment is the environment of the program, but for the database:
// what the user's shell has for it, Flyway and Java, and the scripts' folder.
func (b *bench) programEnvironment(ctx context.Context, sql string) (map[string]string, error) {
	if strings.ContainsAny(sql, ",*?") {
		return nil, usageError{fmt.Errorf("--sql %s: the name of the folder may not hold , * ?", sql)}
	}
	env := map[string]string{}
	for _, name := range inherited {
		if value, ok := b.env[name]; ok {
			env[name] = value
		}
	}
	for name, value := range b.env {
		if strings.HasPrefix(name, "FLYWAY_") || strings.HasPrefix(name, "SLIPWAY_") {
			env[name] = value
		}
	}
	for _, name := range replaced {
		if _, ok := env[name]; ok && strings.HasPrefix(name, "FLYWAY_") {
			b.say("ignoring %s of your environment: --sql and "+databaseVariable+" say it here", name)
		}
		delete(env, name)
	}
	flyway, err := b.cache.Flyway(ctx)
	if err != nil {
		return nil, err
	}
	java, err := b.cache.Java(ctx, b.env["JAVA_HOME"])
	if err != nil {
		return nil, err
	}
	if java != "" {
		env["JAVA_HOME"] = java
	}
	if env["SLIPWAY_FLYWAY_HOME"] == "" {
		env["SLIPWAY_FLYWAY_HOME"] = flyway
	}
	env["FLYWAY_LOCATIONS"] = "filesystem:" + sql
	return env, nil
}
