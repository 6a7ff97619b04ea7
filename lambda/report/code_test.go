package report

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestExitCodeOfEveryCode(t *testing.T) {
	want := map[Code]int{
		OK: 0, MigrationFailed: 1, ValidationFailed: 1, PreviousFailed: 1, SchemaNotEmpty: 1, RevertRefused: 1,
		BadRequest: 2, BadRelease: 2, Pending: 3, Locked: 4, Deadline: 5,
		SecretUnreadable: 6, DatabaseUnreachable: 6, AccessDenied: 6, DatabaseMissing: 6, Internal: 70,
		Interrupted: 130,
	}
	for _, c := range Codes() {
		n, ok := want[c]
		if !ok {
			t.Errorf("%s is new: add it here and to the documentation", c)
		}
		if c.Exit() != n || ExitCode(string(c)) != n {
			t.Errorf("%s exits with %d, want %d", c, c.Exit(), n)
		}
		delete(want, c)
	}
	if len(want) > 0 {
		t.Errorf("Codes() lacks %v", want)
	}
	if got := Code("SOMETHING").Exit(); got != 70 {
		t.Errorf("an unknown code exits with %d", got)
	}
}

func TestFailures(t *testing.T) {
	f := Failf(Locked, "waiting for %s: %w", "it", io.EOF).Next("Wait.")
	if f.Error() != "LOCKED: waiting for it: EOF" || !errors.Is(f, io.EOF) || f.NextStep != "Wait." {
		t.Errorf("%+v", f)
	}
	if got := AsFailure(fmt.Errorf("around: %w", f)); got != f {
		t.Errorf("not the failure inside: %v", got)
	}
	if got := AsFailure(errors.Join(io.EOF, f)); got != f {
		t.Errorf("not the failure among several: %v", got)
	}
	if got := AsFailure(io.EOF); got.Code != Internal || got.Message != "EOF" || got.NextStep == "" ||
		!errors.Is(got, io.EOF) {
		t.Errorf("%+v", got)
	}
	if AsFailure(nil) != nil {
		t.Error("no error became a failure")
	}
}

func TestFailFillsTheReport(t *testing.T) {
	f := &Failure{Code: Locked, Message: "m", NextStep: "n", Script: "s", Line: 2, SQLState: "55P03",
		Problems: []Problem{{Reason: "p"}}, Blockers: []Blocker{{PID: 1}}}
	r := &Report{Code: OK}
	r.Fail(f)
	if r.OK() || r.Message != "m" || r.Next != "n" || r.Script != "s" || r.Line != 2 || r.SQLState != "55P03" ||
		len(r.Problems) != 1 || len(r.Blockers) != 1 {
		t.Errorf("%+v", r)
	}
}
