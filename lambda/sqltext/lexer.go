package sqltext

import (
	"strings"
	"unicode/utf8"
)

// tokenKind is what PostgreSQL's lexer takes a piece of a script for.
type TokenKind int

const (
	Word       TokenKind = iota // a keyword or a name without quotes
	QuotedName                  // a name in double quotes
	Literal                     // a text in quotes of any kind
	Number                      // digits
	Parameter                   // $1
	Symbol                      // one letter that is none of the above
	Backslash                   // outside quotes: only psql knows what it means
)

// bom is the byte order mark in UTF-8.
const ByteOrderMark = "\ufeff"

// token is one of them, comments and white space aside.
type Token struct {
	Kind       TokenKind
	Start, End int
}

// lexer cuts a script into tokens as PostgreSQL does. Each letter is looked at
// once, so that its time grows with the length of the script.
type Lexer struct {
	SQL string
	At  int
	// escapes: standard_conforming_strings is off, so that a backslash in any
	// text takes the meaning of the letter behind it.
	Escapes bool
}

// next returns the next token, and false at the end of the script.
func (l *Lexer) Next() (Token, bool) {
	l.At = skipIgnored(l.SQL, l.At)
	if l.At >= len(l.SQL) {
		return Token{}, false
	}
	t := Token{Start: l.At}
	t.Kind, l.At = l.read()
	t.End = l.At
	return t, true
}

// read returns the kind of the token that begins here, and its end.
func (l *Lexer) read() (TokenKind, int) {
	sql, at := l.SQL, l.At
	c := sql[at]
	switch {
	case c == '\'':
		return Literal, l.textEnd(at, l.Escapes)
	case c == '"':
		return QuotedName, closing(sql, at+1, '"')
	case c == '$':
		return l.dollar(at)
	case c == '\\':
		return Backslash, at + 1
	case isDigit(c):
		for at < len(sql) && isDigit(sql[at]) {
			at++
		}
		return Number, at
	case !IsWord(c):
		return Symbol, at + 1
	}
	if at+1 < len(sql) && sql[at+1] == '\'' && strings.IndexByte("eEbBxXnN", c) >= 0 {
		return Literal, l.textEnd(at+1, l.Escapes && (c == 'n' || c == 'N') || c == 'e' || c == 'E')
	}
	if at+2 < len(sql) && (c == 'u' || c == 'U') && sql[at+1] == '&' {
		switch sql[at+2] {
		case '\'':
			return Literal, l.textEnd(at+2, false)
		case '"':
			return QuotedName, closing(sql, at+3, '"')
		}
	}
	for at < len(sql) && (IsWord(sql[at]) || sql[at] == '$') {
		at++
	}
	return Word, at
}

// textEnd returns the end of the text whose quote stands there. A text with
// escapes goes on behind a line end: E'a' ⏎ 'b' is one, and so is its kind.
func (l *Lexer) textEnd(at int, escapes bool) int {
	if !escapes {
		return closing(l.SQL, at+1, '\'')
	}
	for {
		at++
		for at < len(l.SQL) && l.SQL[at] != '\'' {
			if l.SQL[at] == '\\' {
				at++
			}
			at++
		}
		at = min(at+1, len(l.SQL))
		if at < len(l.SQL) && l.SQL[at] == '\'' {
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
func (l *Lexer) continued(at int) int {
	lineEnd := false
	for at < len(l.SQL) {
		switch c := l.SQL[at]; {
		case c == '\n' || c == '\r':
			lineEnd = true
			at++
		case isSpace(c):
			at++
		case strings.HasPrefix(l.SQL[at:], "--"):
			at = skipLine(l.SQL, at)
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
func (l *Lexer) dollar(at int) (TokenKind, int) {
	i := at + 1
	for i < len(l.SQL) && isDigit(l.SQL[i]) {
		i++
	}
	if i > at+1 {
		return Parameter, i
	}
	for i < len(l.SQL) && IsWord(l.SQL[i]) {
		i++
	}
	if i == len(l.SQL) || l.SQL[i] != '$' {
		return Symbol, at + 1
	}
	tag := l.SQL[at : i+1]
	if n := strings.Index(l.SQL[i+1:], tag); n >= 0 {
		return Literal, i + 1 + n + len(tag)
	}
	return Literal, len(l.SQL)
}

// textOf is the token as it is written.
func (l *Lexer) Text(t Token) string { return l.SQL[t.Start:t.End] }

// calls reports whether a parenthesis follows: the word before was a function.
func (l *Lexer) Calls() bool {
	behind := *l
	t, ok := behind.Next()
	return ok && l.SQL[t.Start:t.End] == "("
}

// SpansLines reports whether a text with escapes has a part in another line.
func (l *Lexer) SpansLines(t Token) bool {
	first := Lexer{SQL: l.SQL[:t.End]}
	for at := t.Start + 2; at < t.End; at++ {
		switch {
		case l.SQL[at] == '\\':
			at++
		case l.SQL[at] == '\'' && first.continued(at+1) > 0:
			return true
		}
	}
	return false
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
		case c == ByteOrderMark[0] && strings.HasPrefix(sql[at:], ByteOrderMark):
			at += len(ByteOrderMark) // Flyway takes it away
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

// IsWord reports whether a word can hold the letter; one that begins with a
// digit is a number.
func IsWord(c byte) bool {
	return c == '_' || c >= 0x80 || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
