package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"slipway/lambda/settings"
	"slipway/lambda/workbench/change"
	"slipway/lambda/workbench/check"
)

// exitNotMade is the exit code of a check or rehearsal that could not be made.
const exitNotMade = 70

// branch are the flags of the commands that judge a branch.
type branch struct {
	sql, against, squawk, without string
	all, noSQL                    bool
	comparison                    comparison
}

func (o *branch) define(flags *flag.FlagSet) {
	flags.StringVar(&o.sql, "sql", defaultSQL, "`folder` of the scripts")
	flags.StringVar(&o.against, "against", "", "target `branch`; default: the first that exists of origin/master, "+
		"master, origin/main, main")
}

func (o *branch) defineCheck(flags *flag.FlagSet) {
	flags.BoolVar(&o.all, "all", false, "lint scripts that the target branch has as well")
	flags.BoolVar(&o.noSQL, "no-sql", false, "names and versions only, without the linter")
	flags.StringVar(&o.squawk, "squawk", "", "the linter's `file`; default: SLIPWAY_SQUAWK, else the pinned one, "+
		"which pip fetches")
	flags.StringVar(&o.without, "without", "", "`rules` to leave out, with commas between")
	o.comparison.define(flags)
}

// find is the branch's change of the scripts. A folder or target that isn't
// there is a wrong call.
func (o *branch) find(ctx context.Context) (*change.Change, error) {
	c, err := change.Find(ctx, o.sql, o.against)
	if errors.Is(err, change.ErrNoTarget) || errors.Is(err, os.ErrNotExist) {
		return nil, usageError{err}
	}
	return c, err
}

// options are those of a check by the settings, without the linter.
func (o *branch) options(b *bench) (check.Options, error) {
	v := settings.Read(b.env)
	flyway := v.Flyway()
	options := check.Options{
		All: o.all, OutOfOrder: flyway.OutOfOrder, Encoding: v.Encoding(), Replace: flyway.Replace,
		Table: v.Text("FLYWAY_TABLE"), Schema: v.HistorySchema(),
		Placeholders: placeholders(flyway), PlaceholderPrefix: flyway.Prefix, PlaceholderSuffix: flyway.Suffix,
	}
	if o.without != "" {
		options.WithoutRules = strings.Split(o.without, ",")
	}
	if err := v.Err(); err != nil {
		return options, usageError{err}
	}
	return options, nil
}

// check makes the check of that change.
func (o *branch) check(ctx context.Context, b *bench, c *change.Change) (*check.Result, error) {
	options, err := o.options(b)
	if err != nil {
		return nil, err
	}
	if !o.noSQL {
		program := o.squawk
		if program == "" {
			program = b.env["SLIPWAY_SQUAWK"]
		}
		linter, err := check.Find(ctx, b.cache.Dir, program, b.err)
		if err != nil {
			return nil, err
		}
		options.Linter = linter
	}
	return check.Run(ctx, c, options)
}

// placeholders are those of the settings, and what Slipway adds to them.
func placeholders(f settings.Flyway) map[string]string {
	values := map[string]string{"port": "5432", "dsn": "localhost port=5432 dbname=app user=app"}
	maps.Copy(values, f.Placeholders)
	return values
}

// runCheck is `check`. It ends with 0, with 1 when there are errors that no
// script waives, with 2 after a wrong call, and with 70 when it could not check.
func runCheck(ctx context.Context, b *bench, flags *flag.FlagSet, arguments []string) (int, error) {
	var o branch
	o.define(flags)
	o.defineCheck(flags)
	asJSON := flags.Bool("json", false, "print the result as JSON")
	fix := flags.Bool("fix", false, "write the .conf files that new scripts lack, and print their names")
	asSARIF := flags.Bool("sarif", false, "print the result as SARIF 2.1.0")
	if err := parse(flags, arguments); err != nil {
		return 2, err
	}
	if *asJSON && *asSARIF {
		return 2, usageError{errors.New("--json and --sarif exclude each other")}
	}
	c, err := o.find(ctx)
	if err != nil {
		return exitNotMade, err
	}
	if *fix {
		if c, err = o.fix(ctx, b, c); err != nil {
			return exitNotMade, err
		}
	}
	result, err := o.check(ctx, b, c)
	if err != nil {
		return exitNotMade, err
	}
	replaced, notCompared := o.comparison.compare(ctx, b, c)
	result.Add(replaced...)
	switch {
	case *asJSON:
		err = result.WriteJSON(b.out)
	case *asSARIF:
		err = result.WriteSARIF(b.out)
	default:
		err = result.WriteText(b.out, colored(b.env, b.out))
	}
	if err != nil {
		return exitNotMade, fmt.Errorf("the result could not be printed: %w", err)
	}
	if notCompared != nil {
		return exitNotMade, notCompared
	}
	if result.Failures() > 0 {
		return 1, nil
	}
	return 0, nil
}

// fix adds what new scripts lack, and returns the change with it.
func (o *branch) fix(ctx context.Context, b *bench, c *change.Change) (*change.Change, error) {
	options, err := o.options(b)
	if err != nil {
		return nil, err
	}
	written, err := check.Fix(c, options)
	for _, path := range written {
		fmt.Fprintf(b.err, "wrote %s: executeInTransaction=false\n", filepath.Join(c.Folder, filepath.FromSlash(path)))
	}
	switch {
	case errors.Is(err, check.ErrNoTarget):
		return nil, usageError{err}
	case err != nil || len(written) == 0:
		return c, err
	}
	return o.find(ctx)
}

// colored follows NO_COLOR (any value) and asks whether out is a terminal.
func colored(env map[string]string, out io.Writer) bool {
	file, ok := out.(*os.File)
	if _, no := env["NO_COLOR"]; no || !ok || env["TERM"] == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
