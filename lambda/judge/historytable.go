package judge

import (
	"slices"
	"strings"

	"slipway/lambda/lazyregexp"
	"slipway/lambda/sqltext"
)

// history looks for a statement that makes, fills, changes or locks the table
// of the history, or drops or renames its schema. Reading it is fine, and so is
// a table of that name in another schema.
func (j *judgement) history(s sqltext.Statement, db Database) {
	if db.Table == "" {
		return
	}
	search := historySearch{db: db, moved: j.moved}
	sql := j.sql[:s.End]
	j.moved = j.moved || movesPath(s, sql[s.Start:], db.schema())
	if at, called := j.callsOne(s); called {
		j.changesHistory(at, touches, db)
		return
	}
	if dropsOwned().MatchString(s.Head) {
		j.changesHistory(s.Start, "drops all that the role owns", db)
		return
	}
	if !db.mentioned(sql[s.Start:]) {
		return
	}
	if strings.HasPrefix(s.Head, "COPY ") && !strings.Contains(" "+s.Words+" ", " FROM ") {
		return // COPY … TO reads
	}
	if at, how := search.statement(sql, s); how != "" {
		j.changesHistory(at, how, db)
		return
	}
	j.remember(s, search)
}

// How a script can harm the table of the history.
const (
	touches     = "changes it or keeps it locked"
	takesSchema = "drops or renames its schema"
)

func (j *judgement) changesHistory(at int, how string, db Database) {
	next := "Remove the statement: a dump leaves the table out with pg_dump --exclude-table=" + db.Table + "."
	if how != touches {
		next = "Drop or rename the other objects one by one."
	}
	j.add(HistoryTable, at, db.schema()+"."+db.Table+" is the table of Flyway's history, and the script "+how, next)
}

// mentioned is a look before a slower one: whether a text can name the table.
func (db Database) mentioned(sql string) bool {
	return sqltext.ContainsFold(sql, db.Table) || sqltext.ContainsFold(sql, `u&`) ||
		sqltext.ContainsFold(sql, "execute") || strings.Contains(sql, `\`) ||
		sqltext.ContainsFold(sql, "schema") && sqltext.ContainsFold(sql, db.schema())
}

var dropsOwned = lazyregexp.New(`^DROP OWNED BY .*\b(CURRENT_USER|CURRENT_ROLE|SESSION_USER)\b`)

// historySearch looks for what changes the table.
type historySearch struct {
	db    Database
	moved bool // search_path does not hold its schema
}

// statement returns how the statement changes the table and where, "" if it does not.
func (h historySearch) statement(sql string, s sqltext.Statement) (at int, how string) {
	l, place := inside(sql, s)
	at, how = h.body(l)
	return place(at), how
}

// body does the same for all statements from where the lexer stands.
func (h historySearch) body(l sqltext.Lexer) (at int, how string) {
	var before []string // words since the last semicolon; a name is put as its parts with dots
	for t, ok := l.Next(); ok; t, ok = l.Next() {
		if t.Kind != sqltext.Word && t.Kind != sqltext.QuotedName {
			before = append(before, l.SQL[t.Start:min(t.End, t.Start+1)])
			if before[len(before)-1] == ";" {
				before = before[:0]
			}
			continue
		}
		if sqltext.IsOneOf(l.Text(t), "EXECUTE") {
			made := executed(l)
			for _, s := range sqltext.Split(made) {
				if _, how := h.statement(made, s); how != "" {
					return t.Start, how
				}
			}
		}
		schema, name := sqltext.NameAt(&l, t)
		switch {
		case h.isHistory(schema, name) && changes(before):
			return t.Start, touches
		case schema == "" && name == h.db.schema() && takes(before, l):
			return t.Start, takesSchema
		}
		before = append(before, strings.ToUpper(l.Text(t)))
		if t.Kind == sqltext.QuotedName || l.At > t.End {
			before[len(before)-1] = "a name"
		}
		if len(before) > 4096 { // a long list of values
			before = slices.Clone(before[:16])
		}
	}
	return 0, ""
}

// takes reports whether the words before the name of a schema, or the one that
// the lexer stands before, drop or rename it.
func takes(before []string, l sqltext.Lexer) bool {
	at := slices.Index(before, "SCHEMA")
	switch {
	case at < 1:
		return false
	case before[at-1] == "DROP":
		return !slices.Contains(before, "CASCADE") && !slices.Contains(before, "RESTRICT")
	case before[at-1] == "ALTER" && at == len(before)-1:
		t, ok := l.Next()
		return ok && sqltext.IsOneOf(l.Text(t), "RENAME")
	}
	return false
}

func (db Database) schema() string {
	if db.Schema == "" {
		return "public"
	}
	return db.Schema
}

func (h historySearch) isHistory(schema, name string) bool {
	if table := h.db.Table; name != table && name != table+"_pk" && name != table+"_s_idx" {
		return false
	}
	if schema == "" {
		return !h.moved
	}
	return schema == h.db.schema()
}

// changes reports whether the words before the name of a table make it one
// that is changed.
func changes(before []string) bool {
	last := func(n int) string {
		for i := len(before) - 1; i >= 0; i-- {
			if slices.Contains([]string{"ONLY", "IF", "NOT", "EXISTS", "CONCURRENTLY"}, before[i]) {
				continue
			}
			if n == 0 {
				return before[i]
			}
			n--
		}
		return ""
	}
	first := ""
	if len(before) > 0 {
		first = before[0]
	}
	if slices.Contains([]string{"COMMENT", "GRANT", "REVOKE", "TABLE"}, first) {
		return false // they neither change rows or columns, nor lock readers out
	}
	switch last(0) {
	case "INTO", "UPDATE", "TABLE", "COPY", "REFERENCES", "TRUNCATE", "LOCK", "CLUSTER", "INHERIT", "PARTITION",
		"INDEX":
		return last(1) != "FOR" && last(1) != "SELECT" // FOR UPDATE OF …
	case "FROM":
		return last(1) == "DELETE"
	case "ON", "TO":
		return slices.Contains([]string{"CREATE", "DROP", "ALTER"}, first) &&
			slices.ContainsFunc(before, func(w string) bool {
				return slices.Contains([]string{"INDEX", "TRIGGER", "RULE", "POLICY"}, w)
			})
	case ",":
		return slices.Contains([]string{"DROP", "TRUNCATE", "LOCK"}, first)
	}
	return false
}

var setsPath = lazyregexp.New(`^(SET( SESSION| LOCAL)? SEARCH_PATH\b|SELECT .*SET_CONFIG ?\()`)

// movesPath reports whether the statement sets a search_path in which the
// schema of the history is not named.
func movesPath(s sqltext.Statement, sql, schema string) bool {
	return (s.Sets() || strings.HasPrefix(s.Head, "SELECT ")) && setsPath().MatchString(s.Head) &&
		sqltext.ContainsFold(sql, "search_path") && !sqltext.ContainsFold(sql, schema)
}
