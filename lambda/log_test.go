package main

import (
	"log/slog"
	"strings"
	"sync"
	"testing"

	"slipway/lambda/untrusted"
)

// Flyway's lines and names of others are logged as one line that shows.
func TestLogShowsWhatOthersWrote(t *testing.T) {
	const evil = "x\x1b[2J\u202ey\n  error: forged\xff"
	var out, raw strings.Builder
	slog.New(people{w: &out, mu: &sync.Mutex{}}).Warn(evil, "script", evil)
	slog.New(slog.NewJSONHandler(untrusted.JSONWriter{W: &raw}, nil)).Warn(evil, "script", evil)
	for _, text := range []string{out.String(), raw.String()} {
		if line := strings.TrimSuffix(text, "\n"); !untrusted.AllShows(line) {
			t.Errorf("the log holds what does not show: %q", text)
		}
	}
}
