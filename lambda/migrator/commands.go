package migrator

import (
	"context"
	"errors"
	"fmt"

	"slipway/lambda/database"
	"slipway/lambda/flyway"
	"slipway/lambda/history"
	"slipway/lambda/report"
	"slipway/lambda/script"
	"slipway/lambda/session"
)

// info lists every script with its state, and what would keep migrate from
// running: that is no failure of info, but it is told, and `--exit-code` counts it.
func (r *run) info(ctx context.Context) error {
	_, _ = session.Ask(r.session, func(c *database.Conn) (bool, error) {
		c.Describe(ctx, &r.report.Database)
		return true, nil
	})
	r.warnSquash()
	f := r.plan.UnreadableFailure(r.session.Table)
	if f == nil {
		f = r.plan.Contradiction()
	}
	if f != nil {
		r.report.Problems = f.Problems
		r.warn("migrate would answer %s: %s. %s", f.Code, f.Message, f.NextStep)
	}
	if r.Config.ReadOnly {
		r.leaveUndecided()
	}
	r.report.Scripts = r.plan.Listed(r.rows)
	if r.Config.ReadOnly || r.plan.UnreadableRanks() != "" || r.Config.FastPath && !r.unsure() {
		return nil
	}
	result, err := r.start(ctx, "info", r.session.Settings())
	if err != nil {
		return r.explain(ctx, err, false)
	}
	r.agree(result)
	return nil
}

func (r *run) warnSquash() {
	if warning, ok := r.plan.Squash.Warning(); ok {
		r.warn("%s", warning)
	}
}

// unsure reports whether Flyway has to be asked about a state. Callbacks change
// none, but for those that the command itself calls.
func (r *run) unsure() bool {
	return len(r.called()) > 0 && r.req.Command != "migrate" || r.plan.NeedsFlyway()
}

// agree takes Flyway's states over, where it knows better: for repeatable
// scripts whose checksum only it can tell.
func (r *run) agree(result *flyway.Result) {
	known := map[string]report.Script{}
	for _, s := range r.report.Scripts {
		known[s.Version+"\x00"+s.Description+"\x00"+s.State] = s
	}
	r.report.Scripts = nil
	r.report.Pending = []report.Script{}
	for _, m := range result.Migrations {
		s, ok := known[m.Version+"\x00"+m.Description+"\x00"+m.State]
		if !ok {
			s = report.Script{Version: m.Version, Description: m.Description, Type: m.Type, State: m.State}
		}
		r.report.Scripts = append(r.report.Scripts, s)
		if s.State == "Pending" {
			s.State = ""
			r.report.Pending = append(r.report.Pending, s)
		}
	}
}

// validate compares history and release; like Flyway's, it counts a pending
// script as a difference.
func (r *run) validate(ctx context.Context) error {
	if r.Config.ReadOnly {
		r.leaveUndecided()
	}
	r.warnSquash()
	f := r.plan.Contradiction()
	if len(r.plan.Pending) > 0 && f == nil {
		f = &report.Failure{
			Code: report.ValidationFailed, NextStep: "Run `slipway migrate`.",
			Message: fmt.Sprintf("%s pending", report.Count(len(r.plan.Pending), "script")+
				map[bool]string{true: " is", false: " are"}[len(r.plan.Pending) == 1]),
		}
		for _, p := range r.plan.Pending {
			f.Problems = append(f.Problems, report.Problem{Script: p.Script, Version: p.Version.String(),
				Reason: "is not applied yet"})
		}
	}
	if warning, ok := r.plan.Ahead(); ok {
		r.warn("%s", warning)
	}
	if f != nil && (r.Config.ReadOnly || !r.unsure()) {
		return f
	}
	if r.Config.ReadOnly || r.Config.FastPath && !r.unsure() && r.exists {
		return nil
	}
	result, err := r.start(ctx, "validate", r.session.Settings())
	if err != nil {
		return r.explain(ctx, err, false)
	}
	if result.Validation == nil || *result.Validation {
		return nil
	}
	if f == nil {
		f = &report.Failure{Code: report.ValidationFailed,
			Message:  "the history of the database and the release contradict each other",
			NextStep: "Run `slipway info` to see which scripts differ."}
		for _, bad := range result.Invalid {
			f.Problems = append(f.Problems,
				report.Problem{Script: bad.Filepath, Version: bad.Version, Reason: bad.ErrorDetails.ErrorMessage})
		}
	}
	return f
}

// repair lets Flyway put the history right: it removes failed rows, takes the
// checksums of the release, and marks scripts that are gone as deleted.
func (r *run) repair(ctx context.Context) error {
	if !r.exists {
		return report.Failf(report.BadRequest, "there is no history to repair in schema %s", r.session.Table.Schema).
			Next("Run `slipway migrate`.")
	}
	if err := r.checkTable(ctx); err != nil {
		return err
	}
	if err := r.rewriteRows(ctx); err != nil {
		return err
	}
	if r.req.Checksums != nil || r.req.Deleted != nil {
		return r.repairNamed(ctx)
	}
	if r.plan.RunsAfterRepair() {
		return report.Failf(report.ValidationFailed, "a repair would mark every version as deleted, and %s would "+
			"then run on a database that has its tables already; nothing was changed", r.plan.Squash.Script.Script).
			Next(r.plan.Squash.KeepOne())
	}
	before := r.rows
	if _, err := r.start(ctx, "repair", r.session.Settings()); err != nil {
		return r.explain(ctx, err, false)
	}
	if err := r.lookAgain(); err != nil {
		return err
	}
	r.report.Actions = append(r.report.Actions, repaired(before, r.rows)...)
	return nil
}

// repaired says in words what a repair changed. Flyway gives the rank of a row
// that it removed to a row that it adds.
func repaired(before, after []history.Row) []string {
	actions := []string{}
	was, left := map[int]history.Row{}, map[int]history.Row{}
	for _, row := range before {
		was[row.Rank] = row
	}
	for _, row := range after {
		left[row.Rank] = row
	}
	for _, row := range before {
		now, ok := left[row.Rank]
		switch {
		case !ok || now.Success != row.Success || now.Type != row.Type:
			actions = append(actions, fmt.Sprintf("removed the failed run of %s", row.Script))
		case row.Checksum != nil && now.Checksum != nil && *row.Checksum != *now.Checksum:
			actions = append(actions, fmt.Sprintf("took the checksum %d of %s (was %d)", *now.Checksum, row.Script,
				*row.Checksum))
		case row.Description != now.Description:
			actions = append(actions, fmt.Sprintf("took the description %q of %s", now.Description, row.Script))
		}
	}
	for _, row := range after {
		if row.Type == history.Delete && was[row.Rank].Type != history.Delete {
			actions = append(actions, fmt.Sprintf("marked %s as deleted", row.Script))
		}
	}
	return actions
}

// baseline adopts a database at a version: scripts up to it count as applied.
func (r *run) baseline(ctx context.Context) error {
	version := r.req.Target
	if version == "" {
		version = r.Config.Baseline
	}
	if version == "" {
		return report.Failf(report.BadRequest, "no baseline version is given").
			Next("Name the version whose scripts the database has already: `slipway baseline --target 12`, or " +
				"SLIPWAY_BASELINE_VERSION.")
	}
	v, err := script.ParseVersion(version)
	if err == nil {
		err = v.Storable()
	}
	if err != nil {
		return report.Failf(report.BadRequest, "the version of the baseline: %w", err).
			Next("Name the version as the scripts' names have it.")
	}
	_, err = r.start(ctx, "baseline", r.session.Settings(), "-baselineVersion="+version)
	var answer *flyway.Error
	if errors.As(err, &answer) && ctx.Err() == nil {
		return report.Failf(report.BadRequest, "the database can't be adopted at %s: %s", version, answer.Reason()).
			Next("Run `slipway info`: a database is adopted once, before its first migration.")
	}
	if err != nil {
		return r.explain(ctx, err, false)
	}
	return r.lookAgain()
}
