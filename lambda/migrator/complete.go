package migrator

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"slipway/lambda/database"
	"slipway/lambda/flyway"
	"slipway/lambda/lazyregexp"
	"slipway/lambda/report"
	"slipway/lambda/script"
	"slipway/lambda/sqltext"
)

// commitFailed is what Flyway says when the statements of a script succeeded
// and its COMMIT did not: deferred constraints are checked there.
const commitFailed = "Unable to commit transaction"

// complete gives a failed run its next step, from the error, the script, the
// settings of the database, and what the history says of the script now.
func (r *run) complete(f *report.Failure) {
	if f.Code == report.PreviousFailed && f.Script != "" && r.session.IsOpen() {
		text, _ := r.scriptText(f.Script, 0)
		if drops := r.dropInvalid(text); drops != "" {
			f.NextStep = "It left an invalid index: run `" + drops + "` and `slipway repair`, then migrate again."
		} else if next := r.finalize(f.Script, text); next != "" {
			f.NextStep = next
		}
		return
	}
	var answer *flyway.Error
	if !errors.As(f.Err, &answer) {
		return
	}
	s := situation{
		state: f.SQLState, message: answer.Reason(), role: r.session.Target().User, database: r.session.Target().Name,
		rehearsal: r.Config.Rehearsal,
		atCommit: f.Script == "" && strings.Contains(answer.Message, commitFailed) && r.req.Command == "migrate" &&
			!r.unread,
	}
	if s.atCommit {
		r.placeCommit(f)
	}
	s.script = f.Script
	s.outside = r.recordedAsFailed(f.Script)
	text, statement := r.scriptText(f.Script, f.Line)
	s.statement = statement
	if f.NextStep == "" {
		if s.state != "" {
			r.examine(&s, text)
		}
		f.NextStep = s.advise()
		if f.NextStep == "" && !r.cutOff(f) {
			f.NextStep = "Correct the script."
			if f.Script == "" {
				f.NextStep = "Correct what the message names."
			}
		}
	}
	if r.Config.Rehearsal == NoRehearsal {
		f.NextStep = strings.TrimSpace(f.NextStep + " " + r.whatStays(f, &s, text))
	}
}

// placeCommit names the script whose COMMIT failed: the first that the history
// lacks. Where it lacks none, a callback after the scripts is left.
func (r *run) placeCommit(f *report.Failure) {
	f.Message += "\nIt was checked at the end of the transaction."
	if len(r.plan.Pending) > 0 {
		f.Script = r.plan.Pending[0].Script
		f.Message = strings.TrimSuffix(f.Message, "the transaction.") + "the script's transaction."
	} else if r.callbackNames() != "" {
		f.NextStep = "All scripts are applied; correct the callback that did it (" + r.callbackNames() +
			"), then run again."
	}
}

// recordedAsFailed reports whether the history holds a failed run of the
// script: Flyway writes one only for what ran outside a transaction.
func (r *run) recordedAsFailed(name string) bool {
	if r.plan == nil || name == "" {
		return false
	}
	for _, row := range r.plan.Failed {
		if row.Script == name {
			return true
		}
	}
	return false
}

// cutOff reports whether the script was ended, not refused: time, a signal, a cancel.
func (r *run) cutOff(f *report.Failure) bool {
	return f.Code == report.Deadline || f.Code == report.Interrupted || f.Code == report.DatabaseUnreachable ||
		f.SQLState == "57014"
}

// severalTransactions are the statements that commit on their way: one that
// fails may leave something, where any other single statement leaves nothing.
var severalTransactions = lazyregexp.New(
	`^(CALL|DO|REINDEX|CLUSTER|VACUUM|(CREATE|ALTER|DROP) SUBSCRIPTION|ALTER TABLE .*DETACH)\b`)

// whatStays says what became of the failed script's own changes, and what has to
// be done about it before the next run. It says only what was seen: a failed
// entry in the history, none, or an index that was not invalid before the run.
func (r *run) whatStays(f *report.Failure, s *situation, text string) string {
	files := slices.Concat(r.set.Versioned, r.set.Baselines, r.set.Repeatable)
	known := slices.ContainsFunc(files, func(file script.File) bool { return file.Script == f.Script })
	if !known || r.unread || r.req.Command != "migrate" {
		return ""
	}
	if !s.outside {
		switch {
		case r.cutOff(f) && f.Code != report.MigrationFailed, f.Code == report.Locked, f.Code == report.BadRelease,
			strings.Contains(f.NextStep, "nothing of it was run"):
			return ""
		case r.endsTransaction(text):
			return "The script ends its own transaction, so part of what it did may stay: look before you run it again."
		}
		if strings.Contains(f.NextStep, "run it again") {
			return "What the script did was rolled back."
		}
		return "Then run again: what the script did was rolled back."
	}
	if drops := r.dropInvalid(text); drops != "" {
		return "It ran outside a transaction and left an invalid index: run `" + drops +
			"` and `slipway repair`, then migrate again."
	}
	if next := r.finalize(f.Script, text); next != "" {
		f.NextStep = ""
		return next
	}
	statements := sqltext.Statements(text)
	switch {
	case r.cutOff(f):
		f.NextStep = strings.TrimPrefix(f.NextStep, againGoesOn)
		return "Some of what the script did stays, for it ran outside a transaction. If it is made to go on where " +
			"it stopped, run `slipway repair`, then migrate again; if not, finish or undo by hand what it did " +
			"before that."
	case len(statements) == 1 && !severalTransactions().MatchString(statements[0]):
		return "It ran outside a transaction, and its one statement left nothing: run `slipway repair`, then " +
			"migrate again."
	}
	return "It ran outside a transaction, so what it did before stays: finish or undo that by hand, run `slipway " +
		"repair`, then migrate again."
}

// endsTransaction reports whether the script holds a statement that ends the
// transaction in which it ran.
func (r *run) endsTransaction(text string) bool {
	return slices.ContainsFunc(sqltext.Split(text), sqltext.Statement.ControlsTransaction)
}

// dropInvalid are the statements that remove the indexes that a script left
// invalid, "" for none: those that were not so before the run, or, where that
// is not known, those that its text names.
func (r *run) dropInvalid(text string) string {
	indexes := r.invalidIndexes()
	var drops []string
	for _, index := range indexes {
		if r.invalid != nil && slices.Contains(r.invalid, index) || r.invalid == nil && !names(text, index) {
			continue
		}
		drops = append(drops, "DROP INDEX CONCURRENTLY "+index+";")
	}
	return strings.Join(drops, " ")
}

// invalidIndexes never is nil, also when the database can't be asked.
func (r *run) invalidIndexes() []string {
	indexes := []string{}
	r.session.AskAtEnd(func(ctx context.Context, c *database.Conn) {
		found, err := c.InvalidIndexes(ctx)
		if err == nil {
			indexes = append(indexes, found...)
		}
	})
	return indexes
}

// rebuilt is how REINDEX CONCURRENTLY calls the index that it builds, and the one that it replaces.
var rebuilt = lazyregexp.New(`_cc(new|old)\d*$`)

// names reports whether a script can have left that index. One that the
// release does not have (any more) can have left any.
func names(text, index string) bool {
	name := strings.Trim(index[strings.LastIndexByte(index, '.')+1:], `"`)
	if rebuilt().MatchString(name) && strings.Contains(strings.ToUpper(text), "REINDEX") {
		return true
	}
	name = rebuilt().ReplaceAllString(name, "")
	return text == "" || regexp.MustCompile(`(?i)(^|[^\w])`+regexp.QuoteMeta(name)+`([^\w]|$)`).MatchString(text)
}
