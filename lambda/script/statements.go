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

// Statements cuts a script into its statements, each reduced to its beginning
// (at most some 400 letters) in capitals, without comments, with single
// spaces, and with a quote mark for every quoted text. It is no parser: it
// answers what kind of statement stands there, not what it means.
func Statements(sql string) []string {
	var all []string
	var b strings.Builder
	end := func(rest string) (skip int) {
		s := strings.TrimSpace(b.String())
		b.Reset()
		if s == "" {
			return 0
		}
		all = append(all, s)
		if !copyFromStdin.MatchString(s) {
			return 0
		}
		if i := strings.Index(rest, "\n\\."); i >= 0 {
			return i + 3
		}
		return len(rest)
	}
	for i := 0; i < len(sql); {
		rest := sql[i:]
		if n := skipIgnored(rest); n > 0 {
			space(&b)
			i += n
			continue
		}
		if n := skipQuoted(rest, b.String()); n > 0 {
			put(&b, '\'')
			i += n
			continue
		}
		i++
		switch c := rest[0]; c {
		case ';':
			i += end(sql[i:])
		case ' ', '\t', '\n', '\r', '\f':
			space(&b)
		default:
			put(&b, c)
		}
	}
	end("")
	return all
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

func space(b *strings.Builder) {
	if s := b.String(); s != "" && s[len(s)-1] != ' ' {
		put(b, ' ')
	}
}

// skipIgnored is the length of the comment that s begins with, 0 if none.
func skipIgnored(s string) int {
	if strings.HasPrefix(s, "--") {
		if i := strings.IndexByte(s, '\n'); i >= 0 {
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
// before is what stands in front of it: an E there makes backslashes escapes.
func skipQuoted(s, before string) int {
	switch s[0] {
	case '$':
		if tag := dollarQuote.FindString(s); tag != "" {
			if i := strings.Index(s[len(tag):], tag); i >= 0 {
				return i + 2*len(tag)
			}
			return len(s)
		}
	case '\'', '"':
		escapes := s[0] == '\'' && (before == "E" || strings.HasSuffix(before, " E") || strings.HasSuffix(before, "(E") ||
			strings.HasSuffix(before, ",E") || strings.HasSuffix(before, "=E"))
		for i := 1; i < len(s); i++ {
			if s[i] == '\\' && escapes {
				i++
			} else if s[i] == s[0] {
				return i + 1
			}
		}
		return len(s)
	}
	return 0
}
