package sqltext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// driverReader cuts a statement of Flyway's once more, as PostgreSQL's JDBC
// driver 42.7 does (org.postgresql.core.Parser), with its mistakes.
type driverReader struct {
	sql     string
	escapes bool // standard_conforming_strings is off
	at      int
	parens  int
	first   string // the first word that tells the kind of statement: CREATE, or another
	begin   bool   // the last word was BEGIN
	atomic  bool   // nothing is cut any more
}

// readAsDriver returns the places of the semicolons at which the driver cuts.
func readAsDriver(sql string, escapes bool) []int {
	d := &driverReader{sql: sql, escapes: escapes}
	var cuts []int
	for d.at < len(sql) {
		switch c := sql[d.at]; {
		case c == ';':
			if !d.atomic && d.parens == 0 {
				cuts = append(cuts, d.at)
				d.first = ""
			}
			d.at++
		case c == '\'':
			d.text()
		case c == '"':
			d.at = untilQuote(sql, d.at+1, '"')
		case c == '-' && strings.HasPrefix(sql[d.at:], "--"):
			d.at = skipLine(sql, d.at)
		case c == '/' && strings.HasPrefix(sql[d.at:], "/*"):
			d.comment()
		case c == '$':
			d.dollar()
		case c == '(':
			d.parens++
			d.at++
		case c == ')':
			d.parens--
			d.at++
		default:
			d.word()
		}
	}
	return cuts
}

// untilQuote returns the place behind the next such quote; a doubled one is
// two texts to the driver.
func untilQuote(sql string, at int, quote byte) int {
	if n := strings.IndexByte(sql[at:], quote); n >= 0 {
		return at + n + 1
	}
	return len(sql)
}

func (d *driverReader) text() {
	escapes := d.escapes || d.at >= 2 && (d.sql[d.at-1] == 'e' || d.sql[d.at-1] == 'E') && endsWord(d.sql[d.at-2])
	d.at++
	if !escapes {
		d.at = untilQuote(d.sql, d.at, '\'')
		return
	}
	for d.at < len(d.sql) && d.sql[d.at] != '\'' {
		if d.sql[d.at] == '\\' {
			d.at++
		}
		d.at++
	}
	d.at = min(d.at+1, len(d.sql))
}

// endsWord reports whether the letter can't be a part of the word before an E.
func endsWord(c byte) bool {
	return c == '"' || isSpace(c) || strings.IndexByte(",()[].;:+-*/%^<>=~!@#&|`?", c) >= 0
}

// comment takes the slash of /*/ for the end of the comment.
func (d *driverReader) comment() {
	level := 1
	for i := d.at + 2; i < len(d.sql); i++ {
		switch d.sql[i-1 : i+1] {
		case "*/":
			level--
			i++
		case "/*":
			level++
			i++
		}
		if level == 0 {
			d.at = i
			return
		}
	}
	d.at = len(d.sql)
}

func (d *driverReader) dollar() {
	sql := d.sql
	at := d.at
	d.at++
	if endsInWord(sql[:at]) {
		return
	}
	i := at + 1
	for i < len(sql) && IsWord(sql[i]) && !(i == at+1 && isDigit(sql[i])) {
		i++
	}
	if i == len(sql) || sql[i] != '$' {
		return
	}
	tag := sql[at : i+1]
	n := strings.Index(sql[i+1:], tag)
	if n < 0 {
		d.at = len(sql)
		return
	}
	d.at = i + 1 + n + len(tag)
}

// word reads a word, or passes over one letter that can't begin one.
func (d *driverReader) word() {
	begin := d.at
	c, size := utf8.DecodeRuneInString(d.sql[d.at:])
	d.at += size
	if isIgnorable(c) || isDigit(d.sql[begin]) || !isIdentifierPart(c) {
		return
	}
	for d.at < len(d.sql) && d.sql[d.at] != '$' {
		if c, size = utf8.DecodeRuneInString(d.sql[d.at:]); !isIdentifierPart(c) {
			break
		}
		d.at += size
	}
	name := d.sql[begin:d.at]
	switch {
	case d.first == "":
		d.first = kindOfStatement(name)
	case d.first != "CREATE":
	case strings.EqualFold(name, "BEGIN"):
		d.begin = true
		return
	case d.begin && strings.EqualFold(name, "ATOMIC"):
		d.atomic = true
	}
	d.begin = false
}

// kindOfStatement returns the word in capitals if the driver tells a
// statement's kind by it, "" if it goes on looking.
func kindOfStatement(word string) string {
	for _, kind := range []string{"CREATE", "ALTER", "UPDATE", "DELETE", "MOVE", "SELECT", "WITH", "INSERT"} {
		if strings.EqualFold(word, kind) {
			return kind
		}
	}
	return ""
}

// endsInWord reports whether the last letter can be a part of an identifier.
func endsInWord(sql string) bool {
	c, _ := utf8.DecodeLastRuneInString(sql)
	return sql != "" && isIdentifierPart(c)
}

// isIdentifierPart is Java's Character.isJavaIdentifierPart of a char.
func isIdentifierPart(c rune) bool {
	if c < utf8.RuneSelf {
		return IsWord(byte(c)) || c == '$' || isIgnorable(c)
	}
	return isIgnorable(c) ||
		c <= 0xffff && unicode.In(c, unicode.L, unicode.Nd, unicode.Nl, unicode.M, unicode.Sc, unicode.Pc, unicode.Cf)
}

// isIgnorable is Character.isIdentifierIgnorable: control characters that are no white space.
func isIgnorable(c rune) bool {
	return c < '\t' || c > '\r' && c < 0x1c || c >= 0x7f && c < 0xa0 || unicode.Is(unicode.Cf, c)
}
