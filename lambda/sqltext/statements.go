package sqltext

import (
	"iter"
	"slices"
	"strings"

	"slipway/lambda/lazyregexp"
)

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
	Next    int  // the place behind its semicolon and its data
	Escapes bool // standard_conforming_strings is off when it is run
}

// Copies reports whether the statement is a COPY … FROM STDIN, which takes its Data.
func (s Statement) Copies() bool { return s.copies }

// Statements are the heads of [Split].
func Statements(sql string) []string {
	var heads []string
	for s := range Each(sql) {
		heads = append(heads, s.Head)
	}
	return heads
}

// Blank reports whether a text holds no statement.
func Blank(sql string) bool {
	for range Each(sql) {
		return false
	}
	return true
}

// Split cuts a script into its statements, where PostgreSQL would. It is no
// parser: it returns what kind of statement stands where, not what it means.
func Split(sql string) []Statement {
	expected := min(strings.Count(sql, ";"), len(sql)/40) + 1 // growing it would take twice the memory
	return slices.AppendSeq(make([]Statement, 0, expected), Each(sql))
}

// Each yields the statements of [Split] one by one: a long script has millions.
func Each(sql string) iter.Seq[Statement] {
	return func(yield func(Statement) bool) {
		s := splitter{
			lexer: Lexer{SQL: sql, At: len(sql) - len(strings.TrimPrefix(sql, ByteOrderMark))},
			texts: map[string]string{},
		}
		for {
			if s.last.End == 0 {
				s.lexer.At = skipBlank(sql, s.lexer.At)
			}
			t, ok := s.lexer.Next()
			if !ok {
				break
			}
			if t.End-t.Start != 1 || sql[t.Start] != ';' || s.parens > 0 || s.atomic {
				s.add(t)
			} else if done, ok := s.end(t.Start, t.End); ok && !yield(done) {
				return
			}
		}
		if done, ok := s.end(len(sql), len(sql)); ok {
			yield(done)
		}
	}
}

type splitter struct {
	lexer Lexer
	texts map[string]string // heads and words that were there before, of which a long script has few
	head  strings.Builder
	words []string
	start int
	last  Token // of the statement; its end is 0 before the first
	first string
	// parens are open ones. A semicolon in them is a part of CREATE RULE.
	parens int
	// atomic: a body as statements is open, BEGIN ATOMIC …; …; END. Its END
	// stands where a statement could begin, every other one is a part of CASE or a name.
	atomic bool
	copies bool
}

func (s *splitter) add(t Token) {
	sql := s.lexer.SQL
	switch {
	case s.last.End == 0:
		s.start = t.Start
	case s.last.End < t.Start && !s.inRows():
		put(&s.head, ' ')
	}
	if !s.inRows() {
		s.put(t)
	}
	switch {
	case t.Kind == Word:
		s.word(t)
	case sql[t.Start] == '(':
		s.parens++
	case sql[t.Start] == ')':
		s.parens--
	}
	s.last = t
}

// inRows reports whether the lexer is in columns or rows of an INSERT, which are no part of a head.
func (s *splitter) inRows() bool { return s.first == "INSERT" && s.parens > 0 }

// put adds the token to the head.
func (s *splitter) put(t Token) {
	if t.Kind == Literal || t.Kind == QuotedName {
		s.putText(t)
		return
	}
	for i := t.Start; i < t.End; i++ {
		put(&s.head, s.lexer.SQL[i])
	}
}

// putText puts a quote mark for a text, behind what stands before its quote.
func (s *splitter) putText(t Token) {
	for i := t.Start; i < t.End; i++ {
		c := s.lexer.SQL[i]
		if c == '\'' || c == '"' || c == '$' {
			break
		}
		put(&s.head, c)
	}
	put(&s.head, '\'')
}

func (s *splitter) word(t Token) {
	if s.parens <= 0 && len(s.words) < maxWords {
		s.words = append(s.words, strings.ToUpper(s.lexer.SQL[t.Start:t.End]))
	}
	switch {
	case s.last.End == 0:
		s.first = strings.ToUpper(s.lexer.SQL[t.Start:t.End])
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
func (s *splitter) is(t Token, word string) bool {
	return t.End-t.Start == len(word) && strings.EqualFold(s.lexer.SQL[t.Start:t.End], word)
}

// end returns the statement that ends at that place, if one has begun; behind is
// the place behind its semicolon, and the lexer goes on there, or behind the data.
func (s *splitter) end(at, behind int) (done Statement, begun bool) {
	if begun = s.last.End > 0; begun {
		done = Statement{
			Head: s.once(strings.TrimSpace(s.head.String())), Words: s.once(strings.Join(s.words, " ")),
			Start: s.start, End: at, copies: s.copies, Escapes: s.lexer.Escapes,
		}
	}
	*s = splitter{lexer: s.lexer, texts: s.texts}
	if !begun {
		return done, false
	}
	if done.copies {
		s.lexer.At = done.takeData(s.lexer.SQL, behind)
	}
	done.Next = s.lexer.At
	s.lexer.Escapes = escapesAfter(done.Head, s.lexer.SQL[done.Start:done.End], s.lexer.Escapes)
	return done, true
}

// once returns the text, and the same one for those that are equal.
func (s *splitter) once(text string) string {
	if known, ok := s.texts[text]; ok {
		return known
	}
	if len(s.texts) < 4096 {
		s.texts[text] = text
	}
	return text
}

// Lexer begins at the statement, and ends with it. The script is the one that was cut.
func (s Statement) Lexer(sql string) Lexer {
	return Lexer{SQL: sql[:s.End], At: s.Start, Escapes: s.Escapes}
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

// Sets reports whether the statement is a SET or a RESET.
func (s Statement) Sets() bool { return setsSomething(s.Head) }

func setsSomething(head string) bool {
	return strings.HasPrefix(head, "SET ") || strings.HasPrefix(head, "RESET ")
}

var (
	setsEscapes = lazyregexp.New(`^(SET|RESET)( SESSION| LOCAL)? STANDARD_CONFORMING_STRINGS\b`)
	setsInside  = lazyregexp.New(`(?i)\b(?:set_config\s*\(\s*'|set\s+(?:session\s+|local\s+)?)standard_conforming_strings'?\s*(?:,|=|\bto\b)\s*'?(\w+)`)
)

// escapesAfter reports whether standard_conforming_strings is off after a
// statement, given what it was before.
func escapesAfter(head, sql string, before bool) bool {
	if !setsSomething(head) {
		first, _, _ := strings.Cut(head, " ")
		if IsOneOf(first, "SELECT", "DO", "WITH") && ContainsFold(sql, "standard_conforming_strings") {
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
	for l := (Lexer{SQL: sql}); ; {
		t, ok := l.Next()
		if !ok {
			break
		}
		value = strings.Trim(sql[t.Start:t.End], "'")
	}
	return isOff(value)
}

// isOff reports whether PostgreSQL takes the value of a setting for false.
func isOff(value string) bool {
	return IsOneOf(value, "off", "of", "false", "fals", "fal", "fa", "f", "no", "n", "0")
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
