package judge

import (
	"regexp"
	"strings"

	"slipway/lambda/sqltext"
)

// bodyOf returns a lexer at the beginning of the body of a DO, and what turns a
// place that it finds into one of the script. A body in dollar quotes is read
// where it stands. In one with other quotes letters are written otherwise, so its
// places are all that of its first quote.
func bodyOf(sql string, s sqltext.Statement) (l sqltext.Lexer, place func(at int) int) {
	l = s.Lexer(sql)
	for t, ok := l.Next(); ok; t, ok = l.Next() {
		if t.Kind != sqltext.Literal {
			continue
		}
		if sql[t.Start] == '$' {
			l.At = t.Start + strings.IndexByte(sql[t.Start+1:t.End], '$') + 2
			return sqltext.Lexer{SQL: l.SQL, At: l.At}, func(at int) int { return at }
		}
		var body strings.Builder
		for start := t.Start; ok && t.Kind == sqltext.Literal; t, ok = l.Next() { // 'a' ⏎ 'b' is one text
			body.WriteString(sqltext.LiteralValue(sql[t.Start:t.End], s.Escapes))
			place = func(int) int { return start }
		}
		return sqltext.Lexer{SQL: body.String()}, place
	}
	return l, func(at int) int { return at }
}

// inside is [bodyOf] for a DO, whose body does at once what it says, and the
// statement itself for any other.
func inside(sql string, s sqltext.Statement) (l sqltext.Lexer, place func(at int) int) {
	if strings.HasPrefix(s.Head, "DO ") {
		return bodyOf(sql, s)
	}
	return s.Lexer(sql), func(at int) int { return at }
}

// executed returns the statement that EXECUTE runs as far as the script tells
// it: texts joined by ||, and those of format(). What else makes it up is x. The
// lexer stands behind EXECUTE.
func executed(l sqltext.Lexer) string {
	var made strings.Builder
	for t, ok := l.Next(); ok; t, ok = l.Next() {
		piece := l.Text(t)
		switch {
		case piece == ";" || t.Kind == sqltext.Word && sqltext.IsOneOf(piece, "USING", "INTO", "LOOP", "EXECUTE"):
			return made.String()
		case t.Kind == sqltext.Literal:
			made.WriteString(sqltext.LiteralValue(piece, l.Escapes))
		case t.Kind == sqltext.Word && sqltext.IsOneOf(piece, "FORMAT"):
			made.WriteString(formatted(&l))
		case t.Kind == sqltext.Word && !l.Calls():
			made.WriteByte('x')
		}
	}
	return made.String()
}

var conversion = regexp.MustCompile(`%(?:\d+\$)?-?\d*([IsL%])`)

// formatted is what format() returns; the lexer stands before its parenthesis.
func formatted(l *sqltext.Lexer) string {
	var arguments []string
	argument := ""
	depth := 0
	for t, ok := l.Next(); ok; t, ok = l.Next() {
		switch piece := l.Text(t); {
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
		case t.Kind == sqltext.Literal:
			argument += sqltext.LiteralValue(piece, l.Escapes)
		case t.Kind == sqltext.Word && !l.Calls():
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

// remember keeps the name of a function that the statement makes if its body
// changes the history: a call of it in the same script does.
func (j *judgement) remember(s sqltext.Statement, search historySearch) {
	if !strings.HasPrefix(s.Head, "CREATE ") || len(j.hostile) >= maxFindings {
		return
	}
	l := s.Lexer(j.sql)
	name := ""
	for t, ok := l.Next(); ok; t, ok = l.Next() {
		switch piece := l.Text(t); {
		case name == "" && t.Kind == sqltext.Word && sqltext.IsOneOf(piece, "FUNCTION", "PROCEDURE"):
			if t, ok = l.Next(); ok {
				_, name = sqltext.NameAt(&l, t)
			}
		case name != "" && t.Kind == sqltext.Literal:
			if _, how := search.body(sqltext.Lexer{SQL: sqltext.LiteralValue(piece, s.Escapes)}); how != "" {
				j.hostile = append(j.hostile, name)
				return
			}
		}
	}
}

// callsOne returns where the statement calls a function that changes the history.
func (j *judgement) callsOne(s sqltext.Statement) (at int, found bool) {
	if len(j.hostile) == 0 || strings.HasPrefix(s.Head, "CREATE ") {
		return 0, false
	}
	l, place := inside(j.sql, s)
	for t, ok := l.Next(); ok; t, ok = l.Next() {
		if t.Kind != sqltext.Word && t.Kind != sqltext.QuotedName {
			continue
		}
		if _, name := sqltext.NameAt(&l, t); l.Calls() && sqltext.IsOneOf(name, j.hostile...) &&
			!strings.HasPrefix(s.Head, "DROP ") {
			return place(t.Start), true
		}
	}
	return 0, false
}
