package migrator

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/flyway"
	"slipway/lambda/history"
	"slipway/lambda/plan"
	"slipway/lambda/report"
	"slipway/lambda/retry"
	"slipway/lambda/script"
	"slipway/lambda/session"
)

// migrate applies what is pending.
func (r *run) migrate(ctx context.Context) error {
	if len(r.plan.Future) > 0 && len(r.plan.Undecided) > 0 {
		if err := r.ask(ctx); err != nil {
			return err
		}
	}
	if f := r.plan.Contradiction(); f != nil {
		return f
	}
	if warning, ok := r.plan.Ahead(); ok {
		r.warn("%s; nothing was run", warning)
		return nil
	}
	r.warnSquash()
	if err := r.checkPlaceholders(); err != nil {
		return err
	}
	if err := r.checkWorkingDirectory(); err != nil {
		return err
	}
	if err := r.checkMixed(); err != nil {
		return err
	}
	if err := r.checkScripts(); err != nil {
		return err
	}
	if r.settled() {
		return nil
	}
	if err := r.checkEmptied(ctx); err != nil {
		return err
	}
	if err := r.checkOldHistory(ctx); err != nil {
		return err
	}
	if err := r.checkTable(ctx); err != nil {
		return err
	}
	if err := r.checkRights(ctx); err != nil {
		return err
	}
	if err := r.checkNeeds(ctx); err != nil {
		return err
	}
	if err := r.checkInvalid(ctx); err != nil {
		return err
	}
	if err := r.checkDetached(ctx); err != nil {
		return err
	}
	if now, err := r.now(ctx); err == nil && len(r.plan.Pending) > 0 {
		r.report.RestorePoint = &now
	}
	// Which of the scripts comes when decides on its lock_timeout.
	if len(r.plan.Undecided) > 0 &&
		slices.ContainsFunc(r.plan.Pending, func(f script.File) bool { return f.NoTransaction }) {
		if err := r.ask(ctx); err != nil {
			return err
		}
	}
	before := history.LastRank(r.rows)
	pending := r.plan.Pending
	err := r.applyAll(ctx)
	// Whatever Flyway said, the history tells what was applied.
	if again := r.lookAgain(); again != nil {
		r.unread = true
		r.warn("the history could not be read after the run: what is reported as applied was seen while it ran, and " +
			"more may have been; run `slipway info`")
		if err == nil {
			return again
		}
		if again := r.replan(append(slices.Clone(r.rows), r.seen...)); again != nil {
			return err
		}
	} else {
		r.mayBeHalfDone(err)
		r.warnOfSessions()
	}
	r.report.Applied = plan.AppliedSince(before, r.rows, pending)
	for _, row := range r.rows {
		if row.Rank > before && row.Type == history.Baseline {
			r.warn("the database had tables and no history: adopted at version %s", *row.Version)
		}
	}
	if history.LastRank(r.rows) == before {
		r.report.RestorePoint = nil // nothing was changed
	}
	if err != nil {
		r.nameRestore()
		return err
	}
	r.plan.DropUndecided()
	r.report.Pending = r.plan.PendingScripts()
	if n := len(r.plan.Pending); n > 0 {
		return report.Failf(report.Internal, "Flyway reports success, and the history lacks %s that it was to "+
			"apply, %s first", report.Count(n, "script"), r.plan.Pending[0].Script).
			Next("Run `slipway info` and report this with its output.")
	}
	return nil
}

// ask has Flyway tell of which scripts only it can tell whether they are pending.
func (r *run) ask(ctx context.Context) error {
	result, err := r.start(ctx, "info", r.session.Settings())
	if err != nil {
		return r.explain(ctx, err, false)
	}
	pending := map[string]bool{}
	for _, m := range result.Migrations {
		pending[m.Description] = pending[m.Description] || m.Version == "" && m.State == "Pending"
	}
	r.plan.Decide(func(f script.File) bool { return pending[f.Description] })
	r.report.Pending = r.plan.PendingScripts()
	return nil
}

// nameRestore names the command that restores the cluster as it was before the run.
func (r *run) nameRestore() {
	if r.report.RestorePoint != nil && r.Config.Cluster != "" {
		r.report.Restore = fmt.Sprintf("aws rds restore-db-cluster-to-point-in-time --source-db-cluster-identifier "+
			"%s --db-cluster-identifier %s-restored --restore-to-time %s",
			r.Config.Cluster, r.Config.Cluster, r.report.RestorePoint.Format(time.RFC3339))
	}
}

// settled reports whether nothing is to be done and that is certain, so that
// Flyway need not be asked.
func (r *run) settled() bool {
	return r.Config.FastPath && r.exists && len(r.plan.Pending) == 0 && r.plan.Certain() && !r.makesSchemas()
}

// makesSchemas reports whether Flyway may make a schema besides the history's.
func (r *run) makesSchemas() bool {
	e := r.Config.Flyway.Environment
	return strings.Contains(e["FLYWAY_SCHEMAS"], ",") && e["FLYWAY_CREATE_SCHEMAS"] != "false"
}

// effort is how many scripts a run on a new database would have that costs
// Flyway as much: after each script it goes through all of them.
func (r *run) effort() int {
	pending, all := len(r.plan.Pending), len(r.set.Versioned)+len(r.set.Baselines)+len(r.set.Repeatable)
	return int(math.Sqrt(float64(pending) * float64(max(pending, all))))
}

// lookAgain reads the history after Flyway ended, within the time kept for it.
func (r *run) lookAgain() error {
	ctx, cancel := r.session.Cleanup(5*time.Second, 0.7)
	defer cancel()
	if err := r.session.Reopen(ctx); err != nil {
		return err
	}
	return r.look(ctx)
}

// applyAll runs Flyway over the pending scripts. A script that failed because of
// other sessions, and of which nothing stays, is run again while there is time.
func (r *run) applyAll(ctx context.Context) error {
	retries := retry.New(r.Config.LockWait, true)
	defer retries.Tell(r.warn)
	for {
		rank := history.LastRank(r.rows)
		begun := time.Now()
		blockers, err := r.apply(ctx)
		took := time.Since(begun)
		var failure *report.Failure
		if !errors.As(err, &failure) {
			return err
		}
		if failure.Code == report.Deadline || failure.Code == report.Locked && len(failure.Blockers) == 0 {
			failure.Blockers = blockers
		}
		var answer *flyway.Error
		if !errors.As(failure.Err, &answer) || failure.Code != report.Locked && failure.Code != report.MigrationFailed {
			return err
		}
		why := retry.Passing(failure.SQLState, answer.Reason())
		if why == "" || r.lookAgain() != nil {
			return err
		}
		name := r.rolledBack(failure)
		if name == "" {
			return err
		}
		r.log.Warn("a script failed because of others; trying again while there is time",
			"script", name, "reason", why, "blockers", fmt.Sprint(blockers))
		if !retries.Wait(ctx, name, failure.SQLState, why, retry.OwnTime(took, rank, r.rows)) {
			if n := retries.Times(name); n > 0 {
				failure.Message += fmt.Sprintf("\nIt was run %s.", report.Times(n+1))
			}
			return err
		}
		if err := r.lookAgain(); err != nil {
			return err
		}
	}
}

// apply is one start of Flyway's migrate. It also answers who blocked it.
func (r *run) apply(ctx context.Context) ([]report.Blocker, error) {
	var args []string
	if r.req.Target != "" {
		args = append(args, "-target="+r.req.Target)
	}
	if r.Config.Baseline != "" && !r.exists {
		args = append(args, "-baselineOnMigrate=true", "-baselineVersion="+r.Config.Baseline)
	}
	settings := r.session.Settings()
	session.LimitStatements(ctx, settings)
	if err := r.cleanSessions(settings); err != nil {
		return nil, r.explain(ctx, err, false)
	}
	if err := r.listen(ctx); err != nil {
		return nil, err
	}
	w := r.session.Watch(ctx, history.LastRank(r.rows), r.logProgress)
	_, err := r.start(w.Context, "migrate", settings, args...)
	blockers, lost := w.Stop()
	r.seen = w.Rows
	if err != nil {
		return blockers, r.explain(ctx, err, lost)
	}
	return nil, nil
}

func (r *run) logProgress(rows []history.Row) {
	applied := plan.AppliedSince(math.MinInt, rows, r.plan.Pending)
	r.log.Info(fmt.Sprintf("applied %d of %d", len(applied), len(r.plan.Pending)), "last", rows[len(rows)-1].Script)
}

// now is the server's clock.
func (r *run) now(ctx context.Context) (time.Time, error) {
	return session.Ask(r.session, func(c *database.Conn) (time.Time, error) { return c.Now(ctx) })
}

// start runs Flyway once, on what [run.stage] wrote.
func (r *run) start(ctx context.Context, verb string, settings map[string]string, args ...string) (*flyway.Result,
	error) {
	if r.Config.ReadOnly {
		return nil, report.Failf(report.Internal, "a program that only reads would have started Flyway").
			Next("Report this with the log of the run.")
	}
	if err := r.checkOthers(ctx); err != nil {
		return nil, err
	}
	if err := r.stage(); err != nil {
		return nil, err
	}
	// A script can make a schema that comes first in the next session's path.
	environment := map[string]string{"FLYWAY_DEFAULT_SCHEMA": r.session.Table.Schema}
	for name, value := range r.Config.Flyway.Environment {
		environment[name] = value
	}
	for name, value := range r.placeholders() {
		environment["FLYWAY_PLACEHOLDERS_"+strings.ToUpper(name)] = value
	}
	runner := r.Runner
	runner.Log = func(line string) {
		r.log.Debug("flyway", "line", r.staging.original(strings.ReplaceAll(line, string(r.session.Target().Password),
			"********")))
	}
	runner.Interrupt = r.session.CancelStatements
	runner.Grace = session.GraceFor(ctx)
	again := r.session.Reconnector(ctx)
	for {
		begun := time.Now()
		r.log.Info("starting Flyway", "command", verb, "scripts", len(r.plan.Pending))
		result, err := r.staging.originals(runner.Run(ctx, flyway.Command{
			Verb: verb, URL: r.session.Target().JDBCURL(r.session.Application(), settings),
			User: r.session.Target().User, Password: string(r.session.Target().Password),
			Locations: r.staging.locations(verb), TempDir: r.staging.root, Settings: environment, Scripts: r.effort(),
			MemoryMB: r.Config.MemoryMB,
			Args:     append(args, fmt.Sprintf("-lockRetryCount=%d", r.lockRetries(ctx))),
		}))
		r.report.FlywayVersion = runner.Version()
		r.log.Info("Flyway ended", "command", verb, "milliseconds", time.Since(begun).Milliseconds())
		r.session.Sweep()
		if !again(err) {
			return result, err
		}
	}
}

// lockRetries is how many seconds Flyway may wait for its own lock, which a
// Flyway that is not Slipway's can hold.
func (r *run) lockRetries(ctx context.Context) int {
	wait := r.Config.LockWait
	if deadline, ok := ctx.Deadline(); ok && (r.req.WaitForLock || time.Until(deadline) < wait) {
		wait = time.Until(deadline)
	}
	return max(1, int(wait.Seconds()))
}

// rolledBack returns the script that a failed start of Flyway ended at, "" where
// not all that it did is known to be rolled back. The history has been read since:
// a script that failed outside a transaction has its row there, and is not pending.
// Of a callback Flyway tells neither name nor SQLSTATE: it is not run again.
func (r *run) rolledBack(f *report.Failure) string {
	name := f.Script
	if name == "" && len(r.plan.Failed) == 0 && len(r.plan.Pending) > 0 {
		// The commit of the first script that the history lacks, or the row that Flyway writes of it.
		name = r.plan.Pending[0].Script
	}
	at := slices.IndexFunc(r.plan.Pending, func(file script.File) bool { return file.Script == name })
	if at < 0 || r.plan.Pending[at].NoTransaction {
		return ""
	}
	text, _ := r.scriptText(name, 0)
	if text == "" || retry.Elsewhere().MatchString(text) || r.endsTransaction(text) {
		return ""
	}
	return name
}
