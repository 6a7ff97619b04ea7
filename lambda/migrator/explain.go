package migrator

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"slipway/lambda/database"
	"slipway/lambda/flyway"
	"slipway/lambda/report"
	"slipway/lambda/retry"
	"slipway/lambda/session"
)

// explain turns what a start of Flyway ended with into a typed failure. lost:
// the own session went away meanwhile.
func (r *run) explain(ctx context.Context, err error, lost bool) error {
	var answer *flyway.Error
	var exit *flyway.ExitError
	switch {
	case lost && ctx.Err() == nil:
		f := report.Failf(report.DatabaseUnreachable, "the connection to the database was lost").Next(whenBack)
		r.place(f, err)
		return f
	case errors.As(err, &answer):
		return r.explainAnswer(ctx, answer)
	case ctx.Err() != nil:
		return r.ended(ctx)
	case errors.Is(err, flyway.ErrChanged):
		return report.Failf(report.SecretUnreadable, "%w", err).Next("Give the role a password without line breaks.")
	case errors.Is(err, flyway.ErrLocation):
		return report.Failf(report.BadRequest, "%w", err).Next("Name another folder for temporary files in TMPDIR.")
	case errors.Is(err, flyway.ErrIncomplete):
		return report.Failf(report.Internal, "%w", err).
			Next("Set SLIPWAY_FLYWAY_HOME to the folder with Flyway's jars.")
	case errors.Is(err, flyway.ErrTwice):
		return report.Failf(report.Internal, "%w", err).Next("Delete one of the two jars.")
	case errors.Is(err, flyway.ErrNoRoom):
		return report.Failf(report.Internal, "%w", err).
			Next("Make room in the folder for temporary files: /tmp, in Lambda the ephemeral storage.")
	case errors.As(err, &exit) && (exit.Code == 130 || exit.Code == 143):
		return report.Failf(report.Internal, "Flyway was ended by a signal: %w", err).
			Next("Run it again: " + serverRollsBack)
	case errors.As(err, &exit) && (exit.Code == 3 || exit.Code < 0 || exit.Code == 137):
		return report.Failf(report.Internal, "Flyway was killed or ran out of memory: %w", err).
			Next("Give the function more memory if this was out of it (configuration: memory), then run again; " +
				serverRollsBack)
	}
	return report.AsFailure(err)
}

// place takes over script, line and SQLSTATE from Flyway's error.
func (r *run) place(f *report.Failure, err error) {
	var answer *flyway.Error
	if !errors.As(err, &answer) {
		return
	}
	f.SQLState = answer.SQLState
	path, line := answer.Place()
	if path == "" {
		return
	}
	f.Script = r.scriptAt(path)
	f.Message = strings.TrimSpace(position.ReplaceAllString(f.Message, ""))
	r.show(f, line, answer.Reason())
}

const againGoesOn = "Run it again: it goes on where it stopped."

// ended is the failure of a run whose context ended.
func (r *run) ended(ctx context.Context) *report.Failure {
	cause := context.Cause(ctx)
	if errors.Is(cause, session.ErrDeadline) || errors.Is(cause, context.DeadlineExceeded) {
		return report.Failf(report.Deadline, "the time ran out; the statement was cancelled").
			Next(againGoesOn + " If one script alone needs longer than the limit, raise the limit or run it outside " +
				"Lambda, in Fargate or CodeBuild with the same image.")
	}
	return report.Failf(report.Interrupted, "the run was ended by a signal; the statement was cancelled").
		Next(againGoesOn)
}

// What holds after a session is gone, whether or not this program saw it.
const (
	serverRollsBack = "the server rolls a transaction back whose session is gone."
	whenBack        = "Run it again when the server takes connections; " + serverRollsBack
)

// explainAnswer types an error that Flyway returned. A next step that depends
// on what the database says is left to [run.complete].
func (r *run) explainAnswer(ctx context.Context, e *flyway.Error) error {
	f := &report.Failure{Code: report.MigrationFailed, Message: e.Reason(), Err: e}
	r.place(f, e)
	switch {
	case ctx.Err() != nil:
		ended := r.ended(ctx)
		ended.Script, ended.Line, ended.SQLState, ended.Err = f.Script, f.Line, f.SQLState, e
		ended.Excerpt = f.Excerpt
		return ended
	case e.SQLState == retry.LockNotAvailable:
		r.explainLock(f)
	case e.SQLState == "25006" && isReader(r.session):
		f.Code, f.NextStep = report.DatabaseUnreachable,
			"Connect to the writer (the cluster endpoint); after a failover, run it again."
	case database.Passing(e.SQLState) && !r.scriptsFault(f):
		f.Code, f.NextStep = report.DatabaseUnreachable, whenBack
		f.Message = "the connection to the database was lost: " + f.Message
	case f.Script != "" && e.SQLState != "":
	case e.SQLState == "42501":
		f.Code = report.AccessDenied
	case e.SQLState == "28P01" || e.SQLState == "28000":
		f.Code, f.NextStep = report.AccessDenied, "Check the secret's username and password."
	default:
		r.explainMessage(f, e)
	}
	return f
}

// explainLock says for how long a lock was waited for, as far as that is known.
func (r *run) explainLock(f *report.Failure) {
	f.Code = report.Locked
	text, _ := r.scriptText(f.Script, 0)
	switch {
	case strings.Contains(f.Message, "could not obtain lock"):
		return // NOWAIT
	case strings.Contains(strings.ToLower(text), "lock_timeout"), r.Config.LockTimeout == 0:
		f.Message = "could not acquire a table lock within the lock_timeout that script, role or server set"
	default:
		f.Message = fmt.Sprintf("could not acquire a table lock within %s, so the script gave up before the "+
			"application queued behind it",
			r.Config.LockTimeout)
	}
	f.NextStep = "Run it again when the named sessions have ended; how long a script waits is SLIPWAY_LOCK_TIMEOUT."
}

// scriptsFault reports whether a connection error is the script's own doing:
// it is named, and the run's own session is well.
func (r *run) scriptsFault(f *report.Failure) bool {
	text, _ := r.scriptText(f.Script, 0)
	return f.Script != "" && endsItself(f.SQLState, text) && r.session.Well()
}

// endsItself reports whether a session that ended so can have been ended by its
// own script. That it was ended from outside (57P01) is the script's doing only
// where it says so.
func endsItself(state, text string) bool {
	switch state {
	case "57P05":
		return true
	case "57P01":
		return ends[state]().MatchString(text)
	}
	return strings.HasPrefix(state, "08")
}

// explainMessage types the errors that Flyway has no code of PostgreSQL for.
func (r *run) explainMessage(f *report.Failure, e *flyway.Error) {
	message := e.Message
	switch {
	case strings.Contains(message, "Detected both transactional and non-transactional statements"):
		f.Code, f.NextStep = report.BadRelease, "Split it: statements that can't run in a transaction (CREATE INDEX "+
			"CONCURRENTLY, VACUUM, …) into a script of their own."
	case strings.Contains(message, "No value provided for placeholder"),
		strings.Contains(message, "default placeholder"):
		f.Code, f.NextStep = report.BadRelease, "Configure the placeholder (FLYWAY_PLACEHOLDERS_<NAME>)."
	case strings.Contains(message, "Unable to parse statement"):
		f.NextStep = "Correct the script (a quote, a comment or a block is not closed) and run again: nothing of it " +
			"was run."
	case strings.HasPrefix(e.Code, "DUPLICATE_"):
		f.Code, f.NextStep = report.BadRelease, "Give each script a version of its own."
	case e.Code == "NON_EMPTY_SCHEMA_WITHOUT_SCHEMA_HISTORY_TABLE":
		f.Code = report.SchemaNotEmpty
		f.Message = fmt.Sprintf("the schema %s has tables, and no history of migrations", r.session.Table.Schema)
		f.NextStep = `Adopt it: set database.baseline ("12") in cdk.json, or SLIPWAY_BASELINE_VERSION, to the version whose scripts it has already.`
	case e.Code == "VALIDATE_ERROR":
		f.Code, f.NextStep = report.ValidationFailed, "Run `slipway info` to see which scripts differ."
		f.Message = message
	case strings.Contains(message, "retries exceeded while attempting to acquire PostgreSQL advisory lock"):
		f.Code, f.NextStep = report.Locked, "Wait for the other Flyway to end, then run again."
		f.Message = "another Flyway holds the lock of this history"
		f.Blockers = r.session.FlywayLockHolders()
	case strings.Contains(message, "contains a failed"):
		f.Code, f.NextStep = report.PreviousFailed, "Remove what it left half done, run `slipway repair`, then "+
			"migrate again."
	case strings.Contains(message, commitFailed):
		// The history tells whose commit it was.
	case e.SQLState == "" && f.Script == "" && r.callbackNames() != "":
		// Flyway does not say which callback failed, nor that one did.
		f.NextStep = "Correct the callback that did it (" + r.callbackNames() +
			"); if none did, report this with the log of the run."
	case e.SQLState == "" && f.Script == "":
		f.Code, f.NextStep = report.Internal, "Report this with the log of the run."
	}
}

func (r *run) callbackNames() string {
	var names []string
	for _, c := range r.set.Callbacks {
		if !strings.Contains(c.Script, "__zz_slipway_") { // those of a rehearsal
			names = append(names, c.Script)
		}
	}
	return strings.Join(names, ", ")
}

// failure completes an error of a run: its context's end, what the driver says
// of a lost connection, and, for what stands in the history, the way on.
func (r *run) failure(ctx context.Context, err error) error {
	if errors.Is(err, errNothingLeft) {
		return nil
	}
	var f *report.Failure
	if errors.As(err, &f) {
		r.complete(f)
		if f.Excerpt == nil && f.Script != "" {
			r.show(f, f.Line, "")
		}
		return f
	}
	if ctx.Err() != nil || errors.Is(err, session.ErrDeadline) || errors.Is(err, session.ErrInterrupted) {
		return r.ended(ctx)
	}
	var table *database.UnreadableError
	if errors.As(err, &table) {
		return report.Failf(report.ValidationFailed, "%w; nothing was run", err).
			Next("Name the history's table (FLYWAY_TABLE, FLYWAY_DEFAULT_SCHEMA), or give this one the columns of " +
				"Flyway's.")
	}
	if r.session.IsOpen() && database.IsConnectionError(err) {
		return report.Failf(report.DatabaseUnreachable, "the connection to the database was lost: %w", err).
			Next(whenBack)
	}
	return database.Denied(err)
}
