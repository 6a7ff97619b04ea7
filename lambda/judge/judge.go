package judge

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"slipway/lambda/script"
	"slipway/lambda/sqltext"
)

// Rule names a kind of reason for which a script is refused.
type Rule string

// The rules of [Script].
const (
	ReadOtherwise Rule = "flyway-reads-otherwise" // Flyway or its driver cut the script elsewhere than PostgreSQL
	PsqlCommand   Rule = "psql-command"           // a backslash command, which is not SQL
	CopyData      Rule = "copy-data"              // COPY … FROM STDIN without its end mark, or with text on its line
	// the script ends the transaction in which it runs, or leaves one open
	Transaction   Rule = "transaction-control"
	BreaksSession Rule = "breaks-session" // Flyway's session would not survive the statement
	// PostgreSQL refuses the statement in a transaction, and Flyway does not know that
	NeedsConf    Rule = "needs-conf"
	TooLong      Rule = "statement-too-long" // Flyway does not have the memory for the statement
	HistoryTable Rule = "history-table"      // the script changes Flyway's table
)

// Finding is one reason for which a script must not be run as it is.
type Finding struct {
	Rule   Rule
	Line   int    // from 1
	Reason string // what is wrong
	Next   string // what to do, a sentence
}

// Database is what is known of the database that a script is for.
type Database struct {
	// Table and Schema are the history's. Without a schema, that which the
	// role's search path begins with is taken to be public.
	Table, Schema string
	// LongestMB is the longest statement for which Flyway has memory there; 0 for any.
	LongestMB int
}

// Script returns why a script must not be run, by line; nil if nothing speaks
// against it. The text is that of the file with placeholders replaced. Undo
// scripts are run by Slipway itself, so that nothing is said of Flyway's
// parser, and what they may do to their transaction is for their caller to say.
func Script(f script.File, sql string, db Database) []Finding {
	var marks []int
	if f.Kind != script.Undo {
		sql, marks = sqltext.WithoutMarks(sql)
	}
	statements := sqltext.Split(sql)
	s := judgement{sql: sql, file: f, lines: sqltext.NewLines(sql)}
	for _, statement := range statements {
		s.data(statement)
		s.psql(statement)
		if f.Kind == script.Undo {
			continue
		}
		s.session(statement)
		s.history(statement, db)
		s.length(statement, db.LongestMB)
	}
	if f.Kind != script.Undo {
		s.marks(statements, marks)
		s.userStays()
		s.transaction(statements)
		s.outside(statements)
		if len(s.findings) == 0 {
			s.readings(statements)
		}
	}
	slices.SortStableFunc(s.findings, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
	return s.findings
}

type judgement struct {
	sql      string
	file     script.File
	lines    *sqltext.Lines
	findings []Finding
	user     *sqltext.Statement // that set another session user, which stays
	moved    bool               // the script has set a search_path of its own
	hostile  []string           // functions of the script that change the table of the history
}

// maxFindings of a script: more say nothing new.
const maxFindings = 100

func (j *judgement) add(rule Rule, at int, reason, next string) {
	if len(j.findings) >= maxFindings {
		return
	}
	j.findings = append(j.findings, Finding{Rule: rule, Line: j.lines.Of(at), Reason: reason, Next: next})
}

// conf is the name of the .conf file beside the script.
func (j *judgement) conf() string { return path.Base(j.file.Script) + ".conf" }

// data looks at a COPY … FROM STDIN: whether its data end, and nothing but a
// comment stands behind its semicolon.
func (j *judgement) data(s sqltext.Statement) {
	if s.Unended {
		j.add(CopyData, s.Start, "the data of COPY … FROM STDIN do not end",
			`End the data with a line that holds \. and nothing else.`)
	}
	if s.Behind > 0 {
		j.add(CopyData, s.Behind, "text behind COPY … FROM STDIN; on its line is not run: the data begin on the "+
			"next line",
			"Put it below the data.")
	}
	if !s.Copies() && strings.HasPrefix(s.Head, "COPY ") && j.file.Kind != script.Undo &&
		strings.Contains(" "+s.Words+" ", " TO STDOUT ") {
		j.add(ReadOtherwise, s.Start, "COPY … TO STDOUT prints its rows, and Flyway has nobody to print them to",
			"Remove the statement, or use SELECT.")
	}
}

// psql looks for commands of psql, which begin with a backslash.
func (j *judgement) psql(s sqltext.Statement) {
	if strings.IndexByte(j.sql[s.Start:s.End], '\\') < 0 {
		return
	}
	l := s.Lexer(j.sql)
	last := 0
	for t, ok := l.Next(); ok; t, ok = l.Next() {
		if t.Kind != sqltext.Backslash || j.lines.Of(t.Start) == last {
			continue
		}
		last = j.lines.Of(t.Start)
		command, _, _ := strings.Cut(j.sql[t.Start:], "\n")
		name := strings.Fields(command)[0]
		next := "Remove the line: PostgreSQL and Flyway know SQL alone."
		switch {
		case name == `\.`:
			next = `Remove it: no data of a COPY … FROM STDIN stand above it.`
		case name == `\copy`:
			next = `Write COPY … FROM STDIN; with the data below it and a line \. behind them.`
		case name == `\i` || name == `\ir` || name == `\include` || name == `\include_relative`:
			next = "Put the text of the other file in its place."
		}
		j.add(PsqlCommand, t.Start, shown(name)+" is a command of psql, not SQL", next)
	}
}

// shown keeps what is quoted from a script short and printable.
func shown(s string) string {
	end := 1
	for end < len(s) && end < 24 && (sqltext.IsWord(s[end]) && s[end] < 0x80 || s[end] == '.') {
		end++
	}
	return s[:end]
}
