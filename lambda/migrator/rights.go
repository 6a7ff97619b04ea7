package migrator

import (
	"context"
	"fmt"
	"slices"

	"slipway/lambda/database"
	"slipway/lambda/judge"
	"slipway/lambda/report"
	"slipway/lambda/script"
	"slipway/lambda/session"
)

// checkNeeds refuses pending scripts with a statement that PostgreSQL certainly
// refuses this role or on this server, before anything is run. Where a script or
// callback may change what the role may do, the rest is for PostgreSQL to say;
// in a rehearsal all of it, for its server and role are others than the deployment's.
func (r *run) checkNeeds(ctx context.Context) error {
	if r.Config.Rehearsal != NoRehearsal {
		return nil
	}
	var failure *report.Failure
	for _, f := range slices.Concat(r.callbacksOfRun(), r.plan.Pending) {
		if r.plan.Undecided[f.Script] {
			continue
		}
		text, err := f.Text()
		if err != nil {
			return notAsRead(f, err)
		}
		needs, certain := judge.Needs(r.filled(f, string(text)))
		if f.Kind == script.Callback {
			needs = nil // most of them may never run
		}
		for _, need := range needs {
			refusal, err := session.Ask(r.session, func(c *database.Conn) (*database.Refusal, error) {
				return c.Refuses(ctx, string(need.Right), need.Of)
			})
			if err != nil {
				return err
			}
			if refusal == nil {
				continue
			}
			if failure == nil {
				failure = r.lacks(f, need, refusal.SQLState, refusal.Message)
			}
			failure.Problems = append(failure.Problems,
				report.Problem{Script: f.Script, Version: f.Version.String(), Line: need.Line, Reason: refusal.Message})
		}
		if !certain {
			break
		}
	}
	if failure == nil {
		return nil
	}
	if n := len(failure.Problems); n > 1 {
		failure.Message += fmt.Sprintf(" (the first of %s)", report.Count(n, "problem"))
	}
	failure.Message += "; nothing was run"
	return failure
}

// lacks is the failure for a statement that PostgreSQL would refuse so.
func (r *run) lacks(f script.File, need judge.Need, state, message string) *report.Failure {
	s := situation{
		state: state, message: message, script: f.Script, outside: f.NoTransaction,
		role: r.session.Target().User, database: r.session.Target().Name,
	}
	failure := &report.Failure{
		Code: report.AccessDenied, Script: f.Script, Line: need.Line, SQLState: state, Message: message,
		NextStep: s.advise(),
	}
	if state != "42501" {
		failure.Code = report.BadRelease
	}
	return failure
}
