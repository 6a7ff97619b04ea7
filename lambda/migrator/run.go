package migrator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/history"
	"slipway/lambda/plan"
	"slipway/lambda/report"
	"slipway/lambda/script"
	"slipway/lambda/session"
)

// run is the state of one request.
type run struct {
	*Migrator
	req    Request
	report *report.Report
	log    *slog.Logger
	// deadline is when the answer must be there; zero for none.
	deadline time.Time

	set     *script.Set
	session *session.Session
	rows    []history.Row
	exists  bool // the history's table
	trusted bool // [run.checkOthers] has passed once
	plan    *plan.Plan
	seen    []history.Row // what the last start of Flyway was seen to apply
	unread  bool          // the history could not be read after Flyway ended
	invalid []string      // the indexes that were invalid before Flyway started; nil where nobody looked
	staging staging
}

func (r *run) do(ctx context.Context) error {
	if !slices.Contains(Commands, r.req.Command) {
		return report.Failf(report.BadRequest, "unknown command %q", r.req.Command).
			Next("Use one of " + strings.Join(Commands, ", ") + ".")
	}
	if field := r.req.misplaced(); field != "" {
		return report.Failf(report.BadRequest, "%s means nothing to %s", field, r.req.Command).
			Next("Leave it out, or use the command that it belongs to.")
	}
	if err := r.checkReadOnly(); err != nil {
		return err
	}
	if err := r.load(); err != nil {
		return err
	}
	err := r.session.Open(ctx)
	r.report.Database = r.session.Database()
	if err != nil {
		return err
	}
	if err := r.findTable(ctx); err != nil {
		return err
	}
	if !r.req.reads() {
		if err := r.lock(ctx); err != nil {
			return err
		}
	}
	if err := r.look(ctx); err != nil {
		return err
	}
	r.report.SchemaVersionBefore = r.plan.Current.String()
	if f := r.plan.UnreadableFailure(r.session.Table); f != nil && r.req.Command != "info" &&
		r.req.Command != "repair" {
		return f
	}
	switch r.req.Command {
	case "info":
		return r.info(ctx)
	case "validate":
		return r.validate(ctx)
	case "repair":
		return r.repair(ctx)
	case "baseline":
		return r.baseline(ctx)
	case "revert":
		return r.revert(ctx)
	}
	return r.migrate(ctx)
}

// load reads the release.
func (r *run) load() error {
	set, err := script.LoadEncoded(r.Config.Encoding, r.Config.Locations...)
	var bad *script.ReleaseError
	if errors.As(err, &bad) {
		f := report.Failf(report.BadRelease, "the scripts make no release: %s", bad.Problems[0]).
			Next("Correct the files; nothing was run.")
		f.Script, f.Line = bad.Problems[0].Script, bad.Problems[0].Line
		if len(bad.Problems) > 1 {
			f.Message = fmt.Sprintf("the scripts make no release: %s", report.Count(len(bad.Problems), "problem"))
		}
		for _, p := range bad.Problems {
			f.Problems = append(f.Problems, report.Problem{Script: p.Script, Line: p.Line, Reason: p.Reason})
		}
		return f
	}
	if err != nil {
		return err
	}
	r.set = set
	r.report.Release = set.Manifest(0).Digest
	return nil
}

// look reads the history and makes the plan anew.
func (r *run) look(ctx context.Context) error {
	exists := false
	rows, err := session.Ask(r.session, func(c *database.Conn) (rows []history.Row, err error) {
		rows, exists, err = c.History(ctx, r.session.Table)
		return rows, err
	})
	if err != nil {
		return err
	}
	r.exists = exists
	return r.replan(rows)
}

// replan makes the plan of that history.
func (r *run) replan(rows []history.Row) (err error) {
	r.rows = rows
	rules := r.Config.rules(r.session.Target())
	rules.Version = r.Runner.Version
	if r.req.Command == "migrate" && r.req.Target != "" {
		if rules.Target, err = r.targetVersion(); err != nil {
			return err
		}
	}
	if r.plan, err = plan.Make(r.set, rows, rules); err != nil {
		return err
	}
	r.report.SchemaVersionAfter = r.plan.Current.String()
	r.report.Pending = r.plan.PendingScripts()
	return nil
}

func (r *run) targetVersion() (script.Version, error) {
	v, err := script.ParseVersion(r.req.Target)
	if err != nil {
		return v, report.Failf(report.BadRequest, "target: %w", err).Next("Name a version of the release as target.")
	}
	for _, f := range slices.Concat(r.set.Versioned, r.set.Baselines) {
		if f.Version.Compare(v) == 0 {
			return v, nil
		}
	}
	return v, report.Failf(report.BadRequest, "target: the release has no version %s", v).
		Next("Name a version of the release as target.")
}

// placeholders are the configured ones, port and dsn made from the database
// where they are not given.
func (r *run) placeholders() map[string]string { return r.Config.placeholders(r.session.Target()) }

func (c Config) placeholders(t database.Target) map[string]string {
	all := map[string]string{"port": fmt.Sprint(t.Port), "dsn": t.DSN()}
	maps.Copy(all, c.Flyway.Placeholders)
	return all
}

// rules are the plan's for a database. Flyway's checksum of a repeatable script is
// over its text with placeholders replaced; Flyway's own are not known here.
func (c Config) rules(t database.Target) plan.Rules {
	return plan.Rules{OutOfOrder: c.Flyway.OutOfOrder, Repeatable: func(f script.File) (sum int32, ok bool, err error) {
		if f.LiteralPlaceholders || !c.Flyway.Replace {
			return f.Checksum, true, nil
		}
		text, err := f.Text()
		if err != nil {
			return 0, false, notAsRead(f, err)
		}
		replaced, unknown := script.Replace(string(text), c.Flyway.Prefix, c.Flyway.Suffix, c.placeholders(t))
		return script.Checksum([]byte(replaced)), len(unknown) == 0, nil
	}}
}

func (r *run) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.log.Debug(text) // who reads the log reads the report in it, or after it
	r.report.Warnings = append(r.report.Warnings, text)
}

// close removes the temporary files, ends the own session and thereby frees
// the run's lock.
func (r *run) close() {
	r.staging.remove()
	r.session.Close()
}
