package judge

import (
	"strings"

	"slipway/lambda/sqltext"
)

// commitIn returns where a body in PL/pgSQL ends the transaction, -1 if it does
// not. PostgreSQL lets it do so outside a transaction alone.
func commitIn(l sqltext.Lexer) int {
	begins := true // a statement can begin here
	for t, ok := l.Next(); ok; t, ok = l.Next() {
		piece := l.Text(t)
		if begins && t.Kind == sqltext.Word && sqltext.IsOneOf(piece, "COMMIT", "ROLLBACK") {
			behind := l
			if next, ok := behind.Next(); ok && !sqltext.IsOneOf(l.SQL[next.Start:next.End], ":", "=", ".", "[") {
				return t.Start // no variable of that name
			}
		}
		begins = piece == ";" || piece == ">" || t.Kind == sqltext.Word &&
			sqltext.IsOneOf(piece, "BEGIN", "THEN", "ELSE", "LOOP")
	}
	return -1
}

// committing looks for a DO that commits, and the call of a procedure that the
// script makes and that commits, in a script that runs in a transaction.
func (j *judgement) committing(statements []sqltext.Statement) {
	var procedures []string
	for _, s := range statements {
		switch first, _, _ := strings.Cut(s.Words, " "); first {
		case "DO":
			l, place := bodyOf(j.sql, s)
			if at := commitIn(l); at >= 0 {
				j.needsOutside(place(at), "a DO that commits")
			}
		case "CREATE":
			if name := j.procedure(s); name != "" && len(procedures) < maxFindings {
				procedures = append(procedures, name)
			}
		case "CALL":
			l := s.Lexer(j.sql)
			l.At += len(first)
			t, ok := l.Next()
			if !ok || t.Kind != sqltext.Word && t.Kind != sqltext.QuotedName {
				continue
			}
			if _, name := sqltext.NameAt(&l, t); sqltext.IsOneOf(name, procedures...) {
				j.needsOutside(s.Start, "a CALL of a procedure that commits")
			}
		}
	}
}

func (j *judgement) needsOutside(at int, what string) {
	j.add(NeedsConf, at, what+" can't run in a transaction, and Flyway runs the script in one",
		"Put executeInTransaction=false into "+j.conf()+", and every other statement into another script.")
}

// procedure returns the name of the procedure that the statement makes, if its
// body commits.
func (j *judgement) procedure(s sqltext.Statement) string {
	if !strings.HasPrefix(s.Head, "CREATE PROCEDURE ") && !strings.HasPrefix(s.Head, "CREATE OR REPLACE PROCEDURE ") {
		return ""
	}
	l := s.Lexer(j.sql)
	name := ""
	for t, ok := l.Next(); ok; t, ok = l.Next() {
		switch {
		case name == "" && sqltext.IsOneOf(l.Text(t), "PROCEDURE"):
			if t, ok = l.Next(); ok {
				_, name = sqltext.NameAt(&l, t)
			}
		case t.Kind == sqltext.Literal && commitIn(sqltext.Lexer{SQL: sqltext.LiteralValue(l.Text(t), s.Escapes)}) >= 0:
			return name
		}
	}
	return ""
}
