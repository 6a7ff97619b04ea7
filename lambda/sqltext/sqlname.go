package sqltext

import (
	"strconv"
	"strings"
)

// nameAt reads the name that begins with the token, with all its parts, as
// PostgreSQL stores them. The lexer goes on behind it.
func NameAt(l *Lexer, t Token) (schema, name string) {
	name = partOfName(l, t)
	for {
		behind := *l
		dot, ok := behind.Next()
		if !ok || l.SQL[dot.Start:dot.End] != "." {
			return schema, name
		}
		part, ok := behind.Next()
		if !ok || part.Kind != Word && part.Kind != QuotedName {
			return schema, name
		}
		*l = behind
		schema = name
		name = partOfName(l, part)
	}
}

// partOfName is one part of a name; U&"…" may be followed by UESCAPE and a letter.
func partOfName(l *Lexer, t Token) string {
	name := l.Text(t)
	if t.Kind != QuotedName || name[0] == '"' {
		return folded(name)
	}
	escape := `\`
	behind := *l
	if u, ok := behind.Next(); ok && strings.EqualFold(l.SQL[u.Start:u.End], "UESCAPE") {
		if letter, ok := behind.Next(); ok && letter.Kind == Literal {
			escape = strings.Trim(l.SQL[letter.Start:letter.End], "'")
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
