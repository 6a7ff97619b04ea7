package sqltext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// piece is a part of a script that is sent to the server as one statement, or
// the COPY statement of data that follows.
type piece struct {
	start, end int
	copies     bool
	outside    bool // Flyway knows it as one that can't run in a transaction
}

// Trouble is how Flyway's parser ends without a result.
type Trouble struct {
	At         int  // where it reads when that happens
	Spins      bool // it never ends
	Incomplete bool // it says that a statement is not complete
}

// flywayReader reads a script as the parser of Flyway 12.4 does (Parser and
// PostgreSQLParser), with its mistakes. [TestFlywayReadsAlike] holds it to that.
type flywayReader struct {
	sql    string
	at     int
	parens int      // is not set back at the end of a statement
	blocks []string // ATOMIC or CASE
	pieces []piece

	// The statement of the moment.
	from     int    // where the text begins that is sent
	tokens   bool   // any, a comment included
	real     bool   // one that is no comment
	last     string // the last token outside parentheses, in capitals
	keywords int
	words    []string // of the keywords outside parentheses, while they tell its kind
	copies   bool
	outside  bool
}

// flywayToken is the kind of what [flywayReader.token] has read.
type flywayToken int

const (
	flywayNothing flywayToken = iota // white space, or a parenthesis
	flywayComment
	flywayBlank // lines
	flywayKeyword
	flywayOther
	flywayDelimiter
)

// readAsFlyway returns the pieces in which Flyway would send a script, see
// [WithoutMarks], and nil or how it would fail to.
func readAsFlyway(sql string) ([]piece, *Trouble) {
	r := &flywayReader{sql: sql}
	r.reset()
	for r.at < len(sql) {
		before := r.at
		kind, text := r.token()
		if r.at == before {
			return r.pieces, &Trouble{At: before, Spins: true}
		}
		if trouble := r.take(kind, text, before); trouble != nil {
			return r.pieces, trouble
		}
	}
	if !r.real {
		return r.pieces, nil
	}
	if len(r.blocks) > 0 {
		return r.pieces, &Trouble{At: r.from, Incomplete: true}
	}
	return r.pieces, r.end(len(sql))
}

func (r *flywayReader) reset() {
	*r = flywayReader{sql: r.sql, at: r.at, from: r.at, parens: r.parens, blocks: r.blocks, pieces: r.pieces}
}

// take adds a token to the statement.
func (r *flywayReader) take(kind flywayToken, text string, at int) *Trouble {
	switch {
	case kind == flywayNothing && !r.tokens, kind == flywayDelimiter && !r.real:
		// The beginning of the text is moved even behind a parenthesis, so that
		// the first one of a statement is lost.
		r.reset()
		return nil
	case kind == flywayNothing:
		return nil
	}
	if kind == flywayKeyword && r.parens == 0 {
		r.keywords++
		r.block(text)
	}
	if kind == flywayDelimiter && r.parens == 0 && len(r.blocks) == 0 {
		return r.end(at)
	}
	r.tokens = true
	if kind == flywayComment || kind == flywayBlank {
		return nil
	}
	r.real = r.real || kind != flywayDelimiter
	if r.parens == 0 {
		r.last = text
	}
	if kind == flywayKeyword && r.parens == 0 && r.keywords <= maxWords && !(r.copies && r.outside) {
		r.detect(text)
	}
	return nil
}

// block follows BEGIN ATOMIC, CASE and END.
func (r *flywayReader) block(keyword string) {
	inside := ""
	if n := len(r.blocks); n > 0 {
		inside = r.blocks[n-1]
	}
	switch {
	case keyword == "ATOMIC" && r.last == "BEGIN":
		r.blocks = append(r.blocks, keyword)
	case keyword == "CASE" && inside == "ATOMIC":
		r.blocks = append(r.blocks, keyword)
	case keyword == "END" && inside != "":
		r.blocks = r.blocks[:len(r.blocks)-1]
	}
}

// detect looks whether the keywords so far tell what kind of statement it is.
func (r *flywayReader) detect(keyword string) {
	r.words = append(r.words, keyword)
	n := len(r.words)
	if r.words[0] == "COPY" && n > 2 && keyword == "STDIN" && r.words[n-2] == "FROM" {
		r.copies = true
	}
	r.outside = r.outside || knownOutside(strings.Join(r.words, " "))
}

// end closes the statement at that place, its delimiter read already.
func (r *flywayReader) end(at int) *Trouble {
	r.pieces = append(r.pieces, piece{start: r.from, end: at, copies: r.copies, outside: r.outside})
	if r.copies && !r.skipData() {
		return &Trouble{At: at, Spins: true}
	}
	r.reset()
	return nil
}

// skipData passes over the data of a COPY, and returns whether they end.
func (r *flywayReader) skipData() bool {
	for first := true; ; first = false {
		line, _, ended := strings.Cut(r.sql[r.at:], "\n")
		r.at = min(r.at+len(line)+1, len(r.sql))
		if !first && strings.Trim(line, javaSpace) == `\.` {
			return true
		}
		if !ended {
			return false
		}
	}
}

// javaSpace is what String.trim takes away.
const javaSpace = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\v\f\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f "

// token reads the next token. Where Flyway reads nothing and so never ends,
// the place stays where it is.
func (r *flywayReader) token() (kind flywayToken, text string) {
	rest := r.sql[r.at:]
	c, size := utf8.DecodeRuneInString(rest)
	switch {
	case c == '$':
		r.dollar()
		return flywayOther, ""
	case c == '\'':
		r.at = closing(r.sql, r.at+1, '\'')
		return flywayOther, ""
	case c == '(':
		r.parens++
		r.at++
		return flywayNothing, ""
	case c == ')':
		r.parens--
		r.at++
		return flywayNothing, ""
	case c == '"':
		begin := r.at
		r.at = closing(r.sql, r.at+1, '"')
		text = strings.TrimSuffix(r.sql[begin+1:r.at], `"`)
		return flywayOther, text + r.parts()
	case strings.HasPrefix(rest, "--"):
		r.at = skipLine(r.sql, r.at)
		return flywayComment, ""
	case strings.HasPrefix(rest, "/*"):
		r.at = skipComment(r.sql, r.at)
		return flywayComment, ""
	case unicode.IsDigit(c):
		for r.at < len(r.sql) && isDigit(r.sql[r.at]) {
			r.at++
		}
		return flywayOther, ""
	case len(rest) > 1 && rest[1] == '\'' && (c == 'B' || c == 'E' || c == 'X'):
		r.escaped()
		return flywayOther, ""
	case strings.HasPrefix(rest, "U&'"):
		r.at = closing(r.sql, r.at+3, '\'')
		return flywayOther, ""
	case c == ';':
		r.at++
		return flywayDelimiter, ";"
	case c == '_' || isLetter(c):
		return r.word(size)
	case c == ' ' || c == '\r' || c == '\u00a0':
		r.at += size
		return flywayNothing, ""
	case isJavaSpace(c):
		return r.space(), ""
	}
	r.at += size
	return flywayOther, rest[:size]
}
