package script

import (
	"regexp"
	"strconv"
	"strings"
)

// bodyOf returns a lexer at the beginning of the body of a DO, and what turns a
// place that it finds into one of the script. A body in dollar quotes is read
// where it stands. In one with other quotes letters are written otherwise, so its
// places are all that of its first quote.
func bodyOf(sql string, s Statement) (l lexer, place func(at int) int) {
	l = lexer{sql: sql[:s.End], at: s.Start, escapes: s.escapes}
	for t, ok := l.next(); ok; t, ok = l.next() {
		if t.kind != text {
			continue
		}
		if sql[t.start] == '$' {
			l.at = t.start + strings.IndexByte(sql[t.start+1:t.end], '$') + 2
			return lexer{sql: l.sql, at: l.at}, func(at int) int { return at }
		}
		var body strings.Builder
		for start := t.start; ok && t.kind == text; t, ok = l.next() { // 'a' ⏎ 'b' is one text
			body.WriteString(content(sql[t.start:t.end], s.escapes))
			place = func(int) int { return start }
		}
		return lexer{sql: body.String()}, place
	}
	return l, func(at int) int { return at }
}

// inside is [bodyOf] for a DO, whose body does at once what it says, and the
// statement itself for any other.
func inside(sql string, s Statement) (l lexer, place func(at int) int) {
	if strings.HasPrefix(s.Head, "DO ") {
		return bodyOf(sql, s)
	}
	return lexer{sql: sql[:s.End], at: s.Start, escapes: s.escapes}, func(at int) int { return at }
}

// content is what a text in quotes holds. With escapes, a backslash in any quotes
// takes the meaning of the letter behind it, else in E'…' alone.
func content(piece string, escapes bool) string {
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
	escaped  = lazy(`(?s)''|\\[0-7]{1,3}|\\x[0-9A-Fa-f]{1,2}|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\.`)
	takesUp  = lazy(`'[ \t\f\v]*(?:--[^\r\n]*)?[\r\n](?:\s|--[^\r\n]*[\r\n])*'`)
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

// executed returns the statement that EXECUTE runs as far as the script tells
// it: texts joined by ||, and those of format(). What else makes it up is x. The
// lexer stands behind EXECUTE.
func executed(l lexer) string {
	var made strings.Builder
	for t, ok := l.next(); ok; t, ok = l.next() {
		piece := l.sql[t.start:t.end]
		switch {
		case piece == ";" || t.kind == word && isOneOf(piece, "USING", "INTO", "LOOP", "EXECUTE"):
			return made.String()
		case t.kind == text:
			made.WriteString(content(piece, l.escapes))
		case t.kind == word && isOneOf(piece, "FORMAT"):
			made.WriteString(formatted(&l))
		case t.kind == word && !l.calls():
			made.WriteByte('x')
		}
	}
	return made.String()
}

var conversion = regexp.MustCompile(`%(?:\d+\$)?-?\d*([IsL%])`)

// formatted is what format() returns; the lexer stands before its parenthesis.
func formatted(l *lexer) string {
	var arguments []string
	argument := ""
	depth := 0
	for t, ok := l.next(); ok; t, ok = l.next() {
		switch piece := l.sql[t.start:t.end]; {
		case piece == "(":
			depth++
		case piece == ")" && depth == 1, piece == "," && depth == 1:
			arguments = append(arguments, argument)
			argument = ""
			if piece == ")" {
				return replaced(arguments[0], arguments[1:])
			}
		case piece == ")":
			depth--
		case t.kind == text:
			argument += content(piece, l.escapes)
		case t.kind == word && !l.calls():
			argument += "x"
		}
	}
	return argument
}

func replaced(format string, arguments []string) string {
	return conversion.ReplaceAllStringFunc(format, func(c string) string {
		switch {
		case c == "%%":
			return "%"
		case len(arguments) == 0:
			return "x"
		}
		value := arguments[0]
		arguments = arguments[1:]
		switch c[len(c)-1] {
		case 'I':
			return `"` + value + `"`
		case 'L':
			return "'x'"
		}
		return value
	})
}

// calls reports whether a parenthesis follows: the word before was a function.
func (l *lexer) calls() bool {
	behind := *l
	t, ok := behind.next()
	return ok && l.sql[t.start:t.end] == "("
}

func isOneOf(word string, words ...string) bool {
	for _, w := range words {
		if strings.EqualFold(word, w) {
			return true
		}
	}
	return false
}

// remember keeps the name of a function that the statement makes if its body
// changes the history: a call of it in the same script does.
func (j *judgement) remember(s Statement, search historySearch) {
	if !strings.HasPrefix(s.Head, "CREATE ") || len(j.hostile) >= maxFindings {
		return
	}
	l := lexer{sql: j.sql[:s.End], at: s.Start, escapes: s.escapes}
	name := ""
	for t, ok := l.next(); ok; t, ok = l.next() {
		switch piece := l.sql[t.start:t.end]; {
		case name == "" && t.kind == word && isOneOf(piece, "FUNCTION", "PROCEDURE"):
			if t, ok = l.next(); ok {
				_, name = nameAt(&l, t)
			}
		case name != "" && t.kind == text:
			if _, how := search.body(lexer{sql: content(piece, s.escapes)}); how != "" {
				j.hostile = append(j.hostile, name)
				return
			}
		}
	}
}

// callsOne returns where the statement calls a function that changes the history.
func (j *judgement) callsOne(s Statement) (at int, found bool) {
	if len(j.hostile) == 0 || strings.HasPrefix(s.Head, "CREATE ") {
		return 0, false
	}
	l, place := inside(j.sql, s)
	for t, ok := l.next(); ok; t, ok = l.next() {
		if t.kind != word && t.kind != quoted {
			continue
		}
		if _, name := nameAt(&l, t); l.calls() && isOneOf(name, j.hostile...) && !strings.HasPrefix(s.Head, "DROP ") {
			return place(t.start), true
		}
	}
	return 0, false
}
