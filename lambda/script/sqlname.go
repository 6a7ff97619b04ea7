package script

import (
	"strconv"
	"strings"
)

// nameAt reads the name that begins with the token, with all its parts, as
// PostgreSQL stores them. The lexer goes on behind it.
func nameAt(l *lexer, t token) (schema, name string) {
	name = partOfName(l, t)
	for {
		behind := *l
		dot, ok := behind.next()
		if !ok || l.sql[dot.start:dot.end] != "." {
			return schema, name
		}
		part, ok := behind.next()
		if !ok || part.kind != word && part.kind != quoted {
			return schema, name
		}
		*l = behind
		schema = name
		name = partOfName(l, part)
	}
}

// partOfName is one part of a name; U&"…" may be followed by UESCAPE and a letter.
func partOfName(l *lexer, t token) string {
	name := l.sql[t.start:t.end]
	if t.kind != quoted || name[0] == '"' {
		return folded(name)
	}
	escape := `\`
	behind := *l
	if u, ok := behind.next(); ok && strings.EqualFold(l.sql[u.start:u.end], "UESCAPE") {
		if letter, ok := behind.next(); ok && letter.kind == text {
			escape = strings.Trim(l.sql[letter.start:letter.end], "'")
			*l = behind
		}
	}
	return decoded(folded(name[2:]), escape)
}

// decoded replaces \0061 and \+000061 in a name by the letters of these numbers.
func decoded(name, escape string) string {
	if escape == "" {
		return name
	}
	var b strings.Builder
	for {
		before, after, found := strings.Cut(name, escape)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		number, length := after, 4
		if strings.HasPrefix(after, "+") {
			number, length = after[1:], 6
		}
		c, err := strconv.ParseUint(number[:min(length, len(number))], 16, 32)
		if err != nil || len(number) < length { // two of them stand for one
			b.WriteString(escape)
			name = strings.TrimPrefix(after, escape)
			continue
		}
		b.WriteRune(rune(c))
		name = number[length:]
	}
}

// folded is a name as PostgreSQL stores it.
func folded(name string) string {
	if strings.HasPrefix(name, `"`) {
		return strings.ReplaceAll(strings.Trim(name, `"`), `""`, `"`)
	}
	return strings.ToLower(name)
}
