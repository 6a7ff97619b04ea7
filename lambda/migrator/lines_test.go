package migrator

import (
	"runtime"
	"strings"
	"testing"
)

func TestPlaceOfAnError(t *testing.T) {
	sql := "SELECT 1;\n\n  SELECT 'ä\nö',\n x;\nSELECT a; SELECT b; SELECT b;\n/* c */ SELECT d\n"
	for _, c := range []struct {
		line, character int
		message, want   string // the text from that place on; "" for no place but the line
	}{
		{1, 1, "", "SELECT 1;"}, {1, 8, "", "1;"}, {1, 99, "", ""}, {3, 1, "", "SELECT 'ä"}, {3, 11, "", "ö',"},
		{3, 16, "", "x;"}, {3, 0, "", ""},
		{6, 8, `column "a" does not exist`, "a; SELECT b; SELECT b;"}, {6, 8, `column "b" does not exist`, ""},
		{6, 8, "no", ""}, {7, 16, "", "d\n"}, {7, 1, "", ""},
		{9, 4, "", ""}, {2, 3, "", ""},
	} {
		p := placeOf(sql, c.line, c.character, c.message)
		if p.start > p.at || p.at > len(sql) || p.end > len(sql)+1 {
			t.Errorf("%+v: %+v", c, p)
		}
		if p.exact != (c.want != "") || p.exact && !strings.HasPrefix(sql[p.at:], c.want) {
			t.Errorf("%+v: %+v, %q", c, p, sql[p.at:])
		}
	}
}

// A large script is read where it stands: no list of its lines or statements.
func TestPlaceInALargeScript(t *testing.T) {
	sql := strings.Repeat("INSERT INTO t VALUES (1);\n", 4_000_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if p := placeOf(sql, 3_000_000, 13, ""); !p.exact || p.at != (3_000_000-1)*26+12 {
		t.Errorf("%+v", p)
	}
	runtime.ReadMemStats(&after)
	if made := after.TotalAlloc - before.TotalAlloc; made > 4<<20 {
		t.Errorf("it took %d MB", made>>20)
	}
	if p := placeOf(sql+"-- c\nSELECT nothing;\n", 4_000_002, 13, ""); p.exact || p.at != len(sql)+5 {
		t.Errorf("behind a comment: %+v", p)
	}
}
