package judge

import (
	"strings"

	"slipway/lambda/lazyregexp"
	"slipway/lambda/sqltext"
)

var (
	begins = lazyregexp.New(`^(BEGIN|START TRANSACTION)( |$)`)
	chains = lazyregexp.New(` AND CHAIN$`)
)

// transaction looks for what begins or ends a transaction: in a script that
// runs in one, and for one that is left open by a script that does not.
func (j *judgement) transaction(statements []sqltext.Statement) {
	inside := j.file.Inside || !j.file.NoTransaction
	open := -1
	for i, s := range statements {
		switch {
		case !s.ControlsTransaction():
		case inside:
			j.add(Transaction, s.Start, kindOfControl(s.Words)+
				": the script runs in a transaction, together with its row in the history, so it can't begin or end "+
				"one",
				"Remove the line; or, if the script is to commit on its own, put executeInTransaction=false into "+
					j.conf()+".")
		case begins().MatchString(s.Words), chains().MatchString(s.Words):
			open = i
		default:
			open = -1
		}
	}
	if open >= 0 {
		j.add(Transaction, statements[open].Start, kindOfControl(statements[open].Words)+
			": the script does not end the transaction that it begins here",
			"Add COMMIT; at its end.")
	}
}

// kindOfControl returns the first words of such a statement.
func kindOfControl(words string) string {
	list := strings.Fields(words)
	if len(list) > 1 && (list[0] == "START" || list[0] == "PREPARE") {
		return list[0] + " " + list[1]
	}
	return list[0]
}

// outside looks for statements that PostgreSQL refuses in a transaction while
// Flyway would run the script in one.
func (j *judgement) outside(statements []sqltext.Statement) {
	if j.file.Outside {
		return
	}
	if j.file.Inside || !j.file.NoTransaction {
		j.committing(statements)
	}
	for _, s := range statements {
		if !s.OutsideTransaction() {
			continue
		}
		name := kindOfOutside(s)
		switch {
		case j.file.Inside:
			j.add(NeedsConf, s.Start, name+" can't run in a transaction, and "+j.conf()+
				" says executeInTransaction=true",
				"Put executeInTransaction=false into "+j.conf()+".")
		case s.KnownOutside():
		default:
			j.needsOutside(s.Start, name)
		}
	}
}

// kindOfOutside names a statement that can't run in a transaction.
func kindOfOutside(s sqltext.Statement) string {
	head := s.Head
	first, _, _ := strings.Cut(s.Words, " ")
	switch {
	case strings.HasPrefix(head, "ALTER TABLE"):
		return "ALTER TABLE … DETACH PARTITION … CONCURRENTLY"
	case strings.HasPrefix(head, "ALTER DATABASE"):
		return "ALTER DATABASE … SET TABLESPACE"
	case strings.HasPrefix(head, "ALTER SUBSCRIPTION"):
		return "ALTER SUBSCRIPTION with a refresh"
	case strings.HasPrefix(head, "CLUSTER"):
		return "CLUSTER without a table"
	case first == "REINDEX" && strings.Contains(head, "CONCURRENTLY"):
		return "REINDEX … CONCURRENTLY"
	case first == "VACUUM" || first == "REINDEX":
		return first
	}
	words := strings.Fields(s.Words)
	return strings.Join(words[:min(2, len(words))], " ")
}

var (
	setsStyle    = lazyregexp.New(`^SET( SESSION| LOCAL)? DATESTYLE\b`)
	setsEncoding = lazyregexp.New(`^SET( SESSION| LOCAL)? (CLIENT_ENCODING|NAMES)\b`)
	setsUser     = lazyregexp.New(`^SET( SESSION| LOCAL)? SESSION AUTHORIZATION .`)
	resetsUser   = lazyregexp.New(`^(RESET SESSION AUTHORIZATION|SET( SESSION| LOCAL)? SESSION AUTHORIZATION DEFAULT)$`)
	unlocksAll   = lazyregexp.New(`(?i)\bpg_advisory_unlock_all\s*\(`)
)

// session looks for what Flyway's session would not survive: what takes its
// locks away, and what makes its driver close it.
func (j *judgement) session(s sqltext.Statement) {
	const leave = "Remove it: each script starts with a clean session."
	switch {
	case s.Words == "DISCARD ALL":
		j.add(BreaksSession, s.Start, "DISCARD ALL takes away the lock under which Flyway runs", leave)
	case s.Sets():
		j.sets(s)
	case strings.HasPrefix(s.Head, "DO "), strings.HasPrefix(s.Head, "SELECT "), strings.HasPrefix(s.Head, "WITH "):
		if sqltext.ContainsFold(j.sql[s.Start:s.End], "pg_advisory_unlock_all") &&
			unlocksAll().MatchString(j.sql[s.Start:s.End]) {
			j.add(BreaksSession, s.Start, "pg_advisory_unlock_all() takes away the lock under which Flyway runs",
				"Free the script's own locks one by one, with pg_advisory_unlock(…).")
		}
		if sqltext.ContainsFold(s.Head, "set_config") {
			j.configured(s)
		}
	}
}

// sets looks at SET and RESET.
func (j *judgement) sets(s sqltext.Statement) {
	switch {
	case resetsUser().MatchString(s.Head):
		j.user = nil
	case setsUser().MatchString(s.Head):
		j.user = &s
	case setsStyle().MatchString(s.Head) && !isoStyle(j.setting(s)):
		j.add(BreaksSession, s.Start, "DateStyle other than ISO makes Flyway's driver close the session",
			"Set it for the role or in a function, or format dates with to_char() and to_date().")
	case setsEncoding().MatchString(s.Head) && !utf8Name(j.setting(s)):
		j.add(BreaksSession, s.Start, "a client_encoding other than UTF8 makes Flyway's driver close the session",
			"Remove it; if the script's file has another encoding, put encoding=… into "+j.conf()+".")
	}
}

// userStays looks whether the script ends as another user than it began as.
func (j *judgement) userStays() {
	if j.user != nil {
		j.add(BreaksSession, j.user.Start, "SET SESSION AUTHORIZATION is not taken back by the script, and Flyway "+
			"goes on in its session",
			"Add RESET SESSION AUTHORIZATION; behind what it is for, or use SET LOCAL ROLE.")
	}
}

// setting returns the words behind TO, = or the setting's name, in small letters.
func (j *judgement) setting(s sqltext.Statement) []string {
	var values []string
	l := s.Lexer(j.sql)
	begun := false
	for t, ok := l.Next(); ok; t, ok = l.Next() {
		value := strings.ToLower(strings.Trim(j.sql[t.Start:t.End], `'"`))
		switch {
		case begun && value != "," && value != "to" && value != "=":
			for v := range strings.FieldsFuncSeq(value, func(c rune) bool { return c == ',' || c == ' ' }) {
				values = append(values, v)
			}
		case value == "datestyle" || value == "client_encoding" || value == "names":
			begun = true
		}
	}
	return values
}

// isoStyle reports whether DateStyle stays ISO: the order of day and month may change.
func isoStyle(values []string) bool {
	for _, v := range values {
		if strings.HasPrefix(v, "sql") || strings.HasPrefix(v, "postgres") || strings.HasPrefix(v, "german") {
			return false
		}
	}
	return true
}

func utf8Name(values []string) bool {
	if len(values) == 0 {
		return true
	}
	switch strings.NewReplacer("-", "", "_", "").Replace(values[0]) {
	case "utf8", "unicode", "default":
		return true
	}
	return false
}

// configured looks at the settings that a statement makes with set_config.
func (j *judgement) configured(s sqltext.Statement) {
	l := s.Lexer(j.sql)
	var before [4]string // set_config ( 'name' ,
	for t, ok := l.Next(); ok; t, ok = l.Next() {
		value := strings.ToLower(j.sql[t.Start:t.End])
		if before[0] == "set_config" && before[1] == "(" && before[3] == "," && t.Kind == sqltext.Literal {
			set := strings.FieldsFunc(strings.Trim(value, "'"), func(c rune) bool { return c == ',' || c == ' ' })
			switch strings.Trim(before[2], "'") {
			case "datestyle":
				if !isoStyle(set) {
					j.add(BreaksSession, t.Start, "DateStyle other than ISO makes Flyway's driver close the session",
						"Format dates with to_char() and to_date().")
				}
			case "client_encoding":
				if !utf8Name(set) {
					j.add(BreaksSession, t.Start, "a client_encoding other than UTF8 makes Flyway's driver close "+
						"the session", "Remove it.")
				}
			}
		}
		copy(before[:], before[1:])
		before[3] = value
	}
}
