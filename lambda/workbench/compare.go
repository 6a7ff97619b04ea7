package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"slipway/lambda/workbench/change"
	"slipway/lambda/workbench/check"
	"slipway/lambda/workbench/replacement"
)

// comparison are the flags of the commands that compare the templates of a
// branch with those of its target.
type comparison struct {
	project     string
	templates   assemblies
	noTemplates bool
}

func (o *comparison) define(flags *flag.FlagSet) {
	flags.StringVar(&o.project, "project", ".", "`folder` of the branch's project, with its cdk.json")
	flags.Var(&o.templates, "templates", "`NAME=FOLDER`: the cloud assembly that counts as the branch's for that "+
		"environment; can be repeated, and the branch's app is not run then")
	flags.BoolVar(&o.noTemplates, "no-templates", false, "leave out the comparison of what would be deployed")
}

// assemblies are folders by the name of an environment.
type assemblies map[string]string

func (a *assemblies) String() string { return "" }

func (a *assemblies) Set(value string) error {
	name, folder, ok := strings.Cut(value, "=")
	if !ok || name == "" || folder == "" {
		return errors.New("write it as NAME=FOLDER")
	}
	if *a == nil {
		*a = assemblies{}
	}
	(*a)[name] = folder
	return nil
}

// compare finds what the merge would replace or delete of what holds an
// environment's data. Where the branch began stands for its target: what the
// target has changed since, a merge keeps.
func (o *comparison) compare(ctx context.Context, b *bench, c *change.Change) ([]check.Finding, error) {
	if o.noTemplates {
		return nil, nil
	}
	project, ok, err := c.Project(ctx, o.project)
	if err != nil || !ok {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "slipway-compare-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	base, err := project.Checkout(ctx, filepath.Join(folder, "base"))
	if err != nil {
		return nil, err
	}
	b.say("comparing what would be deployed with %s", c.Against)
	before, err := b.projectOf(ctx, base, filepath.Join(folder, "before"))
	if err != nil {
		return nil, fmt.Errorf("what %s (%s) would deploy is not known: %w", c.Against, c.BaseCommit, err)
	}
	file := filepath.ToSlash(filepath.Join(project.Prefix, replacement.File))
	if len(o.templates) > 0 {
		return o.given(before, file)
	}
	after, err := b.projectOf(ctx, o.project, filepath.Join(folder, "after"))
	if err != nil {
		return nil, fmt.Errorf("what this branch would deploy is not known: %w", err)
	}
	return findings(replacement.Compare(before, after), file), nil
}

// given compares with the templates that others have taken out of what the
// branch's app made. Environments that they did not look for don't count.
func (o *comparison) given(before replacement.Project, file string) ([]check.Finding, error) {
	environments, err := replacement.ReadEnvironments(o.project)
	if err != nil {
		return nil, err
	}
	after := replacement.Project{Environments: environments, Stacks: map[string]replacement.Stack{}}
	var all []check.Finding
	for name := range before.Environments {
		_, stays := environments[name]
		folder, looked := o.templates[name]
		if !stays {
			continue
		}
		if !looked {
			delete(before.Environments, name)
			continue
		}
		stacks, err := stacksOf(folder)
		if err != nil {
			delete(before.Environments, name)
			all = append(all, check.Finding{
				Rule: check.ReplacedDatabase, Level: check.Error, File: file,
				Message: fmt.Sprintf("%s: what would be deployed is not compared: its templates are not there", name),
				Help:    "The difference of the environment says why.",
			})
		}
		for stack := range stacks {
			after.Stacks[stack] = stacks[stack]
		}
	}
	return append(all, findings(replacement.Compare(before, after), file)...), nil
}

// findings are those of a comparison as a check has them.
func findings(found []replacement.Finding, file string) []check.Finding {
	var all []check.Finding
	for _, f := range found {
		one := check.Finding{Rule: check.ReplacedDatabase, Level: check.Error, File: file, Message: f.Message}
		switch f.Level {
		case replacement.Refused:
			one.Help = meant(f)
		case replacement.Allowed:
			one.Waived = fmt.Sprintf("%s of cdk.json has \"database\"", f.Key())
		case replacement.Warning:
			one.Rule, one.Level = check.DatabaseAtRisk, check.Warning
			one.Message = f.Environment + ": " + f.Message
		}
		all = append(all, one)
	}
	return all
}

// meant is the next step after a refusal.
func meant(f replacement.Finding) string {
	return fmt.Sprintf("Take the edit back. If it is meant, save the data first, and allow it in cdk.json: %s = "+
		"[\"database\"].", f.Key())
}
