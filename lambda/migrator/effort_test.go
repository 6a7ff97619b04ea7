package migrator

import (
	"testing"

	"slipway/lambda/plan"
	"slipway/lambda/script"
)

// What a run costs Flyway goes with pending times all.
func TestEffort(t *testing.T) {
	for _, c := range []struct{ pending, all, want int }{{0, 5000, 0}, {10, 10, 10}, {10, 1000, 100}, {900, 5900, 2304},
		{5, 0, 5}} {
		r := &run{plan: &plan.Plan{Pending: make([]script.File, c.pending)},
			set: &script.Set{Versioned: make([]script.File, c.all)}}
		if got := r.effort(); got != c.want {
			t.Errorf("%d of %d: %d, want %d", c.pending, c.all, got, c.want)
		}
	}
}
