package migrator

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"slipway/lambda/database"
	"slipway/lambda/report"
)

// explainUndo turns what a step ended with into a typed failure that says
// where the database stands.
func (r *run) explainUndo(ctx context.Context, err error, lost bool, blockers []report.Blocker) error {
	r.nameRestore()
	var u *undoError
	if !errors.As(err, &u) {
		return err
	}
	var pg *pgconn.PgError
	var f *report.Failure
	switch known := errors.As(err, &pg); {
	case lost && ctx.Err() == nil:
		f = report.Failf(report.DatabaseUnreachable, "Run it again when the server takes connections.", "the connection to the database was lost")
	case ctx.Err() != nil:
		f = r.ended(ctx)
	case errors.As(err, &f):
	case database.IsConnectionError(err):
		f = report.Failf(report.DatabaseUnreachable, "Run it again when the server takes connections.", "the connection to the database was lost: %w", err)
	case known && pg.Code == "25006":
		f = report.Failf(report.DatabaseUnreachable, "Connect to the writer (the cluster endpoint); after a failover, run it again.", "%s", pg.Message)
	case known && pg.Code == lockNotAvailable:
		f = report.Failf(report.Locked, "Run it again when the named sessions have ended; how long a script waits is SLIPWAY_LOCK_TIMEOUT.", "a table lock was not to be had within %s", r.Config.LockTimeout)
		f.Blockers = blockers
	case known:
		f = report.Failf(report.MigrationFailed, "Correct the undo script and revert again, or go forward with a new script.", "%s", pgMessage(pg))
		f.Err = err
	default:
		f = report.AsFailure(err)
	}
	f.Script, f.Line = u.step.undo.Script, u.line
	if pg != nil {
		f.SQLState = pg.Code
	}
	version := *u.step.row.Version
	stands := orNone(r.plan.current)
	switch {
	case len(r.report.Reverted) > 0 && r.report.Reverted[len(r.report.Reverted)-1].Version == version:
		// The answer to the COMMIT was lost, not the COMMIT.
		f.Message += fmt.Sprintf("\nVersion %s had been reverted before that; the database stands at version %s.", version, stands)
	case u.half:
		f.Message += fmt.Sprintf("\nThe script ran outside a transaction, so version %s may be half undone; it counts as failed.", version)
		f.Next = fmt.Sprintf("Finish by hand what the script left half done, then run `slipway repair`: version %s is then pending.", version)
		if drops := r.dropInvalid(); drops != "" {
			f.Next = fmt.Sprintf("It left an invalid index: run `%s` and what else the script would have done, then `slipway repair`: version %s is then pending.", drops, version)
		}
	default:
		f.Message += fmt.Sprintf("\nWhat the undo of version %s did was rolled back. %s; the database stands at version %s.", version, revertedBefore(len(r.report.Reverted)), stands)
	}
	return f
}

func revertedBefore(n int) string {
	if n == 0 {
		return "Nothing was reverted"
	}
	return "Reverted before it: " + count(n, "version")
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
