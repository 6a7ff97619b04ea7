package script

import (
	"strings"
	"unicode/utf8"
)

// tokenKind is what PostgreSQL's lexer takes a piece of a script for.
type tokenKind int

const (
	word      tokenKind = iota // a keyword or a name without quotes
	quoted                     // a name in double quotes
	text                       // a text in quotes of any kind
	number                     // digits
	parameter                  // $1
	symbol                     // one letter that is none of the above
	backslash                  // outside quotes: only psql knows what it means
)

// token is one of them, comments and white space aside.
type token struct {
	kind       tokenKind
	start, end int
}

// lexer cuts a script into tokens as PostgreSQL does. Each letter is looked at
// once, so that its time grows with the length of the script.
type lexer struct {
	sql string
	at  int
	// escapes: standard_conforming_strings is off, so that a backslash in any
	// text takes the meaning of the letter behind it.
	escapes bool
}

// next returns the next token, and false at the end of the script.
func (l *lexer) next() (token, bool) {
	l.at = skipIgnored(l.sql, l.at)
	if l.at >= len(l.sql) {
		return token{}, false
	}
	t := token{start: l.at}
	t.kind, l.at = l.read()
	t.end = l.at
	return t, true
}

// read returns the kind of the token that begins here, and its end.
func (l *lexer) read() (tokenKind, int) {
	sql, at := l.sql, l.at
	c := sql[at]
	switch {
	case c == '\'':
		return text, l.textEnd(at, l.escapes)
	case c == '"':
		return quoted, closing(sql, at+1, '"')
	case c == '$':
		return l.dollar(at)
	case c == '\\':
		return backslash, at + 1
	case isDigit(c):
		for at < len(sql) && isDigit(sql[at]) {
			at++
		}
		return number, at
	case !isWord(c):
		return symbol, at + 1
	}
	if at+1 < len(sql) && sql[at+1] == '\'' && strings.IndexByte("eEbBxXnN", c) >= 0 {
		return text, l.textEnd(at+1, l.escapes && (c == 'n' || c == 'N') || c == 'e' || c == 'E')
	}
	if at+2 < len(sql) && (c == 'u' || c == 'U') && sql[at+1] == '&' {
		switch sql[at+2] {
		case '\'':
			return text, l.textEnd(at+2, false)
		case '"':
			return quoted, closing(sql, at+3, '"')
		}
	}
	for at < len(sql) && (isWord(sql[at]) || sql[at] == '$') {
		at++
	}
	return word, at
}

// textEnd returns the end of the text whose quote stands there. A text with
// escapes goes on behind a line end: E'a' ⏎ 'b' is one, and so is its kind.
func (l *lexer) textEnd(at int, escapes bool) int {
	if !escapes {
		return closing(l.sql, at+1, '\'')
	}
	for {
		at++
		for at < len(l.sql) && l.sql[at] != '\'' {
			if l.sql[at] == '\\' {
				at++
			}
			at++
		}
		at = min(at+1, len(l.sql))
		if at < len(l.sql) && l.sql[at] == '\'' {
			continue // a doubled quote
		}
		more := l.continued(at)
		if more < 0 {
			return at
		}
		at = more
	}
}

// continued returns where the quote stands that takes up the text that ended
// there, -1 if none does: between them must be a line end.
func (l *lexer) continued(at int) int {
	lineEnd := false
	for at < len(l.sql) {
		switch c := l.sql[at]; {
		case c == '\n' || c == '\r':
			lineEnd = true
			at++
		case isSpace(c):
			at++
		case strings.HasPrefix(l.sql[at:], "--"):
			at = skipLine(l.sql, at)
		case c == '\'' && lineEnd:
			return at
		default:
			return -1
		}
	}
	return -1
}

// closing returns the place behind the quote that ends what begins at that
// place; two of them stand for one. The end of the script closes, too.
func closing(sql string, at int, quote byte) int {
	for {
		n := strings.IndexByte(sql[at:], quote)
		if n < 0 {
			return len(sql)
		}
		at += n + 1
		if at == len(sql) || sql[at] != quote {
			return at
		}
		at++
	}
}

// dollar reads $1, $tag$ … $tag$, or a lone dollar sign.
func (l *lexer) dollar(at int) (tokenKind, int) {
	i := at + 1
	for i < len(l.sql) && isDigit(l.sql[i]) {
		i++
	}
	if i > at+1 {
		return parameter, i
	}
	for i < len(l.sql) && isWord(l.sql[i]) {
		i++
	}
	if i == len(l.sql) || l.sql[i] != '$' {
		return symbol, at + 1
	}
	tag := l.sql[at : i+1]
	if n := strings.Index(l.sql[i+1:], tag); n >= 0 {
		return text, i + 1 + n + len(tag)
	}
	return text, len(l.sql)
}

// skipIgnored returns the place of the next letter that is neither white space
// nor in a comment.
func skipIgnored(sql string, at int) int {
	for at < len(sql) {
		switch c := sql[at]; {
		case isSpace(c):
			at++
		case c == '-' && strings.HasPrefix(sql[at:], "--"):
			at = skipLine(sql, at)
		case c == '/' && strings.HasPrefix(sql[at:], "/*"):
			at = skipComment(sql, at)
		case c == bom[0] && strings.HasPrefix(sql[at:], bom):
			at += len(bom) // Flyway takes it away
		default:
			return at
		}
	}
	return at
}

// skipBlank is skipIgnored before a statement, where Flyway passes over more:
// no-break spaces and others that are letters of names to PostgreSQL.
func skipBlank(sql string, at int) int {
	for {
		at = skipIgnored(sql, at)
		if at == len(sql) || sql[at] < utf8.RuneSelf {
			return at
		}
		c, size := utf8.DecodeRuneInString(sql[at:])
		if c != '\u00a0' && !isJavaSpace(c) {
			return at
		}
		at += size
	}
}

func skipLine(sql string, at int) int {
	if n := strings.IndexAny(sql[at:], "\r\n"); n >= 0 {
		return at + n
	}
	return len(sql)
}

// skipComment returns the end of the comment that begins there; comments nest.
func skipComment(sql string, at int) int {
	depth := 0
	for at < len(sql) {
		switch {
		case strings.HasPrefix(sql[at:], "/*"):
			depth++
			at += 2
		case strings.HasPrefix(sql[at:], "*/"):
			depth--
			at += 2
		default:
			at++
		}
		if depth == 0 {
			return at
		}
	}
	return at
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isWord reports whether a word can hold the letter; one that begins with a
// digit is a number.
func isWord(c byte) bool {
	return c == '_' || c >= 0x80 || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
