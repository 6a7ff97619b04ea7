package report

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func failed() *Report {
	return &Report{
		Code: MigrationFailed, Message: "relation \"order\" does not exist\n  Position: 12.", Script: "V7__x.sql",
		Line: 3, SQLState: "42P01",
		Next: "Correct the script and run again.", Applied: make([]Script, 2), SchemaVersionAfter: "6",
	}
}

func TestSummaryIsOneLineWithEverything(t *testing.T) {
	want := `MIGRATION_FAILED in V7__x.sql line 3 (SQLSTATE 42P01): relation "order" does not exist Position: 12. ` +
		`Applied before it: 2 (schema version 6). Next: Correct the script and run again.`
	if got := failed().Summary(2000); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSummaryWithoutDetails(t *testing.T) {
	r := &Report{Code: Locked, Message: "another run holds it"}
	if got := r.Summary(100); got != "LOCKED: another run holds it." {
		t.Error(got)
	}
	r = failed()
	r.SchemaVersionAfter = ""
	if got := r.Summary(2000); !strings.Contains(got, "(schema version none)") {
		t.Error(got)
	}
}

func TestSummaryNamesProblemsOnce(t *testing.T) {
	r := &Report{Code: BadRelease, Message: "the scripts make no release: V3_x.sql: two underscores",
		Problems: []Problem{
			{Script: "V3_x.sql", Reason: "two underscores"}, {Script: "V4__y.sql", Line: 7, Reason: "is not\nUTF-8."},
		}}
	want := "BAD_RELEASE: the scripts make no release: V3_x.sql: two underscores; V4__y.sql, line 7: is not UTF-8."
	if got := r.Summary(2000); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSummaryKeepsWithinItsLimit(t *testing.T) {
	for _, letter := range []string{"x", "ü", "€", "😀", "word "} {
		r := failed()
		r.Message = strings.Repeat(letter, 3000)
		r.Next = strings.Repeat(letter, 500)
		r.Script = "V7__" + strings.Repeat(letter, 100) + ".sql"
		for limit := range 3000 {
			s := r.Summary(limit)
			if len(s) > limit || !utf8.ValidString(s) || strings.Contains(s, "\n") {
				t.Fatalf("limit %d: %d bytes, %q", limit, len(s), s)
			}
		}
	}
}

func TestSummaryCutsTheMessageBeforeTheAdvice(t *testing.T) {
	r := failed()
	r.Message = strings.Repeat("word ", 1000)
	s := r.Summary(400)
	if !strings.HasSuffix(s, "… Applied before it: 2 (schema version 6). Next: Correct the script and run again.") &&
		!strings.HasSuffix(s, "…. Applied before it: 2 (schema version 6). Next: Correct the script and run again.") {
		t.Error(s)
	}
}

func TestCutAtCharacters(t *testing.T) {
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"abc", 3, "abc"}, {"abcd", 3, "…"}, {"abcdef", 5, "ab…"}, {"üü", 4, "üü"}, {"üüü", 5, "ü…"}, {"üüü", 4, "…"},
		{"😀😀", 7, "😀…"}, {"😀😀", 6, "…"}, {"abcd", 2, ""}, {"", 0, ""}, {"a", 0, ""}, {"abcd", -1, ""},
	} {
		if got := Cut(c.text, c.limit); got != c.want {
			t.Errorf("%q at %d: %q, want %q", c.text, c.limit, got, c.want)
		}
	}
}
