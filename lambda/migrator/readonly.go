package migrator

import (
	"slices"
	"strings"

	"slipway/lambda/report"
	"slipway/lambda/script"
)

// reads reports whether the request leaves database and history as they are.
func (q Request) reads() bool {
	return q.Command == "info" || q.Command == "validate" || q.Command == "revert" && q.DryRun
}

// checkReadOnly refuses what would change the database where the settings say
// that the program only reads.
func (r *run) checkReadOnly() error {
	if !r.Config.ReadOnly || r.req.reads() {
		return nil
	}
	return report.Failf(report.BadRequest, "this one only reads (SLIPWAY_READ_ONLY=true), and %s changes the database",
		r.req.Command).
		Next("Ask it to info, to validate or to revert with dryRun; for the rest call the function that the stack's " +
			"output FunctionName names.")
}

// called are the callbacks of the release that Flyway would run for this
// command. One of them can do anything: set another role or search_path before
// Flyway reads the history, turn a read-only session off, make tables.
func (r *run) called() []script.File {
	return slices.DeleteFunc(slices.Clone(r.set.Callbacks), func(f script.File) bool {
		return !strings.Contains(f.Event, "Connect") && !strings.Contains(strings.ToLower(f.Event), r.req.Command)
	})
}

// leaveUndecided reports what only Flyway could tell as undecided. A program
// that only reads does not start Flyway: it would run the release's callbacks.
func (r *run) leaveUndecided() {
	r.report.Undecided = r.plan.LeaveUndecided()
	for _, f := range r.called() {
		r.report.Undecided = append(r.report.Undecided,
			"Flyway would run the callback "+f.Script+" first; it was not run")
	}
	r.report.Pending = r.plan.PendingScripts()
}
