package script

import (
	"slices"
	"strings"
)

// history looks for a statement that makes, fills, changes or locks the table
// of the history. Reading it is fine, and so is a table of that name in
// another schema.
func (j *judgement) history(s Statement, judge Judge) {
	if judge.Table == "" {
		return
	}
	sql := j.sql[s.Start:s.End]
	if !containsFold(sql, judge.Table) {
		j.moved = j.moved || movesPath(s, sql, judge.schema())
		return
	}
	l := lexer{sql: j.sql[:s.End], at: s.Start, escapes: s.escapes}
	if strings.HasPrefix(s.Head, "DO ") {
		// What its body does at once is done by the script.
		l = lexer{sql: j.sql[:s.End], at: bodyOf(j.sql, s)}
	}
	var before []string // words since the last semicolon; a name is put as its parts with dots
	for t, ok := l.next(); ok; t, ok = l.next() {
		if t.kind != word && t.kind != quoted {
			before = append(before, j.sql[t.start:min(t.end, t.start+1)])
			if before[len(before)-1] == ";" {
				before = before[:0]
			}
			continue
		}
		schema, name, end := j.relation(t, s.End)
		l.at = end
		if j.isHistory(schema, name, judge) && changes(before) {
			j.add(HistoryTable, t.start, judge.schema()+"."+judge.Table+" is the table of Flyway's history, and the script changes it or keeps it locked",
				"Remove the statement: a dump leaves the table out with pg_dump --exclude-table="+judge.Table+".")
			return
		}
		before = append(before, strings.ToUpper(j.sql[t.start:t.end]))
		if t.kind == quoted || end > t.end {
			before[len(before)-1] = "a name"
		}
		if len(before) > 4096 { // a long list of values
			before = slices.Clone(before[:16])
		}
	}
}

func (j Judge) schema() string {
	if j.Schema == "" {
		return "public"
	}
	return j.Schema
}

func containsFold(s, part string) bool {
	for n := len(part); len(s) >= n; {
		i := strings.IndexAny(s, part[:1]+strings.ToUpper(part[:1]))
		if i < 0 || len(s)-i < n {
			return false
		}
		if strings.EqualFold(s[i:i+n], part) {
			return true
		}
		s = s[i+1:]
	}
	return false
}

// bodyOf returns the place where the body of a DO begins, behind its quote.
func bodyOf(sql string, s Statement) int {
	l := lexer{sql: sql[:s.End], at: s.Start}
	for t, ok := l.next(); ok; t, ok = l.next() {
		if t.kind == text {
			tag := strings.IndexByte(sql[t.start+1:t.end], sql[t.start])
			return t.start + 1 + max(0, tag) + 1
		}
	}
	return s.End
}

// relation reads the name that begins with the token, with all its parts.
func (j *judgement) relation(t token, limit int) (schema, name string, end int) {
	name = folded(j.sql[t.start:t.end])
	l := lexer{sql: j.sql[:limit], at: t.end}
	for {
		end = l.at
		dot, ok := l.next()
		if !ok || j.sql[dot.start:dot.end] != "." {
			return schema, name, end
		}
		part, ok := l.next()
		if !ok || part.kind != word && part.kind != quoted {
			return schema, name, end
		}
		schema = name
		name = folded(j.sql[part.start:part.end])
	}
}

// folded is a name as PostgreSQL stores it.
func folded(name string) string {
	if strings.HasPrefix(name, `"`) {
		return strings.ReplaceAll(strings.Trim(name, `"`), `""`, `"`)
	}
	return strings.ToLower(name)
}

func (j *judgement) isHistory(schema, name string, judge Judge) bool {
	if name != judge.Table && name != judge.Table+"_pk" && name != judge.Table+"_s_idx" {
		return false
	}
	if schema == "" {
		return !j.moved
	}
	return schema == judge.schema()
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
	case "INTO", "UPDATE", "TABLE", "COPY", "REFERENCES", "TRUNCATE", "LOCK", "CLUSTER", "INHERIT", "PARTITION", "INDEX":
		return last(1) != "FOR" && last(1) != "SELECT" // FOR UPDATE OF …
	case "FROM":
		return last(1) == "DELETE"
	case "ON", "TO":
		return slices.Contains([]string{"CREATE", "DROP", "ALTER"}, first) &&
			slices.ContainsFunc(before, func(w string) bool { return slices.Contains([]string{"INDEX", "TRIGGER", "RULE", "POLICY"}, w) })
	case ",":
		return slices.Contains([]string{"DROP", "TRUNCATE", "LOCK"}, first)
	}
	return false
}

var setsPath = lazy(`^(SET( SESSION| LOCAL)? SEARCH_PATH\b|SELECT .*SET_CONFIG ?\()`)

// movesPath reports whether the statement sets a search_path in which the
// schema of the history is not named.
func movesPath(s Statement, sql, schema string) bool {
	return (setsSomething(s.Head) || strings.HasPrefix(s.Head, "SELECT ")) && setsPath().MatchString(s.Head) && containsFold(sql, "search_path") && !containsFold(sql, schema)
}
