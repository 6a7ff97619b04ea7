package migrator

import (
	"context"
	"errors"
	"time"

	"slipway/lambda/report"
)

// lock takes the run's lock. Where it can't be acquired, the report still says how
// far the database is.
func (r *run) lock(ctx context.Context) error {
	waited, err := r.session.Lock(ctx, r.req.WaitForLock)
	var f *report.Failure
	if !errors.As(err, &f) || f.Code != report.Locked {
		return err
	}
	// The report names the version in any case, and the other run may have done
	// what this one was to do.
	last, cancel := r.session.Cleanup(5*time.Second, 0.7)
	defer cancel()
	if r.look(last) != nil {
		return err
	}
	r.report.SchemaVersionBefore = r.plan.Current.String()
	if waited && r.req.WaitForLock && len(r.plan.Pending) == 0 && !r.unsure() && r.plan.Contradiction() == nil {
		r.warn("another run held the lock until the end; nothing is pending")
		return errNothingLeft
	}
	return err
}

// errNothingLeft ends a run as a success.
var errNothingLeft = errors.New("nothing left to do")
