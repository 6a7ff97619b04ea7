// Command workbench is the laptop's side of Slipway: it runs the program on a
// local PostgreSQL the way a deployment does. It is never in the image.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"slipway/lambda/untrusted"
	"slipway/lambda/workbench/distribution"
)

// command is a row of the table of commands.
type command struct {
	name, flags, summary string
	// run defines its flags on the set, parses arguments and returns an exit code.
	run func(ctx context.Context, b *bench, flags *flag.FlagSet, arguments []string) (int, error)
}

// commands are all commands in the order of the help; one without a summary is
// not in it.
func commands() []command {
	return []command{
		{"run", "[--sql DIR] [--json]", "migrate a database the way a deployment does", runRun},
		{"info", "[--sql DIR | --environment NAME] [--json] [--exit-code]", "show applied and pending scripts",
			runInfo},
		{"validate", "[--sql DIR | --environment NAME] [--json]", "compare history and scripts", runValidate},
		{"repair", "[--sql DIR] [--environment NAME] [--rows RANKS] [--dry-run] [--json]", "repair the history",
			runRepair},
		{"pending", "--environment NAME [--sql DIR] [--assembly DIR] [--lookup-role ARN] [--summary FILE] [--json]",
			"show what the scripts here would do to a deployed environment", runPending},
		{"plan", "--environment NAME", "show what deploying the project here would do to a deployed environment: " +
			"scripts, and what it would replace of the database", runPlan},
		{"doctor", "--environment NAME [--json]", "look at each part of a deployed environment, with the " +
			"credentials at hand, and change nothing", runDoctor},
		{"comment", "--repository NAME --pull-request ID --revision ID --commits A..B --code N --approval FILE " +
			"--markdown FILE [--role ARN]", "post a review to a pull request of CodeCommit", runComment},
		{"assembly", "--from DIR --to DIR --account NUMBER --region NAME [--lookup-role ARN] STACK…",
			"take an environment's templates out of what a branch's CDK app made", runAssembly},
		{"revert", "--to VERSION | --steps N [--sql DIR | --environment NAME] [--from VERSION] [--dry-run] [--json]",
			"undo the newest versions", runRevert},
		{"new", "[--sql DIR] NAME", "make the next versioned script and its undo script", runNew},
		{"start", "", "start the local PostgreSQL and print its URL", runStart},
		{"stop", "", "end it", runStop},
		{"clean", "", "delete the local databases", runClean},
		{"check", "[--sql DIR] [--against BRANCH] [--all] [--fix] [--no-templates] [--json | --sarif]",
			"judge the branch before the merge, without a database", runCheck},
		{"rehearse", "[--sql DIR] [--against BRANCH] [--data FILE] [--rows N] [--json]",
			"run the branch's scripts on a throw-away database and measure what they do", runRehearse},
		{"review", "[flags of both] [--diff NAME=FILE]… [--markdown FILE] [--html FILE] [--json FILE] [--sarif FILE]",
			"check and rehearse, as a comment and a page for the pull request", runReview},
		{"history", "[--sql DIR] [--assembly DIR]", "run all scripts on an empty throw-away database, as the " +
			"pipeline does before it deploys", runHistory},
		{"keep", "", "", runKeep},
	}
}

// usageError is a wrong call: exit code 2.
type usageError struct{ error }

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, cancel) // a second signal ends the program the usual way
	env := map[string]string{}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		env[name] = value
	}
	os.Exit(execute(ctx, os.Args[1:], env, os.Stdout, os.Stderr))
}

// execute runs one command and returns the exit code.
func execute(ctx context.Context, arguments []string, env map[string]string, out, err io.Writer) int {
	if len(arguments) == 0 || strings.TrimLeft(arguments[0], "-") == "help" || arguments[0] == "-h" {
		help(out)
		return 0
	}
	for _, c := range commands() {
		if c.name != arguments[0] {
			continue
		}
		flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		b, failure := newBench(env, out, err)
		code := 1
		if failure == nil {
			code, failure = c.run(ctx, b, flags, arguments[1:])
		}
		var usage usageError
		switch {
		case errors.Is(failure, flag.ErrHelp):
			fmt.Fprintf(out, "workbench %s %s: %s\n", c.name, c.flags, c.summary)
			flags.SetOutput(out)
			flags.PrintDefaults()
			return 0
		case ctx.Err() != nil:
			fmt.Fprintln(err, "workbench: interrupted")
			return 130
		case errors.As(failure, &usage):
			fmt.Fprintf(err, "workbench %s: %s\nusage: workbench %s %s\n", c.name, untrusted.Text(failure.Error()),
				c.name, c.flags)
			return 2
		case failure != nil:
			fmt.Fprintf(err, "workbench %s: %s\n", c.name, untrusted.Text(failure.Error()))
			return max(code, 1)
		}
		return code
	}
	fmt.Fprintf(err, "workbench: there is no command %q; workbench --help lists them\n", arguments[0])
	return 2
}

func help(out io.Writer) {
	fmt.Fprint(out, "workbench runs Slipway on a local PostgreSQL, or on one that exists.\nRun it in the project's "+
		"folder; make does.\n\nCommands:\n")
	for _, c := range commands() {
		if c.summary != "" {
			fmt.Fprintf(out, "  %-6s %s\n         %s\n", c.name, c.summary, strings.TrimSpace(c.name+" "+c.flags))
		}
	}
	fmt.Fprint(out, `
Examples:
  workbench run
  workbench run --sql ../other/sql
  SLIPWAY_DATABASE_URL='postgres://me@db.example:5432/app?sslrootcert=/etc/ca.pem' PGPASSWORD=… workbench run
  FLYWAY_PLACEHOLDERS_REGION=eu SLIPWAY_BASELINE_VERSION=1 workbench run
  workbench info --exit-code

Environment:
  `+databaseVariable+`   postgres:// URL of a database that exists, in place of the local one; make's DATABASE_URL
  `+copyVariable+`           postgres:// URL of a restored copy, which rehearse and review change; make's COPY
  PGPASSWORD             the password, where the URL holds none
  FLYWAY_* SLIPWAY_*     reach the program as they are, but for where its database and scripts are
  JAVA_HOME              Java 17 or newer; else java on PATH, else one is fetched
  SLIPWAY_SQUAWK         check's linter; default: a pinned one, which pip fetches
  SLIPWAY_MAVEN_MIRROR   base URL of a Maven repository. Default: `+distribution.MavenCentral+`

Exit codes are those of slipway --help; 1 also for a failure of the workbench itself.
check, rehearse and review: 0 nothing blocks the merge, 1 something does, 2 wrong call, 70 it could not be judged.
doctor: 0 nothing is wrong, 1 something is, 2 wrong call, 3 something could not be looked at and the rest is not wrong.
`)
}

// parse parses arguments, which may hold flags only.
func parse(flags *flag.FlagSet, arguments []string) error {
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return usageError{err}
	}
	if flags.NArg() > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", flags.Arg(0))}
	}
	return nil
}
