package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"slipway/lambda/workbench/deployed"
	"slipway/lambda/workbench/postgres"
)

// line is what cdk.json says of the pipeline, as far as it concerns the whole
// history.
type line struct {
	Environments []string
	History      *bool // nil is true
	Roles        []string
}

// readLine reads cdk.json here. It is read anew in each build, not written into
// the pipeline's commands: a commit that changes it would fail in the build
// that has to take it over.
func readLine(file string) (line, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return line{}, fmt.Errorf("what the pipeline deploys is read from cdk.json: %w", err)
	}
	var project struct{ Context struct{ Pipeline line } }
	if err := json.Unmarshal(raw, &project); err != nil {
		return line{}, fmt.Errorf("%s: %w", file, err)
	}
	if len(project.Context.Pipeline.Environments) == 0 {
		return line{}, fmt.Errorf("%s: pipeline.environments names no environment whose settings would hold", file)
	}
	return project.Context.Pipeline, nil
}

// runHistory is `history`: a deployment of all scripts to an empty database,
// with the settings that the pipeline's last environment is to have.
func runHistory(ctx context.Context, b *bench, flags *flag.FlagSet, arguments []string) (code int, err error) {
	sql := flags.String("sql", defaultSQL, "`folder` of the scripts")
	assembly := flags.String("assembly", "cdk.out", "`folder` of the cloud assembly whose settings hold")
	if err := parse(flags, arguments); err != nil {
		return 2, err
	}
	l, err := readLine(cdkFile)
	if err != nil {
		return 1, err
	}
	if l.History != nil && !*l.History {
		b.say("the whole history is not run: pipeline.history is false in cdk.json")
		return 0, nil
	}
	last := l.Environments[len(l.Environments)-1]
	settings, err := deployed.Settings(*assembly, deployed.Environment{Name: last})
	if err != nil {
		return 1, err
	}
	b.say("all scripts, on an empty throw-away PostgreSQL, with the settings of %s", last)
	server, err := postgres.Start(ctx, postgres.Options{Cache: b.cache, Ephemeral: true})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	const role = "migrator" // as in a rehearsal; "app" may be one of the roles
	if err := createRoles(ctx, server, l.Roles, role); err != nil {
		return 1, fmt.Errorf("pipeline.roles in cdk.json: %w", err)
	}
	fresh := *b
	fresh.throwAway, fresh.role = server, role
	fresh.env = withSettings(b.env, settings)
	code, err = fresh.run(ctx, where{sql: *sql}, false)
	if code != 0 || err != nil {
		b.say("\n%s", "An empty database does not take all scripts in their order. Correct the script that is named "+
			"above. Where only your\nown servers can take them, say so in cdk.json: pipeline.roles names roles that "+
			"these have; \"history\": false in\npipeline leaves this run out (for extensions that PostgreSQL does "+
			"not come with, or tables older than the scripts).")
	}
	return code, err
}

// withSettings is the environment of a process with what the scripts get in an
// environment: Flyway's settings and placeholders, and the baseline. Those of
// the process itself do not count.
func withSettings(env, settings map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range env {
		if !strings.HasPrefix(name, "FLYWAY_") && name != "SLIPWAY_BASELINE_VERSION" && name != databaseVariable {
			out[name] = value
		}
	}
	for name, value := range settings {
		if strings.HasPrefix(name, "FLYWAY_") || name == "SLIPWAY_BASELINE_VERSION" || name == "SLIPWAY_LOCK_TIMEOUT" {
			out[name] = value
		}
	}
	// The schemas of a database that exists are there.
	if out["FLYWAY_SCHEMAS"]+out["FLYWAY_DEFAULT_SCHEMA"] != "" {
		out["FLYWAY_CREATE_SCHEMAS"] = "true"
	}
	return out
}
