package script

import (
	"regexp"
	"strings"
)

// bodyOf returns the place where the body of a DO begins, behind its quote.
func bodyOf(sql string, s Statement) int {
	l := lexer{sql: sql[:s.End], at: s.Start}
	for t, ok := l.next(); ok; t, ok = l.next() {
		if t.kind == text {
			tag := strings.IndexByte(sql[t.start+1:t.end], sql[t.start])
			return t.start + 1 + max(0, tag) + 1
		}
	}
	return s.End
}

// content is what a text in quotes holds.
func content(quoted string) string {
	if strings.HasPrefix(quoted, "$") {
		tag := strings.IndexByte(quoted[1:], '$') + 2
		return strings.TrimSuffix(quoted[tag:], quoted[:tag])
	}
	at := strings.IndexByte(quoted, '\'')
	return strings.ReplaceAll(strings.TrimSuffix(quoted[at+1:], "'"), "''", "'")
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
			made.WriteString(content(piece))
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
			argument += content(piece)
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
			if _, how := search.body(lexer{sql: content(piece)}); how != "" {
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
	l := lexer{sql: j.sql[:s.End], at: s.Start, escapes: s.escapes}
	if strings.HasPrefix(s.Head, "DO ") {
		l.at = bodyOf(j.sql, s)
	}
	for t, ok := l.next(); ok; t, ok = l.next() {
		if t.kind != word && t.kind != quoted {
			continue
		}
		if _, name := nameAt(&l, t); l.calls() && isOneOf(name, j.hostile...) && !strings.HasPrefix(s.Head, "DROP ") {
			return t.start, true
		}
	}
	return 0, false
}
