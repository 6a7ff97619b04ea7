package migrator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/lambda/history"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// SQLSTATEs of what other sessions do to a script, and not the script itself.
const (
	lockNotAvailable     = "55P03"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
)

// maxTries is how often a script runs that others bring down. For locks that it
// waits for, time alone is the limit.
const maxTries = 5

var sameObject = lazy(`tuple concurrently (updated|deleted)`)

// passing says what others did to a script that failed so, "" where the failure
// would come again, or where nobody knows.
func passing(state, message string) string {
	switch {
	case state == lockNotAvailable:
		return "it could not acquire a lock in time"
	case state == deadlockDetected:
		return "the server ended it in a deadlock"
	case state == serializationFailure:
		return "others changed the same rows at that time"
	case strings.HasPrefix(state, "XX") && sameObject().MatchString(message):
		return "another session changed the same object at that time"
	}
	return ""
}

// retries are the scripts that are run again in one run.
type retries struct {
	giveUp  time.Time // for locks
	patient bool      // locks are waited for until the run's deadline, where it has one
	pause   time.Duration
	order   []string
	again   map[string]int    // how often, by script
	why     map[string]string // the last time
}

func (r *run) newRetries(patient bool) *retries {
	return &retries{
		giveUp: time.Now().Add(r.Config.LockWait), patient: patient, again: map[string]int{}, why: map[string]string{},
	}
}

// wait waits until the script can be run again, and returns false where it
// should not be: took is what the last try cost, so what the next one may cost.
func (a *retries) wait(ctx context.Context, name, state, why string, took time.Duration) bool {
	a.pause = min(max(time.Second, 2*a.pause), 10*time.Second)
	next := time.Now().Add(a.pause)
	deadline, limited := ctx.Deadline()
	switch {
	case limited && next.Add(took).After(deadline):
		return false
	case state == lockNotAvailable && !(limited && a.patient) && next.After(a.giveUp):
		return false
	case state != lockNotAvailable && a.again[name]+1 >= maxTries:
		return false
	}
	if sleep(ctx, a.pause) != nil {
		return false
	}
	if a.again[name] == 0 {
		a.order = append(a.order, name)
	}
	a.again[name]++
	a.why[name] = why
	return true
}

// ownTime is what a start of Flyway took without the scripts that it applied.
func ownTime(took time.Duration, rank int, rows []history.Row) time.Duration {
	for _, row := range rows {
		if row.Rank > rank {
			took -= time.Duration(row.Duration) * time.Millisecond
		}
	}
	return max(took, 0)
}

// tell puts into the report what was run again.
func (a *retries) tell(r *run) {
	for _, name := range a.order {
		r.warn("%s was run again, %s: %s, and its transaction was rolled back", name, times(a.again[name]), a.why[name])
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// elsewhere matches what a rollback does not take back: a script that does such
// things is not run again by itself.
var elsewhere = lazy(`(?i)\bdblink|\b(TO|FROM)\s+PROGRAM\b|\bpg_(cancel|terminate)_backend\b`)

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
	if text == "" || elsewhere().MatchString(text) || r.endsTransaction(text) {
		return ""
	}
	return name
}
