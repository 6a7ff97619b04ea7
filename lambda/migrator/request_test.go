package migrator

import "testing"

func TestAFieldOfAnotherCommandIsRefused(t *testing.T) {
	for want, q := range map[string]Request{
		"target": {Command: "info", Target: "12"},
		"to":     {Command: "migrate", To: "12"},
		"steps":  {Command: "validate", Steps: 1},
		"from":   {Command: "repair", From: "3"},
		"dryRun": {Command: "migrate", DryRun: true},
	} {
		if got := q.misplaced(); got != want {
			t.Errorf("%+v: %q, want %q", q, got, want)
		}
	}
	for _, q := range []Request{
		{Command: "migrate", Target: "1"},
		{Command: "baseline", Target: "1"},
		{Command: "revert", To: "1", From: "2", DryRun: true},
		{Command: "revert", Steps: 1},
	} {
		if got := q.misplaced(); got != "" {
			t.Errorf("%+v: %q is refused", q, got)
		}
	}
}
