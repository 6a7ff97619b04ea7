// Command local deploys the project's real stacks, with the real image, to an
// emulator of AWS on this machine, shows what came of it, and tears all of it
// down: a whole deployment, without an account. README.md beside it says what
// that shows and what it cannot.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"slipway/infra/local/ground"
	"slipway/lambda/report"
)

func main() {
	o := options{}
	flag.StringVar(&o.scripts, "sql", "", "folder of migration scripts (default: the project's sql/postgresql)")
	flag.StringVar(&o.environment, "environment", "local",
		"name of the environment; one of cdk.json's is deployed with its settings, a database made here in place of "+
			"an existing one")
	flag.BoolVar(&o.keep, "keep", false, "leave it running until Ctrl-C")
	flag.BoolVar(&o.verbose, "verbose", false, "show what the CDK prints")
	flag.Parse()

	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := deploy(ctx, o, os.Stdout, os.Stderr)
	interrupted := ctx.Err() != nil
	cancel()
	switch {
	case interrupted:
		fmt.Fprintln(os.Stderr, "interrupted; everything was torn down")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "deploy-local:", err)
		os.Exit(1)
	}
}

type options struct {
	scripts, environment string
	keep, verbose        bool
}

// deploy shows the result on out and its progress on log.
func deploy(ctx context.Context, o options, out, log io.Writer) (err error) {
	started := time.Now()
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	settings := ground.Options{Root: root, Scripts: o.scripts, Log: log}
	if o.verbose {
		settings.Output = log
	}
	g, err := ground.Start(ctx, settings)
	if err != nil {
		return err
	}
	defer func() {
		if failure := g.Close(); failure != nil && err == nil {
			err = failure
		}
		fmt.Fprintf(log, "%6.1fs  in all; everything was torn down\n", time.Since(started).Seconds())
	}()
	environment, err := settingsOf(root, o.environment)
	if err != nil {
		return err
	}
	if err := g.Configure(map[string]map[string]any{o.environment: environment}); err != nil {
		return err
	}
	printed, failure := g.Deploy(ctx, o.environment)
	if failure != nil && !o.verbose {
		fmt.Fprintln(log, relevant(printed))
	}
	if err := showReports(out, g); err != nil {
		return err
	}
	if failure != nil {
		return failure
	}
	stack, err := g.Stack(ctx, "slipway-"+o.environment)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nStack slipway-%s: %s\n", o.environment, stack.Status)
	for _, name := range slices.Sorted(maps.Keys(stack.Outputs)) {
		fmt.Fprintf(out, "  %-18s %s\n", name, stack.Outputs[name])
	}
	if o.keep {
		fmt.Fprintf(out, "\n%s\n", g.Access())
		<-ctx.Done()
	}
	return nil
}

// settingsOf are an environment's settings of cdk.json, as far as they make
// sense here, or those of a throw-away one where cdk.json has none of the name.
func settingsOf(root, name string) (map[string]any, error) {
	content, err := os.ReadFile(filepath.Join(root, "cdk.json"))
	if err != nil {
		return nil, err
	}
	var file struct {
		Context struct {
			Environments map[string]map[string]any `json:"environments"`
		} `json:"context"`
	}
	if err := json.Unmarshal(content, &file); err != nil {
		return nil, fmt.Errorf("cdk.json: %w", err)
	}
	environment := map[string]any{"throwaway": true}
	given := file.Context.Environments[name]
	for _, key := range []string{"memory", "timeout", "placeholders", "flyway", "lockTimeout"} {
		if value, ok := given[key]; ok {
			environment[key] = value
		}
	}
	if database, ok := given["database"].(map[string]any); ok {
		kept := map[string]any{}
		for _, key := range []string{"name", "baseline"} {
			if value, ok := database[key]; ok {
				kept[key] = value
			}
		}
		environment["database"] = kept
	}
	return environment, nil
}

// showReports prints the report of each call of the function, from its log.
func showReports(out io.Writer, g *ground.Ground) error {
	calls, err := g.Calls()
	if err != nil {
		return err
	}
	for _, call := range calls {
		for line := range strings.Lines(call.Log) {
			var record struct {
				Report *report.Report `json:"report"`
			}
			if json.Unmarshal([]byte(line), &record) == nil && record.Report != nil {
				fmt.Fprintf(out, "\n%s of %s:\n\n", call.Event.RequestType, "Custom::FlywayMigration")
				if err := record.Report.WriteText(out, false); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// relevant are the lines of the CDK's output that say why it failed.
func relevant(printed string) string {
	_, failed, found := strings.Cut(printed, "❌")
	if !found {
		lines := strings.Split(strings.TrimSpace(printed), "\n")
		return strings.Join(lines[max(0, len(lines)-20):], "\n")
	}
	return "❌" + failed
}
