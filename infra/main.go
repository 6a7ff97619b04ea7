// Command infra is the CDK app of Slipway, which cdk.json starts: it reads the
// context, checks it, and makes the stacks of every environment.
//
// Nothing is looked up in AWS. What is wrong with the context or with the
// scripts is on stderr, all of it, and the exit code is 1.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/environment"
	"slipway/infra/migration"
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
	jsii.Close()
	if err != nil {
		os.Exit(1)
	}
}

func synthesize(ctx context.Context) error {
	app := awscdk.NewApp(nil)
	given, _ := app.Node().GetAllContext(nil).(map[string]any)
	if err := environmentsFile(given); err != nil {
		return err
	}
	project, err := environment.Parse(given)
	if err != nil {
		return err
	}
	for _, c := range project.Environments {
		release, err := migration.LoadRelease(ctx, root, c.Flyway["FLYWAY_ENCODING"])
		if err != nil {
			return err
		}
		stacks.New(app, stacks.Props{Config: c, Release: release, Images: project.Images, Root: root, Rerun: project.Rerun})
	}
	app.Synth(nil)
	return nil
}

// environmentsFile replaces "environments" where it comes from the command line:
// `-c environments=@file.json`, the value of that key in a file.
func environmentsFile(given map[string]any) error {
	text, ok := given["environments"].(string)
	if !ok {
		return nil
	}
	name, ok := strings.CutPrefix(text, "@")
	if !ok {
		return errors.New("environments: on the command line, name a file: -c environments=@environments.json")
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("environments: %w", err)
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return fmt.Errorf("environments: %s is not JSON: %w", name, err)
	}
	given["environments"] = value
	return nil
}
