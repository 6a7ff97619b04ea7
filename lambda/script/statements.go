package script

import (
	"regexp"
	"strings"
)

// outsideTransaction matches the beginnings of statements that PostgreSQL
// refuses inside a transaction and Flyway therefore runs outside one
// (PostgreSQLParser.detectCanExecuteInTransaction). It takes in a few more
// than Flyway does: taking a script for non-transactional by mistake costs it
// its lock_timeout, the reverse can leave an invalid index.
var outsideTransaction = regexp.MustCompile(`^((CREATE|DROP) (DATABASE|TABLESPACE|SUBSCRIPTION)|ALTER SYSTEM|` +
	`(CREATE|DROP)( UNIQUE)? INDEX CONCURRENTLY|REINDEX( \([^)]*\)| VERBOSE)* ((INDEX|TABLE) CONCURRENTLY|SCHEMA|DATABASE|SYSTEM)|` +
	`VACUUM|DISCARD ALL|ALTER TABLE .* DETACH PARTITION .* CONCURRENTLY)`)

var copyFromStdin = regexp.MustCompile(`^COPY .*FROM STDIN`)

// needsNoTransaction reports whether a statement of the script can't run in a transaction.
func needsNoTransaction(sql string) bool {
	for _, s := range Statements(sql) {
		if outsideTransaction.MatchString(s) {
			return true
		}
	}
	return false
}

// Statement is one statement of a script.
type Statement struct {
	// Head is its beginning (at most some 400 letters) in capitals, without
	// comments, with single spaces, and with a quote mark for every quoted text.
	Head       string
	Start, End int    // where it stands in the script, in bytes: from its first letter to before its semicolon
	Data       string // the lines that follow COPY … FROM STDIN, without the end mark
}

// Copies reports whether the statement is a COPY … FROM STDIN, which takes its Data.
func (s Statement) Copies() bool { return copyFromStdin.MatchString(s.Head) }

// OutsideTransaction reports whether PostgreSQL refuses the statement inside a transaction.
func (s Statement) OutsideTransaction() bool { return outsideTransaction.MatchString(s.Head) }

// Statements are the heads of [Split].
func Statements(sql string) []string {
	var heads []string
	for _, s := range Split(sql) {
		heads = append(heads, s.Head)
	}
	return heads
}

// Split cuts a script into its statements. It is no parser: it answers what
// kind of statement stands where, not what it means.
func Split(sql string) []Statement {
	var s splitter
	for i := len(sql) - len(strings.TrimPrefix(sql, bom)); i < len(sql); {
		rest := sql[i:]
		if n := skipIgnored(rest); n > 0 {
			space(&s.head)
			s.adjacent = ""
			i += n
			continue
		}
		if n := skipQuoted(rest, strings.EqualFold(s.adjacent, "E")); n > 0 {
			s.begin(i)
			s.adjacent = ""
			put(&s.head, '\'')
			i += n
			continue
		}
		i++
		s.adjacent = ""
		switch c := rest[0]; {
		case c == ';' && s.parens <= 0 && s.blocks == 0:
			i += s.end(i-1, sql[i:])
		case strings.IndexByte(" \t\n\r\f", c) >= 0:
			space(&s.head)
		case isWord(c):
			n := 1
			for n < len(rest) && (isWord(rest[n]) || rest[n] == '$') {
				n++
			}
			s.adjacent = rest[:n]
			s.begin(i - 1)
			s.word(rest[:n])
			i += n - 1
		default:
			s.begin(i - 1)
			switch c {
			case '(':
				s.parens++
			case ')':
				s.parens--
			}
			put(&s.head, c)
		}
	}
	s.end(len(sql), "")
	return s.all
}

type splitter struct {
	all    []Statement
	head   strings.Builder
	start  int
	begun  bool
	parens int
	blocks int    // open BEGIN ATOMIC and, inside them, CASE
	last   string // word
	// adjacent is the word that ends where the next letter begins: a quote
	// behind a lone E takes backslashes for escapes.
	adjacent string
}

func (s *splitter) begin(at int) {
	if !s.begun {
		s.start, s.begun = at, true
	}
}

// word follows the body of a function that is written as statements:
// BEGIN ATOMIC …; …; END.
func (s *splitter) word(word string) {
	for i := range len(word) {
		put(&s.head, word[i])
	}
	word = strings.ToUpper(word)
	switch {
	case word == "ATOMIC" && s.last == "BEGIN", word == "CASE" && s.blocks > 0:
		s.blocks++
	case word == "END" && s.blocks > 0:
		s.blocks--
	}
	s.last = word
}

// end closes the statement that ends at that place, and answers how much of the rest is its data.
func (s *splitter) end(at int, rest string) (skip int) {
	done := Statement{Head: strings.TrimSpace(s.head.String()), Start: s.start, End: at}
	all, begun := s.all, s.begun
	*s = splitter{all: all}
	if !begun {
		return 0
	}
	if done.Copies() {
		done.Data, skip = copyData(rest)
	}
	s.all = append(s.all, done)
	return skip
}

// copyData is what stands between the line of the COPY statement and the line
// with the end mark, and the length of all of it.
func copyData(rest string) (data string, length int) {
	_, data, _ = strings.Cut(rest, "\n")
	begin := len(rest) - len(data)
	for at := 0; at < len(data); {
		line, _, ended := strings.Cut(data[at:], "\n")
		if strings.TrimSpace(line) == `\.` {
			return data[:at], begin + at + len(line)
		}
		if !ended {
			break
		}
		at += len(line) + 1
	}
	return data, len(rest)
}

func isWord(c byte) bool {
	return c == '_' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func put(b *strings.Builder, c byte) {
	// A COPY tells by its end what it is, and may name many columns before.
	if b.Len() > 400 && !strings.HasPrefix(b.String(), "COPY ") {
		return
	}
	if c >= 'a' && c <= 'z' {
		c -= 'a' - 'A'
	}
	b.WriteByte(c)
}

func space(b *strings.Builder) {
	if s := b.String(); s != "" && s[len(s)-1] != ' ' {
		put(b, ' ')
	}
}

// skipIgnored is the length of the comment that s begins with, 0 if none.
func skipIgnored(s string) int {
	if strings.HasPrefix(s, "--") {
		if i := strings.IndexAny(s, "\r\n"); i >= 0 {
			return i
		}
		return len(s)
	}
	if !strings.HasPrefix(s, "/*") {
		return 0
	}
	depth, i := 0, 0
	for i < len(s) {
		switch {
		case strings.HasPrefix(s[i:], "/*"):
			depth, i = depth+1, i+2
		case strings.HasPrefix(s[i:], "*/"):
			depth, i = depth-1, i+2
		default:
			i++
		}
		if depth == 0 {
			break
		}
	}
	return i
}

var dollarQuote = regexp.MustCompile(`^\$([A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$`)

// skipQuoted is the length of the quoted text that s begins with, 0 if none.
// With escapes, a backslash takes the meaning of the quote behind it.
func skipQuoted(s string, escapes bool) int {
	switch s[0] {
	case '$':
		if tag := dollarQuote.FindString(s); tag != "" {
			if i := strings.Index(s[len(tag):], tag); i >= 0 {
				return i + 2*len(tag)
			}
			return len(s)
		}
	case '\'', '"':
		for i := 1; i < len(s); i++ {
			if s[i] == '\\' && escapes && s[0] == '\'' {
				i++
			} else if s[i] == s[0] {
				return i + 1
			}
		}
		return len(s)
	}
	return 0
}
