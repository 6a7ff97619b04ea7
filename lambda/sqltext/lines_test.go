package sqltext

import (
	"strings"
	"testing"
	"time"
)

func TestLinesOfPlaces(t *testing.T) {
	text := "a\nbc\n\nd"
	lines := NewLines(text)
	for _, at := range []int{0, 1, 2, 4, 5, 6, 7, 99, 3, 0, 6} {
		if got, want := lines.Of(at), 1+strings.Count(text[:min(at, len(text))], "\n"); got != want {
			t.Errorf("offset %d: line %d, want %d", at, got, want)
		}
	}
}

// A line for each of two million statements takes one pass, not two million.
func TestLinesOfManyPlaces(t *testing.T) {
	const statement = "INSERT INTO t VALUES (1234567890123456789012345);\n"
	text := strings.Repeat(statement, 2_000_000)
	lines := NewLines(text)
	begun := time.Now()
	for at := 0; at < len(text); at += len(statement) {
		if got := lines.Of(at); got != at/len(statement)+1 {
			t.Fatalf("offset %d: line %d", at, got)
		}
		if time.Since(begun) > time.Minute {
			t.Fatalf("a minute for %d of %d lines", at/len(statement), len(text)/len(statement))
		}
	}
}
