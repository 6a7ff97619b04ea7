package script

import "strings"

// commitIn returns where a body in PL/pgSQL ends the transaction, -1 if it does
// not. PostgreSQL lets it do so outside a transaction alone.
func commitIn(l lexer) int {
	begins := true // a statement can begin here
	for t, ok := l.next(); ok; t, ok = l.next() {
		piece := l.sql[t.start:t.end]
		if begins && t.kind == word && isOneOf(piece, "COMMIT", "ROLLBACK") {
			behind := l
			if next, ok := behind.next(); ok && !isOneOf(l.sql[next.start:next.end], ":", "=", ".", "[") {
				return t.start // no variable of that name
			}
		}
		begins = piece == ";" || piece == ">" || t.kind == word && isOneOf(piece, "BEGIN", "THEN", "ELSE", "LOOP")
	}
	return -1
}

// committing looks for a DO that commits, and the call of a procedure that the
// script makes and that commits, in a script that runs in a transaction.
func (j *judgement) committing(statements []Statement) {
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
			l := lexer{sql: j.sql[:s.End], at: s.Start + len(first)}
			t, ok := l.next()
			if !ok || t.kind != word && t.kind != quoted {
				continue
			}
			if _, name := nameAt(&l, t); isOneOf(name, procedures...) {
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
func (j *judgement) procedure(s Statement) string {
	if !strings.HasPrefix(s.Head, "CREATE PROCEDURE ") && !strings.HasPrefix(s.Head, "CREATE OR REPLACE PROCEDURE ") {
		return ""
	}
	l := lexer{sql: j.sql[:s.End], at: s.Start, escapes: s.escapes}
	name := ""
	for t, ok := l.next(); ok; t, ok = l.next() {
		switch {
		case name == "" && isOneOf(l.sql[t.start:t.end], "PROCEDURE"):
			if t, ok = l.next(); ok {
				_, name = nameAt(&l, t)
			}
		case t.kind == text && commitIn(lexer{sql: content(l.sql[t.start:t.end], s.escapes)}) >= 0:
			return name
		}
	}
	return ""
}
