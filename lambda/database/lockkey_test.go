package database

import "testing"

// The keys were read from pg_locks while Flyway held them.
func TestFlywayLockIsFlyways(t *testing.T) {
	for table, want := range map[Table]int64{
		{"public", "flyway_schema_history"}: 77433833903597,
	} {
		if got := FlywayLock(table); got != want {
			t.Errorf("%s: %d, want %d", table, got, want)
		}
	}
}

func TestEachHistoryHasLocksOfItsOwn(t *testing.T) {
	seen := map[int64]Table{}
	for _, table := range []Table{{"public", "a"}, {"public", "b"}, {"other", "a"}, {"public", "a\"b"}, {"öffentlich", "😀"}} {
		for _, key := range []int64{FlywayLock(table), RunLock(table)} {
			if other, ok := seen[key]; ok {
				t.Errorf("%s and %s share %d", table, other, key)
			}
			seen[key] = table
		}
	}
}

func TestTablesAreQuoted(t *testing.T) {
	if got := (Table{`a"b`, "C d"}).String(); got != `"a""b"."C d"` {
		t.Error(got)
	}
}
