package rehearse

import (
	"slices"
	"testing"
)

func TestImpliedLocks(t *testing.T) {
	for sql, want := range map[string][]string{
		"CREATE INDEX CONCURRENTLY i ON public.Orders USING gin (x);":                                 {"orders"},
		"-- on what\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"on\" ON ONLY \"My Table\" (x);": {"My Table"},
		"VACUUM (ANALYZE, VERBOSE) shop.a; VACUUM ANALYZE b; VACUUM;":                                 {"shop.a", "b"},
		"REINDEX (VERBOSE) TABLE CONCURRENTLY a":                                                      {"a"},
		"CREATE INDEX i ON a (x); DROP INDEX CONCURRENTLY i; SELECT 'VACUUM a'":                       nil,
	} {
		if got := implied(sql); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
}
