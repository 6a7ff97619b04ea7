package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
	"slipway/lambda/script"
	"slipway/lambda/settings"
	"slipway/lambda/workbench/deployed"
)

// runRepair is `repair`: of a local database, of one that exists, or of a deployed environment.
func runRepair(ctx context.Context, b *bench, flags *flag.FlagSet, arguments []string) (code int, err error) {
	w := where{release: true}
	w.defineDeployed(flags)
	asJSON := flags.Bool("json", false, "print the report as JSON")
	rows := flags.String("rows", "", "`ranks` of the rows to rewrite or to mark as deleted, as a report named them")
	dryRun := flags.Bool("dry-run", false, "of a deployed environment: print what would change, and change nothing")
	if err := w.parse(b, flags, arguments); err != nil {
		return 2, err
	}
	if w.environment != "" {
		return b.repairDeployed(ctx, w, *rows, *dryRun, *asJSON)
	}
	if *dryRun {
		return 2, usageError{errors.New("--dry-run needs --environment: `info` shows what a repair here is about")}
	}
	call := []string{"repair"}
	if *rows != "" {
		call = append(call, "--rows="+*rows)
	}
	return b.call(ctx, w, *asJSON, call...)
}

// repairDeployed repairs the history of a deployed environment so that it fits the
// scripts here. The deployed function may have the former ones: its stack takes the
// former image back when a deployment fails. The changes are printed before they are made.
func (b *bench) repairDeployed(ctx context.Context, w where, rows string, dryRun, asJSON bool) (int, error) {
	e, err := find(w.environment)
	if err != nil {
		return 1, err
	}
	client, err := b.connectTo(ctx, e, "")
	if err != nil {
		return 1, err
	}
	info, err := client.Ask(ctx, deployed.Request{Command: "info"})
	if err != nil {
		return 1, err
	}
	r := &report.Report{Command: "repair", Code: report.OK, Database: info.Database, DryRun: dryRun}
	if !info.OK() {
		return b.finish(info, asJSON)
	}
	v := settings.Read(e.Settings)
	if err := v.Err(); err != nil {
		return 1, err
	}
	set, err := script.LoadEncoded(v.Encoding(), w.sql)
	if err != nil {
		return report.BadRelease.Exit(), err
	}
	repair, err := migrator.RepairOf(set, info, forecastConfig(v, e.Name), rows)
	if err != nil {
		r.Fail(report.AsFailure(err))
		return b.finish(r, asJSON)
	}
	if dryRun {
		r.Actions = repair.Actions
		return b.finish(r, asJSON)
	}
	b.sayWhere(info)
	for _, action := range repair.Actions {
		b.say("to be changed: %s", action)
	}
	r, err = client.Ask(ctx, deployed.Request{
		Command: "repair", Rows: repair.Rows, Checksums: repair.Checksums, Deleted: repair.Deleted,
	})
	if err != nil {
		return 1, err
	}
	if r.Code == report.BadRequest && strings.Contains(r.Message, `unknown field "checksums"`) {
		return 1, fmt.Errorf("the function deployed in %s is older than this checkout, and knows no such repair: "+
			"deploy this Slipway with the scripts as they were applied first", w.environment)
	}
	return b.finish(r, asJSON)
}

// sayWhere prints which database is about to be changed.
func (b *bench) sayWhere(info *report.Report) {
	d := info.Database
	b.say("Database  %s on %s:%d as %s", d.Name, d.Host, d.Port, d.User)
}

// finish prints a report and returns its exit code.
func (b *bench) finish(r *report.Report, asJSON bool) (int, error) {
	if err := b.print(r, asJSON); err != nil {
		return 1, err
	}
	return r.Code.Exit(), nil
}
