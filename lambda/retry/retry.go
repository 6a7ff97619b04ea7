// Package retry decides when a script that other sessions brought down is run
// again: for which errors, how often, and for how long.
//
// That all of the script was rolled back is for its caller to know. It may import
// session (to wait), history and report.
package retry

import (
	"context"
	"strings"
	"time"

	"slipway/lambda/history"
	"slipway/lambda/lazyregexp"
	"slipway/lambda/report"
	"slipway/lambda/session"
)

// SQLSTATEs of what other sessions do to a script, and not the script itself.
const (
	LockNotAvailable     = "55P03"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
)

// maxTries is how often a script runs that others bring down. For locks that it
// waits for, time alone is the limit.
const maxTries = 5

var sameObject = lazyregexp.New(`tuple concurrently (updated|deleted)`)

// Passing says what others did to a script that failed so, "" where the failure
// would come again, or where nobody knows.
func Passing(state, message string) string {
	switch {
	case state == LockNotAvailable:
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

// Retries are the scripts that are run again in one run.
type Retries struct {
	giveUp  time.Time // for locks
	patient bool      // locks are waited for until the run's deadline, where it has one
	pause   time.Duration
	order   []string
	again   map[string]int    // how often, by script
	why     map[string]string // the last time
}

// New begins to count. lockWait is how long a lock is waited for in all; patient
// waits for it until the deadline, where there is one.
func New(lockWait time.Duration, patient bool) *Retries {
	return &Retries{
		giveUp: time.Now().Add(lockWait), patient: patient, again: map[string]int{}, why: map[string]string{},
	}
}

// Wait waits until the script can be run again, and returns false where it
// should not be: took is what the last try cost, so what the next one may cost.
func (a *Retries) Wait(ctx context.Context, name, state, why string, took time.Duration) bool {
	a.pause = min(max(time.Second, 2*a.pause), 10*time.Second)
	next := time.Now().Add(a.pause)
	deadline, limited := ctx.Deadline()
	switch {
	case limited && next.Add(took).After(deadline):
		return false
	case state == LockNotAvailable && !(limited && a.patient) && next.After(a.giveUp):
		return false
	case state != LockNotAvailable && a.again[name]+1 >= maxTries:
		return false
	}
	if session.Sleep(ctx, a.pause) != nil {
		return false
	}
	if a.again[name] == 0 {
		a.order = append(a.order, name)
	}
	a.again[name]++
	a.why[name] = why
	return true
}

// OwnTime is what a start of Flyway took without the scripts that it applied.
func OwnTime(took time.Duration, rank int, rows []history.Row) time.Duration {
	for _, row := range rows {
		if row.Rank > rank {
			took -= time.Duration(row.Duration) * time.Millisecond
		}
	}
	return max(took, 0)
}

// Times is how often that script was run again.
func (a *Retries) Times(name string) int { return a.again[name] }

// Tell warns of what was run again.
func (a *Retries) Tell(warn func(format string, args ...any)) {
	for _, name := range a.order {
		warn("%s was run again, %s: %s, and its transaction was rolled back", name, report.Times(a.again[name]),
			a.why[name])
	}
}

// Elsewhere matches what a rollback does not take back: a script that does such
// things is not run again by itself.
var Elsewhere = lazyregexp.New(`(?i)\bdblink|\b(TO|FROM)\s+PROGRAM\b|\bpg_(cancel|terminate)_backend\b`)
