package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"slipway/lambda/untrusted"
	"slipway/lambda/workbench/deployed"
	"slipway/lambda/workbench/replacement"
)

// runPlan is `plan`: what is pending, with the templates that the project here makes.
func runPlan(ctx context.Context, b *bench, flags *flag.FlagSet, arguments []string) (int, error) {
	environment := flags.String("environment", "", "`name` of the environment, as in cdk.json")
	if err := parse(flags, arguments); err != nil {
		return 2, err
	}
	if _, err := find(*environment); err != nil {
		return 1, err
	}
	assembly, remove, err := b.synthesizeHere(ctx)
	if err != nil {
		return 1, fmt.Errorf("what would be deployed is not known: %w", err)
	}
	defer remove()
	return b.pending(ctx, pending{sql: defaultSQL, environment: *environment, assembly: assembly})
}

// planned is what a deployment would do to an environment's database itself.
type planned struct {
	environment string
	compared    []string // stacks that are deployed, and would be again
	untouched   []string // stacks that are deployed, and would not be again
	findings    []replacement.Finding
}

// plan compares the templates of an assembly with those that are deployed.
func (b *bench) plan(ctx context.Context, name, lookupRole, assembly string) (planned, error) {
	p := planned{environment: name}
	e, err := find(name)
	if err != nil {
		return p, err
	}
	environments, err := replacement.ReadEnvironments(".")
	if err != nil {
		return p, err
	}
	after := replacement.Project{Environments: map[string]replacement.Environment{name: environments[name]}}
	if after.Stacks, err = stacksOf(assembly); err != nil {
		return p, fmt.Errorf("what would be deployed: %w", err)
	}
	names := replacement.Stacks(name)
	templates, err := deployed.Templates(ctx, e, lookupRole, names...)
	if err != nil {
		return p, err
	}
	before := replacement.Project{Stacks: map[string]replacement.Stack{}}
	for _, stack := range names {
		text, ok := templates[stack]
		if !ok {
			continue
		}
		next, again := after.Stacks[stack]
		if !again {
			p.untouched = append(p.untouched, stack)
			continue
		}
		template, err := replacement.Parse([]byte(text))
		if err != nil {
			return p, fmt.Errorf("the stack %s is deployed with %w", stack, err)
		}
		before.Stacks[stack] = replacement.Stack{Where: next.Where, Template: template}
		p.compared = append(p.compared, stack)
	}
	_, made := templates[names[0]]
	_, migrated := templates[names[1]]
	before.Environments = map[string]replacement.Environment{name: {Exists: migrated && !made}}
	p.findings = replacement.Compare(before, after)
	return p, nil
}

// print writes what was compared and what was found.
func (p planned) print(w io.Writer) {
	line := func(format string, values ...any) {
		fmt.Fprintln(w, untrusted.Indented(fmt.Sprintf(format, values...)))
	}
	for _, f := range p.findings {
		line("%s: %s", f.Level, f.Message)
		switch f.Level {
		case replacement.Refused:
			line("    %s", meant(f))
		case replacement.Allowed:
			line("    %s of cdk.json has \"database\"", f.Key())
		}
	}
	for _, stack := range p.untouched {
		line("%s is deployed, and this deployment does not touch it", stack)
	}
	switch {
	case len(p.compared) == 0:
		line("Templates: nothing of %s is deployed to compare with", p.environment)
	case p.count(replacement.Refused)+p.count(replacement.Allowed) == 0:
		line("Templates: by those of %s, no cluster, instance, key, secret, VPC or subnet would be replaced or deleted",
			strings.Join(p.compared, ", "))
	}
	fmt.Fprintln(w)
}

func (p planned) count(level replacement.Level) int {
	n := 0
	for _, f := range p.findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

// code is the exit code, where that of the scripts is given.
func (p planned) code(scripts int) int {
	if scripts == 0 && p.count(replacement.Refused) > 0 {
		return 1
	}
	return scripts
}

// outcome puts what is replaced before the outcome of the scripts: an approval
// shows the beginning.
func (p planned) outcome(scripts string) string {
	var all []string
	for _, f := range p.findings {
		if f.Level != replacement.Warning {
			all = append(all, f.Message)
		}
	}
	if all == nil {
		return scripts
	}
	return fmt.Sprintf("REPLACES OR DELETES %d of the database: %s; %s", len(all), all[0], scripts)
}
