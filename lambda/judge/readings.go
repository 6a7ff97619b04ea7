package judge

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"slipway/lambda/sqltext"
)

// readings compares how PostgreSQL, Flyway and its driver read the script.
func (j *judgement) readings(statements []sqltext.Statement) {
	strict := j.file.NoTransaction && !j.file.Inside
	same, trouble := sqltext.CutAlike(j.sql, statements, strict)
	if same {
		return
	}
	found := len(j.findings)
	from := 0
	for _, s := range statements {
		// Each by itself, for behind the first difference all may differ.
		own := j.sql[from:s.End] + ";"
		if s.Copies() {
			own += "\n\\.\n"
		}
		alone := s
		alone.Start -= from
		alone.End -= from
		if same, trouble := sqltext.CutAlike(own, []sqltext.Statement{alone}, strict); !same {
			j.construct(s, from, trouble)
		}
		from = s.Next
	}
	if len(j.findings) > found {
		return
	}
	at := 0
	if trouble != nil {
		at = min(trouble.At, len(j.sql))
	}
	j.add(ReadOtherwise, at, "Flyway cuts this script into other statements than PostgreSQL does",
		"Put the statement into a script of its own, or write function bodies as quoted texts ($$ … $$).")
}

// construct names what in a statement Flyway or its driver read otherwise.
func (j *judgement) construct(s sqltext.Statement, from int, trouble *sqltext.Trouble) {
	found := len(j.findings)
	if j.sql[s.Start] == '(' {
		j.add(ReadOtherwise, s.Start, "Flyway loses the parenthesis with which the statement begins",
			"Put a comment before it on its line, such as /* rows */ (SELECT …), or begin with SELECT.")
	}
	j.constructs(s)
	j.comments(s, from)
	if len(j.findings) > found {
		return
	}
	reason := "Flyway does not cut the statement where PostgreSQL does"
	if trouble != nil && trouble.Spins {
		reason = "Flyway's parser would never end with this statement"
	} else if trouble != nil {
		reason = "Flyway takes the statement for incomplete"
	}
	j.add(ReadOtherwise, s.Start, reason, "Write it in another form; a function's body as a quoted text ($$ … $$).")
}

// comments looks for those that begin with /*/, from that place to the end of the statement.
func (j *judgement) comments(s sqltext.Statement, from int) {
	l := s.Lexer(j.sql)
	l.At = from
	for at := from; ; {
		t, ok := l.Next()
		if !ok {
			return
		}
		if n := strings.Index(j.sql[at:t.Start], "/*/"); n >= 0 {
			j.add(ReadOtherwise, at+n, "PostgreSQL's driver takes /*/ for a whole comment, and what follows for SQL",
				"Write /* / instead.")
		}
		at = t.End
	}
}

// constructs looks at the tokens of a statement.
func (j *judgement) constructs(s sqltext.Statement) {
	const quote = " or write the body as a quoted text ($$ … $$)."
	l := s.Lexer(j.sql)
	atomic := false
	last := ""
	cases := 0
	parens := 0
	for t, ok := l.Next(); ok; t, ok = l.Next() {
		text := j.sql[t.Start:t.End]
		upper := ""
		if t.Kind == sqltext.Word {
			upper = strings.ToUpper(text)
		}
		name := atomic && (last == "AS" || last == "." || parens == 0 && last == ")" && upper == "END")
		switch {
		case t.Kind == sqltext.Parameter:
			j.add(ReadOtherwise, t.Start, fmt.Sprintf("Flyway takes %s for the beginning of a text in dollar quotes",
				text),
				"Give the argument a name,"+quote)
		case atomic && upper == "CASE" && parens == 0 && !name:
			cases++
			if cases > 1 {
				j.add(ReadOtherwise, t.Start, "Flyway does not know a CASE in a CASE in BEGIN ATOMIC, and takes its "+
					"END for the end of the body",
					"Put the inner CASE into parentheses,"+quote)
			}
		case atomic && upper == "END" && cases > 0 && !name && last != ";":
			cases--
		case name && parens == 0 && (upper == "END" || upper == "CASE"):
			j.add(ReadOtherwise, t.Start, fmt.Sprintf("Flyway takes the name %s for the keyword", text),
				`Put the name into double quotes, or choose another;`+quote)
		case t.Kind == sqltext.QuotedName:
		case strings.HasPrefix(text, "e'") && strings.Contains(text, `\'`):
			j.add(ReadOtherwise, t.Start,
				`Flyway knows E'…' with a capital E alone, and takes \' in e'…' for the end of the text`, "Write E'…'.")
		case strings.HasPrefix(text, "E'") && l.SpansLines(t):
			j.add(ReadOtherwise, t.Start, `Flyway and its driver do not know that E'…' goes on in the next line`,
				"Write it as one text.")
		case strings.HasPrefix(text, "'") && s.Escapes && strings.Contains(text, `\'`):
			j.add(ReadOtherwise, t.Start,
				`Flyway takes \' for the end of the text, whatever standard_conforming_strings says`,
				"Double the quote, or write E'…'.")
		case t.Kind == sqltext.Word && startsWithDigit(text):
			j.add(ReadOtherwise, t.Start, "Flyway's parser never ends with a name that begins with such a digit",
				"Put the name into double quotes.")
		}
		switch text {
		case "(":
			parens++
		case ")":
			parens--
		}
		atomic = atomic || upper == "ATOMIC" && last == "BEGIN"
		last = upper
		if t.Kind == sqltext.Symbol {
			last = text
		}
	}
}

func startsWithDigit(text string) bool {
	c, _ := utf8.DecodeRuneInString(text)
	return unicode.IsDigit(c)
}
