package migrator

import (
	"runtime"
	"strings"
	"testing"
)

func TestLinesBelowAStatement(t *testing.T) {
	sql := "SELECT 1;\n\n  SELECT 'ä\nö',\n x;\n"
	for _, c := range []struct{ line, character, want int }{
		{1, 1, 0}, {1, 99, 5}, {3, 1, 0}, {3, 10, 0}, {3, 11, 1}, {3, 15, 2}, {9, 4, 0}, {3, 0, 0},
	} {
		if got := linesBelow(sql, c.line, c.character); got != c.want {
			t.Errorf("line %d, character %d: %d, want %d", c.line, c.character, got, c.want)
		}
	}
}

// A large script is read where it stands: no copy of it, no list of its lines.
func TestLinesBelowInALargeScript(t *testing.T) {
	sql := strings.Repeat("INSERT INTO t VALUES (1);\n", 4_000_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if got := linesBelow(sql, 3_000_000, 26_000); got != 1000-1 {
		t.Errorf("%d lines below", got)
	}
	runtime.ReadMemStats(&after)
	if made := after.TotalAlloc - before.TotalAlloc; made > 1<<20 {
		t.Errorf("it took %d MB", made>>20)
	}
}
