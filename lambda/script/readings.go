package script

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// readings compares how PostgreSQL, Flyway and its driver read the script.
func (j *judgement) readings(statements []Statement) {
	strict := j.file.NoTransaction && !j.file.Inside
	pieces, trouble := readAsFlyway(j.sql)
	if trouble == nil && alike(j.sql, statements, pieces, strict) {
		return
	}
	found := len(j.findings)
	from := 0
	for _, s := range statements {
		// Each by itself, for behind the first difference all may differ.
		own := j.sql[from:s.End] + ";"
		if s.copies {
			own += "\n\\.\n"
		}
		alone := s
		alone.Start -= from
		alone.End -= from
		pieces, trouble := readAsFlyway(own)
		if trouble != nil || !alike(own, []Statement{alone}, pieces, strict) {
			j.construct(s, from, trouble)
		}
		from = s.next
	}
	if len(j.findings) > found {
		return
	}
	at := 0
	if trouble != nil {
		at = min(trouble.at, len(j.sql))
	}
	j.add(ReadOtherwise, at, "Flyway cuts this script into other statements than PostgreSQL does",
		"Put the statement into a script of its own, or write function bodies as quoted texts ($$ … $$).")
}

// alike reports whether Flyway's pieces, cut once more by the driver, are the
// statements. Strict: without the driver's help, for what it has to cut goes to
// the server together.
func alike(sql string, statements []Statement, pieces []piece, strict bool) bool {
	n := 0
	for _, p := range pieces {
		cuts := []int{p.end}
		var escapes bool
		if n < len(statements) {
			escapes = statements[n].escapes
		}
		if !p.copies {
			cuts = cuts[:0]
			for _, cut := range readAsDriver(sql[p.start:p.end], escapes) {
				cuts = append(cuts, p.start+cut)
			}
			cuts = append(cuts, p.end)
		}
		from := p.start
		sent := 0
		for _, end := range cuts {
			start := skipBlank(sql[:end], from)
			from = min(end+1, len(sql))
			if start >= end {
				continue
			}
			if n == len(statements) || statements[n].Start != start || statements[n].End != end || statements[n].copies != p.copies {
				return false
			}
			strict = strict || statements[n].OutsideTransaction()
			n++
			sent++
		}
		if sent > 1 && strict {
			return false
		}
	}
	return n == len(statements)
}

// construct names what in a statement Flyway or its driver read otherwise.
func (j *judgement) construct(s Statement, from int, trouble *flywayTrouble) {
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
	if trouble != nil && trouble.spins {
		reason = "Flyway's parser would never end with this statement"
	} else if trouble != nil {
		reason = "Flyway takes the statement for incomplete"
	}
	j.add(ReadOtherwise, s.Start, reason, "Write it in another form; a function's body as a quoted text ($$ … $$).")
}

// comments looks for those that begin with /*/, from that place to the end of the statement.
func (j *judgement) comments(s Statement, from int) {
	l := lexer{sql: j.sql[:s.End], at: from, escapes: s.escapes}
	for at := from; ; {
		t, ok := l.next()
		if !ok {
			return
		}
		if n := strings.Index(j.sql[at:t.start], "/*/"); n >= 0 {
			j.add(ReadOtherwise, at+n, "PostgreSQL's driver takes /*/ for a whole comment, and what follows for SQL", "Write /* / instead.")
		}
		at = t.end
	}
}

// constructs looks at the tokens of a statement.
func (j *judgement) constructs(s Statement) {
	const quote = " or write the body as a quoted text ($$ … $$)."
	l := lexer{sql: j.sql[:s.End], at: s.Start, escapes: s.escapes}
	atomic := false
	last := ""
	cases := 0
	parens := 0
	for t, ok := l.next(); ok; t, ok = l.next() {
		text := j.sql[t.start:t.end]
		upper := ""
		if t.kind == word {
			upper = strings.ToUpper(text)
		}
		name := atomic && (last == "AS" || last == "." || parens == 0 && last == ")" && upper == "END")
		switch {
		case t.kind == parameter:
			j.add(ReadOtherwise, t.start, fmt.Sprintf("Flyway takes %s for the beginning of a text in dollar quotes", text),
				"Give the argument a name,"+quote)
		case atomic && upper == "CASE" && parens == 0 && !name:
			cases++
			if cases > 1 {
				j.add(ReadOtherwise, t.start, "Flyway does not know a CASE in a CASE in BEGIN ATOMIC, and takes its END for the end of the body",
					"Put the inner CASE into parentheses,"+quote)
			}
		case atomic && upper == "END" && cases > 0 && !name && last != ";":
			cases--
		case name && parens == 0 && (upper == "END" || upper == "CASE"):
			j.add(ReadOtherwise, t.start, fmt.Sprintf("Flyway takes the name %s for the keyword", text), `Put the name into double quotes, or choose another;`+quote)
		case t.kind == quoted:
		case strings.HasPrefix(text, "e'") && strings.Contains(text, `\'`):
			j.add(ReadOtherwise, t.start, `Flyway knows E'…' with a capital E alone, and takes \' in e'…' for the end of the text`, "Write E'…'.")
		case strings.HasPrefix(text, "E'") && j.goesOn(t):
			j.add(ReadOtherwise, t.start, `Flyway and its driver do not know that E'…' goes on in the next line`, "Write it as one text.")
		case strings.HasPrefix(text, "'") && s.escapes && strings.Contains(text, `\'`):
			j.add(ReadOtherwise, t.start, `Flyway takes \' for the end of the text, whatever standard_conforming_strings says`, "Double the quote, or write E'…'.")
		case t.kind == word && startsWithDigit(text):
			j.add(ReadOtherwise, t.start, "Flyway's parser never ends with a name that begins with such a digit", "Put the name into double quotes.")
		}
		switch text {
		case "(":
			parens++
		case ")":
			parens--
		}
		atomic = atomic || upper == "ATOMIC" && last == "BEGIN"
		last = upper
		if t.kind == symbol {
			last = text
		}
	}
}

// goesOn reports whether a text with escapes has a part in another line.
func (j *judgement) goesOn(t token) bool {
	first := lexer{sql: j.sql[:t.end]}
	for at := t.start + 2; at < t.end; at++ {
		switch {
		case j.sql[at] == '\\':
			at++
		case j.sql[at] == '\'' && first.continued(at+1) > 0:
			return true
		}
	}
	return false
}

func startsWithDigit(text string) bool {
	c, _ := utf8.DecodeRuneInString(text)
	return unicode.IsDigit(c)
}
