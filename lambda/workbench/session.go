package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"time"

	"slipway/lambda/workbench/deployed"
	"slipway/lambda/workbench/guard"
)

// where says which scripts and which database: the local one, one that exists,
// or that of a deployed environment.
type where struct {
	sql, databaseURL, environment string
	// release: the scripts of sql count for a deployed environment, too.
	release bool
}

func (w *where) define(flags *flag.FlagSet) {
	flags.StringVar(&w.sql, "sql", defaultSQL, "`folder` of the scripts; each has a local database of its own")
}

// defineDeployed is for commands that a deployed environment can carry out.
func (w *where) defineDeployed(flags *flag.FlagSet) {
	w.define(flags)
	flags.StringVar(&w.environment, "environment", "", "`name` of a deployed environment, as in cdk.json, in place "+
		"of a local database")
}

// parse parses arguments and takes the database's URL from the environment:
// everybody on the machine can read the arguments of a process.
func (w *where) parse(b *bench, flags *flag.FlagSet, arguments []string) error {
	if err := parse(flags, arguments); err != nil {
		return err
	}
	w.databaseURL = b.env[databaseVariable]
	given := w.databaseURL != ""
	flags.Visit(func(f *flag.Flag) { given = given || f.Name == "sql" && !w.release })
	switch {
	case w.environment == "" || !given:
	case w.release:
		return usageError{errors.New("--environment excludes DATABASE_URL: a deployed environment has a database of " +
			"its own")}
	default:
		return usageError{errors.New("--environment excludes --sql and DATABASE_URL: a deployed environment has " +
			"scripts and a database of its own")}
	}
	return nil
}

// commandLine is how next steps name a command here, without the password.
func (w where) commandLine() string {
	line := "make {}"
	if w.sql != defaultSQL {
		line += " SQL='" + strings.ReplaceAll(w.sql, "'", `'\''`) + "'"
	}
	if w.databaseURL != "" {
		line += " DATABASE_URL=…"
	}
	return line
}

// session is the program, ready to be started with its whole environment.
type session struct {
	program  string
	env      []string
	database string
	created  bool // the database was made just now
	close    []func() error
}

// open prepares everything that the program needs. The caller must Close.
func (b *bench) open(ctx context.Context, w where) (_ *session, err error) {
	s := &session{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.program, err = b.build(ctx); err != nil {
		return nil, err
	}
	env, err := b.programEnvironment(ctx, w.sql)
	if err != nil {
		return nil, err
	}
	if env["SLIPWAY_COMMAND"] == "" {
		env["SLIPWAY_COMMAND"] = w.commandLine()
	}
	if env["SLIPWAY_CLASS_ARCHIVE"] == "" {
		env["SLIPWAY_CLASS_ARCHIVE"] = b.classArchive(ctx, s.program, env)
	}
	var t *target
	if w.databaseURL != "" {
		t, err = b.external("DATABASE_URL", w.databaseURL)
	} else {
		t, err = b.local(ctx, w.sql)
	}
	if err != nil {
		return nil, err
	}
	s.close = append(s.close, t.close)
	maps.Copy(env, t.env)
	secret, err := t.serve(env)
	if err != nil {
		return nil, err
	}
	s.close = append(s.close, secret.Close)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		s.env = append(s.env, name+"="+env[name])
	}
	s.database, _ = t.secret["dbname"].(string)
	s.created = t.created
	return s, nil
}

// Close ends what open started, last first.
func (s *session) Close() error {
	var errs []error
	for _, end := range slices.Backward(s.close) {
		errs = append(errs, end())
	}
	return errors.Join(errs...)
}

// start starts the program, which ends at the latest with this process.
func (s *session) start(out, err io.Writer, arguments ...string) (*guard.Process, error) {
	command := exec.Command(s.program, arguments...)
	command.Env, command.Stdout, command.Stderr = s.env, out, err
	return guard.Start(command, guard.Options{})
}

// grace is how long the program may take to end in order: it has to cancel
// what runs on the server.
const grace = 30 * time.Second

// command runs the program once and returns its exit code.
func (s *session) command(ctx context.Context, out, err io.Writer, arguments ...string) (int, error) {
	process, failure := s.start(out, err, arguments...)
	if failure != nil {
		return 1, failure
	}
	select {
	case <-process.Done():
	case <-ctx.Done():
		return 130, process.End(grace)
	}
	return process.ExitCode(), nil
}

// runInfo is `info`.
func runInfo(ctx context.Context, b *bench, flags *flag.FlagSet, arguments []string) (code int, err error) {
	var w where
	w.defineDeployed(flags)
	asJSON := flags.Bool("json", false, "print the report as JSON")
	exitCode := flags.Bool("exit-code", false, "end with 3 when something is pending")
	if err := w.parse(b, flags, arguments); err != nil {
		return 2, err
	}
	if w.environment != "" {
		return b.ask(ctx, w.environment, deployed.Request{Command: "info"}, *asJSON, *exitCode)
	}
	s, err := b.open(ctx, w)
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	call := []string{"info"}
	if *asJSON {
		call = append(call, "--json")
	}
	if *exitCode {
		call = append(call, "--exit-code")
	}
	return s.command(ctx, b.out, b.err, call...)
}
