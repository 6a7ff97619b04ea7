package sqltext

import (
	"strconv"
	"strings"

	"slipway/lambda/lazyregexp"
)

// content is what a text in quotes holds. With escapes, a backslash in any quotes
// takes the meaning of the letter behind it, else in E'…' alone.
func LiteralValue(piece string, escapes bool) string {
	if strings.HasPrefix(piece, "$") {
		tag := strings.IndexByte(piece[1:], '$') + 2
		return strings.TrimSuffix(piece[tag:], piece[:tag])
	}
	at := strings.IndexByte(piece, '\'')
	prefix := strings.ToUpper(piece[:at])
	written := strings.TrimSuffix(piece[at+1:], "'")
	switch {
	case prefix == "U&":
		return decoded(strings.ReplaceAll(written, "''", "'"), `\`)
	case prefix == "E" || escapes && prefix != "B" && prefix != "X":
		return unescaped(written)
	}
	return strings.ReplaceAll(written, "''", "'")
}

var (
	escaped  = lazyregexp.New(`(?s)''|\\[0-7]{1,3}|\\x[0-9A-Fa-f]{1,2}|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\.`)
	takesUp  = lazyregexp.New(`'[ \t\f\v]*(?:--[^\r\n]*)?[\r\n](?:\s|--[^\r\n]*[\r\n])*'`)
	controls = map[byte]string{'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t"}
)

// unescaped is what a text with escapes holds, which may go on behind a line end.
func unescaped(written string) string {
	one := func(e string) string {
		if e == "''" {
			return "'"
		}
		digits, base := e[1:], 8
		if strings.IndexByte("xuU", e[1]) >= 0 {
			digits, base = e[2:], 16
		}
		if n, err := strconv.ParseUint(digits, base, 32); err == nil {
			return string(rune(n))
		}
		if c := controls[e[1]]; c != "" {
			return c
		}
		return e[1:]
	}
	// A quote that ends a part is followed by white space; a doubled one is not.
	var b strings.Builder
	for _, part := range takesUp().Split(written, -1) {
		b.WriteString(escaped().ReplaceAllStringFunc(part, one))
	}
	return b.String()
}
