package environment

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Error is everything that is wrong with a context, in the order of its keys.
// Each problem begins with the path of its key: "environments.prod.memory: …".
type Error struct{ Problems []string }

func (e *Error) Error() string { return strings.Join(e.Problems, "\n") }

func (e *Error) add(path, format string, args ...any) {
	e.Problems = append(e.Problems, path+": "+fmt.Sprintf(format, args...))
}

func (e *Error) orNil() error {
	if len(e.Problems) == 0 {
		return nil
	}
	return e
}

// didYouMean is "" or the end of a sentence that names the nearest of the known words.
func didYouMean(word string, known []string) string {
	best, distance := "", 3
	for _, k := range known {
		if d := edits(strings.ToLower(word), strings.ToLower(k)); d < distance && d < len(k) {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// edits counts the letters to insert, remove or replace to make b of a.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
