// Package rehearse runs a branch's scripts on a database that may be spoilt,
// with the real Flyway, and tells what they do to it: how long each takes,
// which locks it holds on whose tables and for how long, what it rewrites,
// how many rows it touches, and whether its undo script takes it back.
//
// It decides what is measured and how. What of it is acceptable is its
// reader's; only a script that fails and an undo script that does not restore
// the schema fail a rehearsal.
//
// How the figures come about: a callback of the rehearsal's own runs at the
// end of each script, in its transaction, and reports the session's locks,
// rows and files by NOTIFY, which PostgreSQL delivers at the commit. Since
// locks are held to that end, the list is complete. When a lock was taken is
// seen by a sampler that reads pg_locks every few milliseconds; the times are
// given as upper bounds, by one pause between samples at most.
package rehearse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/flyway"
	"slipway/lambda/migrator"
	"slipway/lambda/report"
	"slipway/lambda/settings"
	"slipway/lambda/workbench/catalog"
	"slipway/lambda/workbench/change"
)

// Options of a rehearsal.
type Options struct {
	Target       database.Target // whose role runs the scripts; everything in the database may be lost
	Admin        database.Target // who fills tables; its Host "" leaves that to Target
	Installation flyway.Installation
	Flyway       settings.Flyway
	Encoding     string // of the scripts; "" is UTF-8
	Schema       string // of the history; "" is the role's current one
	Table        string // of the history; "" is flyway_schema_history
	Baseline     string // version at which a database without a history is adopted
	LockTimeout  time.Duration
	Limit        time.Duration // of the whole rehearsal, so that a script which never ends fails; 0 for none
	Restored     bool          // the database is a copy of one that is in use, with its rows
	Undo         bool          // undo the new scripts and apply them again
	Data         string        // SQL that fills the target branch's tables; "" for none
	Rows         int           // how many rows each table gets that Data leaves empty; 0 for none
	Log          *slog.Logger
	Progress     func(format string, args ...any)
}

// stepLimit is how many new versioned scripts are run one by one, each with a
// start of Flyway of its own, so that the schema can be looked at in between.
// More of them run in one go.
const stepLimit = 10

// Run rehearses a change. Its error says that the rehearsal could not be made;
// a script that fails is part of the report.
func Run(ctx context.Context, c *change.Change, o Options) (*Report, error) {
	temp, err := os.MkdirTemp("", "slipway-rehearse-")
	if err != nil {
		return nil, fmt.Errorf("no room for temporary files: %w", err)
	}
	defer os.RemoveAll(temp) //nolint:errcheck // a leftover in /tmp is no failure
	if o.Table == "" {
		o.Table = "flyway_schema_history"
	}
	x := &rehearsal{
		Options: o, change: c, stage: temp + "/sql", callbacks: temp + "/measure",
		secrets: newSecrets(),
		report: &Report{
			Against: c.Against, Base: c.BaseCommit, Tip: c.TipCommit, Restored: o.Restored,
			Scripts: []Script{}, Undo: []Undo{}, StartedAt: time.Now().UTC(),
		},
	}
	if o.Limit > 0 {
		x.until = time.Now().Add(o.Limit)
	}
	if x.db, err = connect(ctx, o.Target); err != nil {
		return nil, err
	}
	defer x.db.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is lost with it
	var version int
	if err := x.db.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return nil, err
	}
	if err := writeCallbacks(x.callbacks, version, x.secrets); err != nil {
		return nil, fmt.Errorf("no room for temporary files: %w", err)
	}
	x.report.Server = x.db.PgConn().ParameterStatus("server_version")
	err = x.run(ctx)
	x.report.DurationMs = float64(time.Since(x.report.StartedAt).Microseconds()) / 1000
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return x.report, err
}

func (x *rehearsal) run(ctx context.Context) error {
	if ok, err := x.target(ctx); err != nil || !ok {
		return err
	}
	if err := x.fill(ctx); err != nil {
		return err
	}
	steps := x.steps()
	if err := x.allow(ctx, tree(x.change.Merged())); err != nil || x.report.Failure != nil {
		return err
	}
	before, err := x.look(ctx)
	if err != nil {
		return err
	}
	first := before
	x.report.Before, x.report.After = before.schema, before.schema
	for i := range steps {
		s := &steps[i]
		s.before = before
		if err := s.tree.rewrite(x.stage); err != nil {
			return err
		}
		ok, err := x.measure(ctx, s)
		if err != nil || !ok {
			return err
		}
		if before, err = x.look(ctx); err != nil {
			return err
		}
		x.report.After, x.report.Diff = before.schema, catalog.Diff(first.text, before.text)
	}
	if x.Undo {
		return x.undo(ctx, steps, before)
	}
	return nil
}

// target brings the target branch's scripts up. A failure there is the
// report's failure.
func (x *rehearsal) target(ctx context.Context) (ok bool, err error) {
	if len(x.change.Tip) == 0 && !x.Restored {
		return true, nil
	}
	if len(migrations(x.change.Tip)) == 0 {
		return true, nil
	}
	x.Progress("bringing up the %d scripts of %s", len(migrations(x.change.Tip)), x.change.Against)
	// A branch may be there to remove what makes the target branch no release.
	tip := maps.Clone(x.change.Tip)
	maps.DeleteFunc(tip, func(p string, e change.Entry) bool { return e.Bad != nil })
	if err := tree(tip).rewrite(x.stage); err != nil {
		return false, err
	}
	rep, err := x.migrate(ctx, migrator.Request{Command: "migrate"}, x.stage)
	if err != nil {
		x.fail("the target branch", rep)
		return false, notMade(err)
	}
	x.report.TargetScripts = len(rep.Applied)
	return true, nil
}

// fail takes a failed run of the migrator over.
func (x *rehearsal) fail(where string, rep *report.Report) {
	f := &Failure{
		Where: where, Code: string(rep.Code), Script: rep.Script, Line: rep.Line, Excerpt: rep.Excerpt,
		SQLState: rep.SQLState, Message: rep.Message, Next: rep.Next,
		Server: !x.Restored && migrator.ServerLacks(rep.SQLState, rep.Message),
	}
	switch {
	case ownCallback(rep.Script) && len(rep.Pending) > 0:
		// What a script defers fails there, and what it left of its session.
		f.Script, f.Line, f.Excerpt = rep.Pending[0].Script, 0, nil
		f.Message = "at the end of the script: " + f.Message
	case rep.Code == report.Deadline:
		f.Message = fmt.Sprintf("the rehearsal's limit of %s is over", x.Limit)
		f.Next = "Raise the limit (--timeout). A script that Flyway never gets through ends so, too."
		if f.Script == "" && len(rep.Pending) > 0 {
			f.Script = rep.Pending[0].Script
		}
	}
	for _, p := range rep.Problems {
		f.Problems = append(f.Problems, p.String())
	}
	x.report.Failure = f
}

// notMade is nil for failures that are the scripts', and the error for those
// that say nothing about them.
func notMade(err error) error {
	var f *report.Failure
	if !errors.As(err, &f) {
		return err
	}
	switch f.Code {
	case report.Deadline, report.MigrationFailed, report.ValidationFailed, report.BadRelease, report.Locked,
		report.PreviousFailed, report.SchemaNotEmpty, report.RevertRefused:
		return nil
	}
	return err
}
