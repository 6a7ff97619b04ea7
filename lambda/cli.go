package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"slipway/lambda/event"
	"slipway/lambda/migrator"
	"slipway/lambda/report"
	"slipway/lambda/serve"
	"slipway/lambda/settings"
)

// cli is the program as a command.
type cli struct {
	env      map[string]string
	out, err io.Writer
	color    bool
}

// usage is the exit code of a command that is not understood.
var usage = report.BadRequest.Exit()

func (c cli) run(ctx context.Context, args []string) int {
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		fmt.Fprint(c.out, help())
		return 0
	}
	name, rest := args[0], args[1:]
	switch {
	case name == "serve":
		return c.serve(ctx, rest)
	case slices.Contains([]string{"version", "-v", "-version", "--version"}, name):
		fmt.Fprintln(c.out, version())
		return 0
	case name == "archive":
		return c.archive(rest)
	case name == "jars":
		return c.jars(rest)
	case slices.Contains(migrator.Commands, name):
		return c.command(ctx, name, rest)
	}
	return c.misuse("unknown command %q", name)
}

func (c cli) misuse(format string, args ...any) int {
	fmt.Fprintf(c.err, "slipway: "+format+"\nRun `slipway --help` for the commands.\n", args...)
	return usage
}

// flags makes a flag set that returns its errors instead of printing them.
func (c cli) flags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	return f
}

// parse returns an exit code, or -1 to go on.
func (c cli) parse(f *flag.FlagSet, args []string) int {
	err := f.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(c.out, help())
		return 0
	}
	if err != nil {
		return c.misuse("%s: %v", f.Name(), err)
	}
	if f.NArg() > 0 {
		return c.misuse("%s: unexpected argument %q", f.Name(), f.Arg(0))
	}
	return -1
}

func (c cli) command(ctx context.Context, name string, args []string) int {
	req := migrator.Request{Command: name}
	f := c.flags(name)
	asJSON := f.Bool("json", false, "")
	timeout := f.Duration("timeout", 0, "")
	exitCode := new(bool)
	switch name {
	case "info":
		f.BoolVar(exitCode, "exit-code", false, "")
	case "migrate", "baseline":
		f.StringVar(&req.Target, "target", "", "")
	case "repair":
		f.StringVar(&req.Rows, "rows", "", "")
	case "revert":
		f.StringVar(&req.To, "to", "", "")
		f.IntVar(&req.Steps, "steps", 0, "")
		f.StringVar(&req.From, "from", "", "")
		f.BoolVar(&req.DryRun, "dry-run", false, "")
	}
	if code := c.parse(f, args); code >= 0 {
		return code
	}
	log := c.logger()
	m, failure := newMigrator(c.env, log)
	if failure != nil {
		rep, _ := broken{failure}.Run(ctx, req)
		show(c.out, rep, *asJSON, c.color)
		return failure.Code.Exit()
	}
	if limit := c.timeout(*timeout, 0); limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	rep, _ := m.Run(ctx, req)
	show(c.out, rep, *asJSON, c.color)
	if *exitCode {
		return rep.InfoExit()
	}
	return rep.Code.Exit()
}

// timeout is the flag's, or SLIPWAY_TIMEOUT's (checked with the settings).
func (c cli) timeout(flag, byDefault time.Duration) time.Duration {
	if flag > 0 {
		return flag
	}
	return cmp.Or(settings.Read(c.env).Duration("SLIPWAY_TIMEOUT"), byDefault)
}

// localAddress is where `serve` listens unless told otherwise: whoever reaches
// it may change the database.
const localAddress = "127.0.0.1:8080"

func (c cli) serve(ctx context.Context, args []string) int {
	f := c.flags("serve")
	addr := f.String("addr", localAddress, "")
	asJSON := f.Bool("json", false, "")
	if code := c.parse(f, args); code >= 0 {
		return code
	}
	if _, _, err := net.SplitHostPort(*addr); err != nil {
		return c.misuse("serve: --addr: %v", err) // an empty one would listen everywhere, on any port
	}
	log := c.logger()
	handler := event.Handler{
		Runner: newRunner(c.env, log), Log: log,
		Show: func(r *report.Report) { show(c.out, r, *asJSON, c.color) },
	}
	server := serve.Server{Handler: handler, Timeout: c.timeout(0, 15*time.Minute), Log: log}
	if err := server.Listen(ctx, *addr); err != nil {
		fmt.Fprintf(c.err, "slipway: serve: %v\n", err)
		return report.Internal.Exit()
	}
	return 0
}

// logger prints progress for people.
func (c cli) logger() *slog.Logger {
	return slog.New(people{w: c.err, mu: &sync.Mutex{}, level: level(c.env)})
}

// release is Slipway's version, the first one of CHANGELOG.md.
const release = "0.1.0"

// version is Slipway's version, the commit that the program was built from,
// where the build knew it, and its Go.
func version() string {
	revision, modified := "unknown commit", ""
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return "slipway " + release + ", " + revision
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = "commit " + s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = " with changes"
		}
	}
	return "slipway " + release + ", " + revision + modified + ", " + info.GoVersion
}

// help is the whole manual of the program.
func help() string {
	var exits strings.Builder
	for _, c := range report.Codes() {
		fmt.Fprintf(&exits, "  %-21s%d\n", c, c.Exit())
	}
	return strings.NewReplacer("{settings}", settings.Help(), "{exits}", exits.String()).Replace(manual)
}
