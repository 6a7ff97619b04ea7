package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"slipway/lambda/workbench/deployed"
)

// runRevert is `revert`: on the local database, one that exists, or a deployed environment.
func runRevert(ctx context.Context, b *bench, flags *flag.FlagSet, arguments []string) (code int, err error) {
	var w where
	w.defineDeployed(flags)
	to := flags.String("to", "", "`version` to go back to; 0 undoes everything")
	steps := flags.Int("steps", 0, "`number` of versions to undo")
	from := flags.String("from", "", "the current `version`, repeated for safety")
	dryRun := flags.Bool("dry-run", false, "print the plan and change nothing")
	asJSON := flags.Bool("json", false, "print the report as JSON")
	if err := w.parse(b, flags, arguments); err != nil {
		return 2, err
	}
	if (*to == "") == (*steps == 0) {
		return 2, usageError{errors.New("say how far: either --to VERSION or --steps N")}
	}
	if w.environment != "" {
		request := deployed.Request{Command: "revert", To: *to, Steps: *steps, From: *from, DryRun: *dryRun}
		return b.revertDeployed(ctx, w.environment, request, *asJSON)
	}
	call := []string{"revert", "--to=" + *to, fmt.Sprintf("--steps=%d", *steps), "--from=" + *from}
	if *dryRun {
		call = append(call, "--dry-run")
	}
	return b.call(ctx, w, *asJSON, call...)
}

// revertDeployed prints which database is about to be changed, and has it changed.
func (b *bench) revertDeployed(ctx context.Context, environment string, request deployed.Request, asJSON bool) (int,
	error) {
	client, err := b.connect(ctx, environment, "")
	if err != nil {
		return 1, err
	}
	if !request.DryRun {
		info, err := client.Ask(ctx, deployed.Request{Command: "info"})
		if errors.Is(err, deployed.ErrNoInspector) {
			b.say("which database this changes is not known: %v", err)
		} else if err != nil {
			return 1, err
		} else if !info.OK() {
			return b.finish(info, asJSON)
		} else {
			b.sayWhere(info)
		}
	}
	r, err := client.Ask(ctx, request)
	if err != nil {
		return 1, err
	}
	return b.finish(r, asJSON)
}
