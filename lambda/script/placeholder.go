package script

import (
	"strings"
)

// Placeholder is one use of a placeholder, such as ${port}.
type Placeholder struct {
	Name string // in lower case, as Flyway compares them; "" for one that is not closed
	Line int
}

// Placeholders lists the placeholders in a text, in order. Flyway replaces
// them everywhere, comments and quoted texts included.
func Placeholders(text, prefix, suffix string) []Placeholder {
	var found []Placeholder
	if prefix == "" || suffix == "" {
		return nil
	}
	line := 1
	for {
		before, after, ok := cutPrefix(text, prefix)
		if !ok {
			return found
		}
		line += strings.Count(before, "\n")
		name, rest, closed := strings.Cut(after, suffix)
		if !closed {
			return append(found, Placeholder{"", line})
		}
		found = append(found, Placeholder{strings.ToLower(name), line})
		line += strings.Count(name, "\n")
		text = rest
	}
}

// cutPrefix is strings.Cut at the first placeholder's prefix, found as
// Flyway's PlaceholderReplacingReader does: characters that begin like the
// prefix and then differ are passed over with the one that differs, so that
// there is no placeholder in $${port}.
func cutPrefix(text, prefix string) (before, after string, found bool) {
	for i := 0; i < len(text); {
		n := 0
		for n < len(prefix) && i+n < len(text) && text[i+n] == prefix[n] {
			n++
		}
		if n == len(prefix) {
			return text[:i], text[i+n:], true
		}
		i += n + 1
	}
	return text, "", false
}

// PassedOver lists the uses of those placeholders that Flyway does not replace,
// for it passes over the first letter of their prefix: ${port} in $${port}.
// Their text stays as it is.
func PassedOver(text, prefix, suffix string, values map[string]string) []Placeholder {
	var found []Placeholder
	if prefix == "" || suffix == "" {
		return nil
	}
	line := 1
	for text != "" {
		before, after, ok := cutPrefix(text, prefix)
		lines := line
		for {
			skipped, rest, there := strings.Cut(before, prefix)
			if !there {
				break
			}
			lines += strings.Count(skipped, "\n")
			name, _, closed := strings.Cut(rest, suffix)
			name = strings.ToLower(name)
			if _, configured := values[name]; configured && closed {
				found = append(found, Placeholder{name, lines})
			}
			before = rest
		}
		if !ok {
			break
		}
		name, rest, _ := strings.Cut(after, suffix)
		line += strings.Count(text[:len(text)-len(after)], "\n") + strings.Count(name, "\n")
		text = rest
	}
	return found
}

// Replace fills the placeholders in, by name in lower case, and names those
// that have no value; they stay as they are.
func Replace(text, prefix, suffix string, values map[string]string) (replaced string, unknown []Placeholder) {
	var b strings.Builder
	for _, p := range Placeholders(text, prefix, suffix) {
		before, after, _ := cutPrefix(text, prefix)
		b.WriteString(before)
		_, rest, closed := strings.Cut(after, suffix)
		value, ok := values[p.Name]
		if !ok || !closed {
			unknown = append(unknown, p)
			b.WriteString(prefix + after[:len(after)-len(rest)])
		} else {
			b.WriteString(value)
		}
		text = rest
	}
	b.WriteString(text)
	return b.String(), unknown
}

// Origin is the place in the text from which the byte at that offset of the
// replaced one comes, see [Replace]. What a value holds comes from the beginning
// of its placeholder.
func Origin(text, prefix, suffix string, values map[string]string, at int) int {
	origin, rest := 0, text
	for _, p := range Placeholders(text, prefix, suffix) {
		before, after, _ := cutPrefix(rest, prefix)
		if at < len(before) {
			break
		}
		_, behind, closed := strings.Cut(after, suffix)
		used := len(rest) - len(before) - len(behind)
		value, ok := values[p.Name]
		if !ok || !closed {
			value = rest[len(before) : len(before)+used]
		}
		origin, at = origin+len(before), at-len(before)
		if at < len(value) {
			if ok && closed {
				return origin
			}
			return origin + at
		}
		origin, at, rest = origin+used, at-len(value), behind
	}
	return min(origin+at, len(text))
}
