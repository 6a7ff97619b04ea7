package review

import (
	"strings"
	"testing"

	"slipway/lambda/workbench/rehearse"
)

// What the throw-away server lacked is no fault of the scripts, and no approval either.
func TestWhatTheServerLacked(t *testing.T) {
	r := &Review{Rehearsal: &rehearse.Report{Failure: &rehearse.Failure{
		Where: "the new scripts", Code: "MIGRATION_FAILED", Script: "V2__x.sql", SQLState: "42704",
		Message: `role "app" does not exist`,
		Next:    "Name it with --roles app.", Server: true,
	}}}
	r.Cross()
	if r.OK() || len(r.NotMade) != 1 || !strings.Contains(r.NotMade[0], "--roles app") ||
		r.Verdict() != "could not be judged in full" {
		t.Errorf("%s: %q", r.Verdict(), r.NotMade)
	}
	if n := len(r.Blockers()); n != 0 {
		t.Errorf("%d things block the merge", n)
	}
}
