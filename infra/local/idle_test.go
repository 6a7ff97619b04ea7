//go:build deploy

package main

import (
	"fmt"
	"strings"
	"time"
)

// comesBackIn is how long the emulator takes to bring an idle function back:
// long enough for calls to be refused in both states.
const comesBackIn = 3 * time.Second

// idleFunctions calls functions that Lambda has made Inactive. Each command
// waits, says so, and does its work once.
func idleFunctions(s *site) {
	outputs := s.stack("slipway-local").Outputs
	inspector, function := outputs["InspectorName"], outputs["FunctionName"]
	for _, c := range []struct{ asked, command, printed string }{
		{inspector, "info --environment local", "3 applied, 0 pending"},
		{inspector, "validate --environment local", "OK"},
		{inspector, "pending --environment local", "3 applied, 0 pending"},
		{inspector, "revert --environment local --steps 1 --dry-run", noUndoScript},
		{function, "revert --environment local --steps 1", noUndoScript},
		{function, "repair --environment local", "OK"},
	} {
		before := len(s.calls())
		s.check(s.g.Idle(c.asked, comesBackIn))
		out, err := s.g.Workbench(s.Context(), strings.Fields(c.command)...)
		if (err != nil) != (c.printed == noUndoScript) || !strings.Contains(out, c.printed) {
			s.Errorf("%s: %v\n%s", c.command, err, out)
		}
		s.wantWaiting(out, c.asked)
		// Before a change the inspector is asked which database it is.
		want := 1
		if c.asked == function {
			want = 2
		}
		if n := len(s.calls()) - before; n != want {
			s.Errorf("%s: %d calls reached the functions, not %d", c.command, n, want)
		}
	}
	// A deployment waits as well: CDK's framework does.
	before := len(s.calls())
	s.check(s.g.Idle(function, comesBackIn))
	if out, err := s.g.CDK(s.Context(), "deploy", "slipway-local", "-c", "rerun=idle", "--require-approval",
		"never"); err != nil {
		s.Fatalf("%v\n%s", err, relevant(out))
	}
	s.wantCalls(s.calls()[before:], "Update")
}

// noUndoScript is what a revert of these scripts comes to, in a function that runs.
const noUndoScript = "REVERT_REFUSED"

// wantWaiting wants the progress of a call that waited for the function.
func (s *site) wantWaiting(out, function string) {
	s.Helper()
	if want := fmt.Sprintf("the function %s is not ready (Pending)", function); !strings.Contains(out, want) {
		s.Errorf("no %q in\n%s", want, out)
	}
}
