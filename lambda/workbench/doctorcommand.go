package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	"slipway/lambda/workbench/doctor"
	"slipway/lambda/workbench/replacement"
)

// runDoctor is `doctor`. It uses the credentials at hand: the role in which a
// pipeline asks the inspector may do nothing else.
func runDoctor(ctx context.Context, b *bench, flags *flag.FlagSet, arguments []string) (int, error) {
	environment := flags.String("environment", "", "`name` of the environment, as in cdk.json")
	asJSON := flags.Bool("json", false, "print the rows as JSON")
	if err := parse(flags, arguments); err != nil {
		return 2, err
	}
	e, err := find(*environment)
	if err != nil {
		return 1, err
	}
	toolkit, err := toolkitStack(cdkFile)
	if err != nil {
		return 1, err
	}
	d := doctor.Examine(ctx, doctor.Options{
		Environment: e,
		Toolkit:     toolkit,
		Compare:     func(ctx context.Context) doctor.Row { return b.compareDeployed(ctx, e.Name) },
		Progress:    func(text string) { b.say("%s", text) },
	})
	if *asJSON {
		err = d.WriteJSON(b.out)
	} else {
		err = d.WriteText(b.out, colored(b.env, b.out))
	}
	return d.ExitCode(), err
}

// toolkitStack is the name of the bootstrap's stack in cdk.json, "" for none.
func toolkitStack(file string) (string, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	var project struct{ ToolkitStackName string }
	if err := json.Unmarshal(raw, &project); err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	return project.ToolkitStackName, nil
}

// compareDeployed is the row of what a deployment of the project here would
// replace or delete.
func (b *bench) compareDeployed(ctx context.Context, environment string) doctor.Row {
	row := doctor.Row{Part: "project here", State: doctor.Unchecked}
	assembly, remove, err := b.synthesizeHere(ctx)
	if err != nil {
		row.Found = "what it would deploy is not known: " + err.Error()
		row.Next = "infra/cdk synth --quiet shows all of the message; it needs Node and Go."
		return row
	}
	defer remove()
	p, err := b.plan(ctx, environment, "", assembly)
	if err != nil {
		row.Found = err.Error()
		row.Next = "The comparison needs cloudformation:DescribeStacks and GetTemplate."
		return row
	}
	return rowOf(row, p)
}

// rowOf says what was compared and found; each finding is one sentence.
func rowOf(row doctor.Row, p planned) doctor.Row {
	var said []string
	refused := 0
	for _, f := range p.findings {
		said = append(said, f.Message)
		if f.Level == replacement.Refused {
			if refused == 0 {
				row.Next = meant(f)
			}
			refused++
		}
	}
	for _, stack := range p.untouched {
		said = append(said, stack+" is deployed, and this deployment does not touch it")
	}
	row.Found = strings.Join(said, "; ")
	switch {
	case refused > 0:
		row.State = doctor.Wrong
	case len(p.compared) == 0:
		row.Found = "nothing is deployed to compare with"
	case len(said) > 0:
		row.State = doctor.Warning
		row.Next = "make plan ENVIRONMENT=" + p.environment + " shows all of it."
	default:
		row.State = doctor.OK
		row.Found = "deploying it would replace nothing of the database (" + strings.Join(p.compared, ", ") + ")"
	}
	return row
}
