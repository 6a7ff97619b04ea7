// Command infra is the CDK app of Slipway, which cdk.json starts: it reads the
// context, checks it, and makes the stacks of every environment and the pipeline.
//
// Nothing is looked up in AWS. What is wrong with the context or with the
// scripts is on stderr, all of it, and the exit code is 1.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/environment"
	"slipway/infra/migration"
	"slipway/infra/pipeline"
	"slipway/infra/stacks"
)

// root: the CDK starts the app in the folder of cdk.json.
const root = "."

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := synthesize(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	closeRuntime()
	if err != nil {
		os.Exit(1)
	}
}

// closeRuntime ends the Node process that jsii started and deletes its folder.
//
// Two goroutines of jsii wait for that process, and the one that comes second
// prints "Runtime process exited abnormally: waitid: no child processes". All
// that we have to say is on stderr by now.
func closeRuntime() {
	if discard, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		os.Stderr = discard
	}
	jsii.Close()
}

func synthesize(ctx context.Context) error {
	app := awscdk.NewApp(nil)
	given, _ := app.Node().GetAllContext(nil).(map[string]any)
	for _, key := range []string{"environments", "pipeline"} {
		if err := fromFile(given, key); err != nil {
			return err
		}
	}
	project, err := environment.Parse(given)
	if err != nil {
		return err
	}
	all := map[string]stacks.Props{}
	for _, c := range project.Environments {
		release, err := migration.LoadRelease(ctx, root, c.Flyway["FLYWAY_ENCODING"])
		if err != nil {
			return err
		}
		all[c.Name] = stacks.Props{Config: c, Release: release, Images: project.Images, Root: root,
			Rerun: project.Rerun}
	}
	addStacks(app, project, all)
	app.Synth(nil)
	return nil
}

// addStacks makes the stacks of every environment, to be deployed from here,
// and the pipeline, which has the same ones in its stages.
func addStacks(app awscdk.App, project environment.Project, all map[string]stacks.Props) {
	account := ""
	if project.Pipeline != nil {
		account = project.Pipeline.Account
	}
	add := func(scope constructs.Construct, c environment.Config) {
		p := all[c.Name]
		p.PipelineAccount = account
		stacks.New(scope, p)
	}
	for _, c := range project.Environments {
		add(app, c)
	}
	if project.Pipeline != nil {
		pipeline.New(app, pipeline.Props{
			Images: project.Images,
			Config: *project.Pipeline, Environments: project.Environments, CLI: cliVersion(),
			AddStacks: func(stage awscdk.Stage, c environment.Config) { add(stage, c) },
		})
	}
}

//go:embed cli/package.json
var cli string

// cliVersion is the version of the CDK's command line that infra/cdk starts.
func cliVersion() string {
	return regexp.MustCompile(`"aws-cdk": "([0-9.]+)"`).FindStringSubmatch(cli)[1]
}

// fromFile replaces a key of the context that comes from the command line:
// `-c environments=@file.json`, the value of that key in a file.
func fromFile(given map[string]any, key string) error {
	text, ok := given[key].(string)
	if !ok {
		return nil
	}
	name, ok := strings.CutPrefix(text, "@")
	if !ok {
		return fmt.Errorf("%[1]s: on the command line, name a file: -c %[1]s=@%[1]s.json", key)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return fmt.Errorf("%s: %s is not JSON: %w", key, name, err)
	}
	given[key] = value
	return nil
}
