package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"slipway/lambda/flyway"
)

// ErrDeadline is the cause of a context that ended because the time is up, and
// ErrInterrupted of one that a signal ended.
var (
	ErrDeadline    = errors.New("out of time")
	ErrInterrupted = errors.New("interrupted")
)

// Reserve keeps the last part of the time for ending things and answering: a
// fifth of it, at most 12 s.
func Reserve(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	margin := min(12*time.Second, time.Until(deadline)/5)
	return context.WithDeadlineCause(ctx, deadline.Add(-margin), ErrDeadline)
}

// GraceFor is what the end of Flyway may take: parts of the reserve, see [Reserve].
func GraceFor(ctx context.Context) flyway.Grace {
	if _, ok := ctx.Deadline(); !ok {
		return flyway.Grace{Interrupt: 4 * time.Second, Terminate: 2 * time.Second}
	}
	deadline, _ := ctx.Deadline()
	part := min(12*time.Second, max(time.Second, time.Until(deadline)/4))
	// Most of it for the cancelled statement: Flyway has to record a failed script.
	return flyway.Grace{Interrupt: part * 2 / 5, Terminate: part / 8}
}

// LimitStatements adds the setting by which the server ends a statement by itself a
// moment after the deadline, should this program vanish.
func LimitStatements(ctx context.Context, settings map[string]string) {
	if deadline, ok := ctx.Deadline(); ok {
		settings["statement_timeout"] = fmt.Sprint(time.Until(deadline).Milliseconds() + 15000)
	}
}
