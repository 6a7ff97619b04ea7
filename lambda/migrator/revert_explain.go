package migrator

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"slipway/lambda/database"
	"slipway/lambda/report"
	"slipway/lambda/retry"
)

// explainUndo turns what a step ended with into a typed failure that says
// where the database stands.
func (r *run) explainUndo(ctx context.Context, err error, lost bool, blockers []report.Blocker) error {
	r.nameRestore()
	var u *undoError
	if !errors.As(err, &u) {
		return err
	}
	f := r.undoFailure(ctx, u, lost, blockers)
	f.Script, f.Line = u.step.undo.Script, u.line
	if text, values, ok := r.original(f.Script); ok && u.at != nil {
		r.mark(f, text, values, *u.at)
	}
	version := *u.step.row.Version
	stands := orNone(r.plan.Current)
	switch {
	case len(r.report.Reverted) > 0 && r.report.Reverted[len(r.report.Reverted)-1].Version == version:
		// The answer to the COMMIT was lost, not the COMMIT.
		f.Message += fmt.Sprintf("\nVersion %s had been reverted before that; the database stands at version %s.",
			version, stands)
	case u.half:
		f.Message += fmt.Sprintf("\nThe script ran outside a transaction, so version %s may be half undone; it "+
			"counts as failed.", version)
		f.NextStep = fmt.Sprintf("Finish by hand what the script left half done, then run `slipway repair`: version "+
			"%s is then pending.", version)
		if drops := r.dropInvalid(u.step.text); drops != "" {
			f.NextStep = fmt.Sprintf("It left an invalid index: run `%s` and what else the script would have done, "+
				"then `slipway repair`: version %s is then pending.", drops, version)
		}
	default:
		f.Message += fmt.Sprintf("\nWhat the undo of version %s did was rolled back. %s; the database stands at "+
			"version %s.",
			version, revertedBefore(len(r.report.Reverted)), stands)
	}
	return f
}

// undoFailure is the failure without its place and without what became of the version.
func (r *run) undoFailure(ctx context.Context, u *undoError, lost bool, blockers []report.Blocker) *report.Failure {
	var pg *pgconn.PgError
	var f *report.Failure
	known := errors.As(u.err, &pg)
	switch {
	case ctx.Err() != nil:
		f = r.ended(ctx)
	case !lost && known && r.undoScriptsFault(u, pg.Code):
		f = report.Failf(report.MigrationFailed, "%s", pgMessage(pg)).Next(r.adviseUndo(u, pg.Code, pgMessage(pg)))
		f.Err = u.err
	case lost || database.IsConnectionError(u.err) && !r.session.Well():
		f = report.Failf(report.DatabaseUnreachable, "the connection to the database was lost").
			Next("Run it again when the server takes connections.")
	case errors.As(u.err, &f):
	case database.IsConnectionError(u.err) && !known && r.undoSituation(u, "08006", u.err.Error()).setting != "":
		f = report.Failf(report.MigrationFailed, "the undo script's session was ended: %w", u.err).
			Next(r.adviseUndo(u, "08006", u.err.Error()))
	case database.IsConnectionError(u.err):
		f = report.Failf(report.DatabaseUnreachable, "the undo script's session was ended while others went on: %w",
			u.err).
			Next("Run it again.")
	case known && pg.Code == "25006":
		f = report.Failf(report.DatabaseUnreachable, "%s", pg.Message).
			Next("Connect to the writer (the cluster endpoint); after a failover, run it again.")
	case known:
		f = report.Failf(report.Locked, "%s", pgMessage(pg)).
			Next("Run it again when the named sessions have ended; how long a script waits is SLIPWAY_LOCK_TIMEOUT.")
		f.Blockers = blockers
	default:
		f = report.AsFailure(u.err)
	}
	if known {
		f.SQLState = pg.Code
	}
	return f
}

// undoScriptsFault reports whether an error of the server says something of the script.
func (r *run) undoScriptsFault(u *undoError, state string) bool {
	switch {
	case state == retry.LockNotAvailable:
		return false
	case state == "25006":
		return !isReader(r.session)
	case database.Passing(state):
		return endsItself(state, u.step.text) && r.session.Well()
	}
	return true
}

// adviseUndo is the next step of an undo script that failed with that SQLSTATE.
func (r *run) adviseUndo(u *undoError, state, message string) string {
	next := r.undoSituation(u, state, message).advise()
	// Without a line, a name that is missing is one of the history's.
	if next != "" && (u.line > 0 || !strings.HasPrefix(state, "42")) {
		return next + " Then revert again, or go forward with a new script."
	}
	return "Correct the undo script and revert again, or go forward with a new script."
}

func (r *run) undoSituation(u *undoError, state, message string) *situation {
	text := u.step.text
	s := &situation{
		state: state, message: message, script: u.step.undo.Script, role: r.session.Target().User,
		database: r.session.Target().Name,
		outside:  u.step.outside, rehearsal: r.Config.Rehearsal, statement: fromLine(text, u.line),
		atCommit: u.line == 0,
	}
	r.examine(s, text)
	return s
}

func revertedBefore(n int) string {
	if n == 0 {
		return "Nothing was reverted"
	}
	return "Reverted before it: " + report.Count(n, "version")
}

// pgMessage is all that the server said of an error.
func pgMessage(e *pgconn.PgError) string {
	var b strings.Builder
	b.WriteString(e.Message)
	for _, more := range []struct{ name, text string }{{"Detail", e.Detail}, {"Hint", e.Hint}, {"Where", e.Where}} {
		if more.text != "" {
			fmt.Fprintf(&b, "\n%s: %s", more.name, more.text)
		}
	}
	return b.String()
}
