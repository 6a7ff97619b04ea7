package sqltext

import "strings"

// IsOneOf reports whether the word is one of those, in letters of any case.
func IsOneOf(word string, words ...string) bool {
	for _, w := range words {
		if strings.EqualFold(word, w) {
			return true
		}
	}
	return false
}

// containsFold reports whether s contains the part, in letters of any case.
func ContainsFold(s, part string) bool {
	for n := len(part); len(s) >= n; {
		i := strings.IndexAny(s, part[:1]+strings.ToUpper(part[:1]))
		if i < 0 || len(s)-i < n {
			return false
		}
		if strings.EqualFold(s[i:i+n], part) {
			return true
		}
		s = s[i+1:]
	}
	return false
}
