package script

import (
	"regexp"
	"strings"
	"sync"
)

// lazy is a regular expression that is compiled when it is first used.
func lazy(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// Statement is one statement of a script.
type Statement struct {
	// Head is its beginning (at most some 400 letters) in capitals, without
	// comments, with single spaces, and with a quote mark for every quoted text.
	Head string
	// Words are the first ten of its words outside parentheses, in capitals,
	// with a space between: what Flyway knows a statement by.
	Words string
	// Start and End are where it stands in the script, in bytes: from its first
	// letter to before its semicolon.
	Start, End int
	Data       string // the lines that follow COPY … FROM STDIN, without the end mark
	Unended    bool   // the end mark of the data is missing
	Behind     int    // where something stands behind the semicolon of such a COPY, on its line; 0: nothing does

	copies  bool
	next    int  // the place behind its semicolon and its data
	escapes bool // standard_conforming_strings is off when it is run
}

// Copies reports whether the statement is a COPY … FROM STDIN, which takes its Data.
func (s Statement) Copies() bool { return s.copies }

// Statements are the heads of [Split].
func Statements(sql string) []string {
	var heads []string
	for _, s := range Split(sql) {
		heads = append(heads, s.Head)
	}
	return heads
}

// Split cuts a script into its statements, where PostgreSQL would. It is no
// parser: it returns what kind of statement stands where, not what it means.
func Split(sql string) []Statement {
	s := splitter{lexer: lexer{sql: sql, at: len(sql) - len(strings.TrimPrefix(sql, bom))}}
	for {
		if s.last.end == 0 {
			s.lexer.at = skipBlank(sql, s.lexer.at)
		}
		t, ok := s.lexer.next()
		if !ok {
			break
		}
		if t.end-t.start == 1 && sql[t.start] == ';' && s.parens <= 0 && !s.atomic {
			s.end(t.start, t.end)
			continue
		}
		s.add(t)
	}
	s.end(len(sql), len(sql))
	return s.all
}

type splitter struct {
	lexer lexer
	all   []Statement
	head  strings.Builder
	words []string
	start int
	last  token // of the statement; its end is 0 before the first
	first string
	// parens are open ones. A semicolon in them is a part of CREATE RULE.
	parens int
	// atomic: a body as statements is open, BEGIN ATOMIC …; …; END. Its END
	// stands where a statement could begin, every other one is a part of CASE or a name.
	atomic bool
	copies bool
}

func (s *splitter) add(t token) {
	sql := s.lexer.sql
	switch {
	case s.last.end == 0:
		s.start = t.start
	case s.last.end < t.start:
		put(&s.head, ' ')
	}
	switch t.kind {
	case text, quoted:
		s.putText(t)
	case word:
		s.word(t)
	default:
		for i := t.start; i < t.end; i++ {
			put(&s.head, sql[i])
		}
		switch sql[t.start] {
		case '(':
			s.parens++
		case ')':
			s.parens--
		}
	}
	s.last = t
}

// putText puts a quote mark for a text, behind what stands before its quote.
func (s *splitter) putText(t token) {
	for i := t.start; i < t.end; i++ {
		c := s.lexer.sql[i]
		if c == '\'' || c == '"' || c == '$' {
			break
		}
		put(&s.head, c)
	}
	put(&s.head, '\'')
}

func (s *splitter) word(t token) {
	for i := t.start; i < t.end; i++ {
		put(&s.head, s.lexer.sql[i])
	}
	if s.parens <= 0 && len(s.words) < maxWords {
		s.words = append(s.words, strings.ToUpper(s.lexer.sql[t.start:t.end]))
	}
	switch {
	case s.last.end == 0:
		s.first = strings.ToUpper(s.lexer.sql[t.start:t.end])
	case s.is(t, "ATOMIC") && s.first == "CREATE" && s.is(s.last, "BEGIN"):
		s.atomic = true
	case s.atomic && s.is(t, "END") && (s.is(s.last, ";") || s.is(s.last, "ATOMIC")):
		s.atomic = false
	case s.is(t, "STDIN") && s.first == "COPY" && s.parens <= 0 && s.is(s.last, "FROM"):
		s.copies = true
	}
}

// maxWords is how many of a statement's words Flyway looks at.
const maxWords = 10

// is reports whether the token is that word, in letters of any case.
func (s *splitter) is(t token, word string) bool {
	return t.end-t.start == len(word) && strings.EqualFold(s.lexer.sql[t.start:t.end], word)
}

// end closes the statement that ends at that place; behind is the place behind
// its semicolon, and the lexer goes on there, or behind the data.
func (s *splitter) end(at, behind int) {
	done := Statement{
		Head: strings.TrimSpace(s.head.String()), Words: strings.Join(s.words, " "),
		Start: s.start, End: at, copies: s.copies, escapes: s.lexer.escapes,
	}
	begun := s.last.end > 0
	*s = splitter{lexer: s.lexer, all: s.all}
	if !begun {
		return
	}
	if done.copies {
		s.lexer.at = done.takeData(s.lexer.sql, behind)
	}
	done.next = s.lexer.at
	s.lexer.escapes = escapesAfter(done.Head, s.lexer.sql[done.Start:done.End], s.lexer.escapes)
	s.all = append(s.all, done)
}

// takeData takes what stands between the line of the COPY statement and the
// line with the end mark, and returns the place behind it.
func (s *Statement) takeData(sql string, behind int) int {
	lineEnd := strings.IndexByte(sql[behind:], '\n')
	if lineEnd < 0 {
		lineEnd = len(sql) - behind
	}
	if at := skipIgnored(sql[:behind+lineEnd], behind); at < behind+lineEnd {
		s.Behind = at
	}
	begin := min(behind+lineEnd+1, len(sql))
	for at := begin; at < len(sql); {
		line, _, _ := strings.Cut(sql[at:], "\n")
		if strings.TrimSpace(line) == `\.` {
			s.Data = sql[begin:at]
			return at + len(line)
		}
		at += len(line) + 1
	}
	s.Data = sql[begin:]
	s.Unended = true
	return len(sql)
}

// setsSomething is a look before one at more expressions.
func setsSomething(head string) bool {
	return strings.HasPrefix(head, "SET ") || strings.HasPrefix(head, "RESET ")
}

var (
	setsEscapes = lazy(`^(SET|RESET)( SESSION| LOCAL)? STANDARD_CONFORMING_STRINGS\b`)
	setsInside  = lazy(`(?i)\b(?:set_config\s*\(\s*'|set\s+(?:session\s+|local\s+)?)standard_conforming_strings'?\s*(?:,|=|\bto\b)\s*'?(\w+)`)
)

// escapesAfter reports whether standard_conforming_strings is off after a
// statement, given what it was before.
func escapesAfter(head, sql string, before bool) bool {
	if !setsSomething(head) {
		first, _, _ := strings.Cut(head, " ")
		if isOneOf(first, "SELECT", "DO", "WITH") && containsFold(sql, "standard_conforming_strings") {
			if m := setsInside().FindStringSubmatch(sql); m != nil {
				return isOff(m[1])
			}
		}
		return before
	}
	if head == "RESET ALL" {
		return false
	}
	if !setsEscapes().MatchString(head) {
		return before
	}
	value := ""
	for l := (lexer{sql: sql}); ; {
		t, ok := l.next()
		if !ok {
			break
		}
		value = strings.Trim(sql[t.start:t.end], "'")
	}
	return isOff(value)
}

// isOff reports whether PostgreSQL takes the value of a setting for false.
func isOff(value string) bool {
	return isOneOf(value, "off", "of", "false", "fals", "fal", "fa", "f", "no", "n", "0")
}

func put(b *strings.Builder, c byte) {
	if b.Len() > 400 {
		return
	}
	if c >= 'a' && c <= 'z' {
		c -= 'a' - 'A'
	}
	b.WriteByte(c)
}
