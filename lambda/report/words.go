package report

import (
	"fmt"
	"slices"
	"strings"
)

// Some lists at most so many texts, and the number of the rest.
func Some(texts []string, most int) string {
	if more := len(texts) - most; more > 0 {
		texts = append(slices.Clone(texts[:most]), fmt.Sprintf("%d more", more))
	}
	return strings.Join(texts, ", ")
}

// Count is a number with its noun: "1 script", "2 scripts".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Times is a number of times in words: "once", "2 times".
func Times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
