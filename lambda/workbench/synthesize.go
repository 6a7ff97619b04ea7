package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"slipway/lambda/workbench/assembly"
	"slipway/lambda/workbench/replacement"
)

// projectOf is what the project in a folder would deploy: its app is run into
// out, a new folder. Without a cdk.json it is nothing.
func (b *bench) projectOf(ctx context.Context, folder, out string) (replacement.Project, error) {
	environments, err := replacement.ReadEnvironments(folder)
	if err != nil || environments == nil {
		return replacement.Project{}, err
	}
	if err := b.synthesize(ctx, folder, out); err != nil {
		return replacement.Project{}, err
	}
	stacks, err := stacksOf(out)
	return replacement.Project{Environments: environments, Stacks: stacks}, err
}

// stacksOf are the stacks of a cloud assembly by name.
func stacksOf(folder string) (map[string]replacement.Stack, error) {
	found, err := assembly.Read(folder)
	if err != nil {
		return nil, err
	}
	stacks := map[string]replacement.Stack{}
	for name, stack := range found {
		template, err := replacement.Parse(stack.Template)
		if err != nil {
			return nil, fmt.Errorf("the stack %s: %w", name, err)
		}
		stacks[name] = replacement.Stack{Where: stack.Environment, Template: template}
	}
	return stacks, nil
}

// synthesizeHere runs the app of the project here into a temporary folder, which
// remove deletes.
func (b *bench) synthesizeHere(ctx context.Context) (assembly string, remove func(), err error) {
	folder, err := os.MkdirTemp("", "slipway-cdk.out-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(folder) }
	assembly = filepath.Join(folder, "cdk.out")
	if err := b.synthesize(ctx, ".", assembly); err != nil {
		remove()
		return "", nil, err
	}
	return assembly, remove, nil
}

// lastWords is how much of what a failed app said is shown, in bytes.
const lastWords = 2000

// synthesize runs the app of the project in a folder as the CDK's command line
// does, but that one asks AWS for the profile's account, and this asks nobody.
func (b *bench) synthesize(ctx context.Context, folder, out string) error {
	settings := map[string]any{}
	app := ""
	for _, name := range []string{"cdk.context.json", replacement.File} {
		raw, err := os.ReadFile(filepath.Join(folder, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		given := map[string]any{}
		if err := json.Unmarshal(raw, &given); err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(folder, name), err)
		}
		if name == replacement.File {
			app, _ = given["app"].(string)
			given, _ = given["context"].(map[string]any)
		}
		maps.Copy(settings, given)
	}
	if app == "" {
		return fmt.Errorf("%s names no app, such as \"go run ./infra\"", filepath.Join(folder, replacement.File))
	}
	text, err := json.Marshal(settings)
	if err != nil {
		return err
	}
	to, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "sh", "-c", app)
	command.Dir = folder
	for name, value := range b.env {
		if !strings.HasPrefix(name, "CDK_") {
			command.Env = append(command.Env, name+"="+value)
		}
	}
	command.Env = append(command.Env, "CDK_CONTEXT_JSON="+string(text), "CDK_OUTDIR="+to,
		"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20")
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	if err := command.Run(); err != nil {
		words := strings.TrimSpace(said.String())
		return fmt.Errorf("%s fails, %w: %s", app, err, words[max(0, len(words)-lastWords):])
	}
	return nil
}
