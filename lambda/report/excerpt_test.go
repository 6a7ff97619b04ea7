package report

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestExcerpts(t *testing.T) {
	const sql = "CREATE TABLE a (id int);\n\nCREATE TABLE b (\n\tid int,\n\tnäme texd,\n\tx int,\n\ty int,\n\tz " +
		"int\n);\nSELECT 1;\n"
	place := strings.Index(sql, "texd")
	start, end := strings.Index(sql, "CREATE TABLE b"), strings.Index(sql, ";\nSELECT")
	for name, c := range map[string]struct {
		text           string
		start, at, end int
		exact          bool
		line           int
		want           []string
	}{
		"in a statement": {sql, start, place, end, true, 5, []string{
			"  3 | CREATE TABLE b (", "  4 |     id int,", "> 5 |     näme texd,", "    |          ^",
			"  6 |     x int,", "  7 |     y int,"}},
		"a line only": {sql, start, start, end, false, 3,
			[]string{"> 3 | CREATE TABLE b (", "  4 |     id int,", "  5 |     näme texd,"}},
		"the end": {sql, len(sql) - 10, len(sql), len(sql), true, 11,
			[]string{"  10 | SELECT 1;", "> 11 |", "     | ^"}},
		"one line": {"SELEC 1;", 0, 0, 7, true, 1, []string{"> 1 | SELEC 1;", "    | ^"}},
		"no text":  {"", 0, 5, 9, true, 1, []string{"> 1 |", "    | ^"}},
		"wide": {"日本 e\u0301 x", 0, len("日本 e\u0301 "), 99, true, 1,
			[]string{"> 1 | 日本 e\u0301 x", "    |        ^"}},
		"hostile": {"a\x1b[2J\u202e\xff b\r\n", 0, len("a\x1b[2J\u202e\xff "), 99, true, 1,
			[]string{"> 1 | a(U+001B)[2J(U+202E)\ufffd b", "    | " + strings.Repeat(" ", 22) + "^"}},
	} {
		e, line := NewExcerpt(c.text, c.start, c.at, c.end, c.exact)
		if got := e.Text(line); line != c.line || !slices.Equal(got, c.want) {
			t.Errorf("%s: line %d\n%s\nwant line %d\n%s", name, line, strings.Join(got, "\n"), c.line,
				strings.Join(c.want, "\n"))
		}
	}
}

// A line of any length costs little and is cut around its mark.
func TestExcerptsOfLongLines(t *testing.T) {
	long := strings.Repeat("(1, 'ä'), ", 3_000_000)
	for _, at := range []int{0, 70, 11 * 1_000_000, len(long) - 11} {
		sql := "INSERT INTO t VALUES " + long
		place := len("INSERT INTO t VALUES ") + at/11*11
		e, line := NewExcerpt(sql, 0, place, len(sql), true)
		shown := []rune(e.Lines[0])
		if line != 1 || len(shown) > maxLine || shown[e.Column-1] != '(' || !utf8.ValidString(e.Lines[0]) {
			t.Errorf("place %d: line %d, column %d of %q", place, line, e.Column, e.Lines[0])
		}
	}
	if n := testing.AllocsPerRun(1, func() { NewExcerpt(long, 0, 11*2_000_000, len(long), true) }); n > 50 {
		t.Errorf("%.0f allocations", n)
	}
}

func TestExcerptsAreNoPartOfTheSummary(t *testing.T) {
	r := &Report{Command: "migrate"}
	f := &Failure{Code: MigrationFailed, Message: "syntax error", Script: "V1__a.sql"}
	f.Excerpt, f.Line = NewExcerpt("SELECT 1;\nSELEC 'mine';\n", 10, 10, 22, true)
	r.Fail(f)
	if got := r.Summary(4000); strings.Contains(got, "mine") {
		t.Errorf("it holds the script's text: %s", got)
	}
	var text, object bytes.Buffer
	if err := errors.Join(r.WriteText(&text, false), r.WriteJSON(&object)); err != nil {
		t.Fatal(err)
	}
	for _, output := range []string{text.String(), object.String()} {
		if !strings.Contains(output, "SELEC 'mine';") {
			t.Errorf("it lacks the script's text: %s", output)
		}
	}
}
