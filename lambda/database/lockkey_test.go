package database

import (
	"testing"

	"slipway/lambda/history"
)

// The keys were read from pg_locks while Flyway held them.
func TestFlywayLockIsFlyways(t *testing.T) {
	const want = 77433833903597
	if got := FlywayLock(history.Table{Schema: "public", Name: "flyway_schema_history"}); got != want {
		t.Errorf("%d, want %d", got, want)
	}
}

func TestEachHistoryHasLocksOfItsOwn(t *testing.T) {
	seen := map[int64]history.Table{}
	for _, name := range [][2]string{{"public", "a"}, {"public", "b"}, {"other", "a"}, {"public", "a\"b"},
		{"öffentlich", "😀"}} {
		table := history.Table{Schema: name[0], Name: name[1]}
		for _, key := range []int64{FlywayLock(table), RunLock(table)} {
			if other, ok := seen[key]; ok {
				t.Errorf("%s and %s share %d", table, other, key)
			}
			seen[key] = table
		}
	}
}
