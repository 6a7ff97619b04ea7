package sqltext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// dollar reads from a dollar sign to the next one, whatever is between them,
// and on to where all of that comes again.
func (r *flywayReader) dollar() {
	n := strings.IndexByte(r.sql[r.at+1:], '$')
	if n < 0 {
		r.at = len(r.sql)
		return
	}
	tag := r.sql[r.at : r.at+n+2]
	r.at += len(tag)
	if n = strings.Index(r.sql[r.at:], tag); n < 0 {
		r.at = len(r.sql)
		return
	}
	r.at += n + len(tag)
}

// escaped reads E'…', B'…' and X'…', in which a backslash hides the next letter.
func (r *flywayReader) escaped() {
	i := r.at + 2
	for i < len(r.sql) {
		c := r.sql[i]
		if c == '\\' {
			_, size := utf8.DecodeRuneInString(r.sql[min(i+1, len(r.sql)):])
			i += 1 + size
			continue
		}
		i++
		if c != '\'' {
			continue
		}
		if i == len(r.sql) || r.sql[i] != '\'' {
			break
		}
		i++
	}
	r.at = min(i, len(r.sql))
}

// word reads a keyword or a name, with up to two more parts behind dots.
func (r *flywayReader) word(first int) (flywayToken, string) {
	begin := r.at
	r.at += first
	r.wordPart()
	plain := strings.IndexFunc(r.sql[begin:r.at], func(c rune) bool { return c != '_' && !isLetter(c) }) < 0
	more := r.parts()
	if more != "" || !plain {
		return flywayOther, r.sql[begin:r.at]
	}
	if r.parens != 0 {
		return flywayKeyword, "" // nobody looks at it
	}
	return flywayKeyword, strings.ToUpper(r.sql[begin:r.at])
}

func (r *flywayReader) wordPart() {
	for r.at < len(r.sql) {
		c, size := utf8.DecodeRuneInString(r.sql[r.at:])
		if c != '_' && c != '$' && !isLetter(c) && !(c <= 0xffff && unicode.IsDigit(c)) {
			return
		}
		r.at += size
	}
}

// parts reads up to two more parts of a name, each behind a dot.
func (r *flywayReader) parts() string {
	begin := r.at
	for range 2 {
		if r.at == len(r.sql) || r.sql[r.at] != '.' {
			break
		}
		r.at++
		if r.at < len(r.sql) && r.sql[r.at] == '"' {
			r.at = closing(r.sql, r.at+1, '"')
		} else {
			r.wordPart()
		}
	}
	return r.sql[begin:r.at]
}

// space reads white space; two line ends in it are a token.
func (r *flywayReader) space() flywayToken {
	begin := r.at
	for r.at < len(r.sql) {
		c, size := utf8.DecodeRuneInString(r.sql[r.at:])
		if !isJavaSpace(c) {
			break
		}
		r.at += size
	}
	if strings.Count(r.sql[begin:r.at], "\n") > 1 {
		return flywayBlank
	}
	return flywayNothing
}

// isLetter is Character.isLetter of a char: one beyond 16 bits is two of them,
// and none of these is a letter.
func isLetter(c rune) bool { return c <= 0xffff && unicode.IsLetter(c) }

// isJavaSpace is Character.isWhitespace.
func isJavaSpace(c rune) bool {
	switch {
	case c < 0x80:
		return c >= '\t' && c <= '\r' || c >= 0x1c && c <= ' '
	case c == 0xa0 || c == 0x2007 || c == 0x202f:
		return false
	}
	return unicode.In(c, unicode.Zs, unicode.Zl, unicode.Zp)
}
