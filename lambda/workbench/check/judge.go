package check

import (
	"regexp"
	"slices"
	"strings"

	"slipway/lambda/sqltext"
)

// judge turns what squawk says of one script into findings.
func (r *Result) judge(t *text, violations []violation, created created) {
	lines := newLines(t.sql)
	broken := false
	for _, v := range violations {
		if broken = v.Rule == "syntax-error"; broken {
			break
		}
	}
	mistakes := map[int]bool{}
	for _, v := range violations {
		f := Finding{Rule: v.Rule, Level: levelOf(v.Rule), Script: t.path, Line: v.Line + 1,
			Message: oneLine(v.Message)}
		if v.Help != nil {
			f.Help = oneLine(*v.Help)
		}
		switch {
		case v.Rule == "syntax-error":
			// One mistake draws a tail of them: the first of a line tells it.
			if mistakes[f.Line] || len(mistakes) == 3 || r.refused(t.path, f.Line) {
				continue
			}
			mistakes[f.Line] = true
			f.Message = "the SQL does not parse: " + f.Message
		case t.syntaxOnly, broken:
			continue
		case repeated(v, violations):
			continue
		}
		f.Table = tableAt(t, lines, f.Line)
		if statement, ok := t.statementAt(lines, f.Line); ok && onOnly.MatchString(t.sqlOf(statement)) &&
			f.Rule == "require-concurrent-index-creation" {
			continue // an index of the parent alone is empty, whatever its partitions hold
		}
		if slices.Contains(blocking, f.Rule) {
			table := f.Table
			if f.Rule == "require-concurrent-index-creation" && created.parents[table] {
				f.Help = "The table has partitions: " + inParts
			}
			if table != "" && created.tables[table] && f.Rule == "adding-foreign-key-constraint" {
				continue // what it locks besides is for the rule foreign-key-locks to say
			}
			if table != "" && created.tables[table] {
				f.Level = Note
				f.Message = "harmless here, for this branch creates the table: " + f.Message
			}
		}
		r.add(f)
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// repeated reports whether another finding of the same line says it better.
func repeated(v violation, all []violation) bool {
	return slices.ContainsFunc(all, func(o violation) bool {
		return o.Line == v.Line && slices.Contains(sameThing[v.Rule], o.Rule)
	})
}

const name = `((?:"[^"]+"|[\w\x80-\xff]+)(?:\s*\.\s*(?:"[^"]+"|[\w\x80-\xff]+))?)`

var (
	createsTable = regexp.MustCompile(`(?is)^CREATE\s+(?:(?:UNLOGGED\s+)?TABLE|MATERIALIZED\s+VIEW)\s+` + name)
	ifNotExists  = regexp.MustCompile(
		`(?is)^CREATE\s+(?:(?:UNLOGGED\s+)?TABLE|MATERIALIZED\s+VIEW)\s+IF\s+NOT\s+EXISTS\b`)
	altersTable  = regexp.MustCompile(`(?is)^ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?` + name)
	indexesTable = regexp.MustCompile(`(?is)^CREATE\s+(?:UNIQUE\s+)?INDEX\b.*?\bON\s+(?:ONLY\s+)?` + name)
	fullRewrite  = regexp.MustCompile(`^(VACUUM (FULL|\([^)]*FULL)|CLUSTER\b)`)
)

// created are the tables that earlier scripts of the branch make. IF NOT
// EXISTS proves nothing. parents are those with partitions that any script makes.
type created struct{ tables, parents map[string]bool }

func newCreated(texts []*text) created {
	return created{tables: map[string]bool{}, parents: partitioned(texts)}
}

func (c created) add(t *text) {
	for _, s := range t.statements {
		sql := t.sqlOf(s)
		if m := createsTable.FindStringSubmatch(sql); m != nil && !ifNotExists.MatchString(sql) {
			c.tables[plain(m[1])] = true
		}
	}
}

// sqlOf is the text of a statement. The parser's text differs from that which
// was split only in lines of data.
func (t *text) sqlOf(s sqltext.Statement) string {
	return t.sql[min(s.Start, len(t.sql)):min(s.End, len(t.sql))]
}

// statementAt is the first statement that stands on that line.
func (t *text) statementAt(lines lines, line int) (sqltext.Statement, bool) {
	for _, s := range t.statements {
		if line >= lines.of(s.Start) && line <= lines.of(s.End) {
			return s, true
		}
	}
	return sqltext.Statement{}, false
}

// tableAt is the table that the statement on that line is about, "" if unknown.
func tableAt(t *text, lines lines, line int) string {
	s, ok := t.statementAt(lines, line)
	if !ok {
		return ""
	}
	for _, form := range []*regexp.Regexp{altersTable, indexesTable} {
		if m := form.FindStringSubmatch(t.sqlOf(s)); m != nil {
			return plain(m[1])
		}
	}
	return ""
}

// plain spells a table's name as PostgreSQL stores it, without the schema public.
func plain(table string) string {
	var parts []string
	for part := range strings.SplitSeq(table, ".") {
		part = strings.TrimSpace(part)
		if strings.HasPrefix(part, `"`) {
			part = strings.Trim(part, `"`)
		} else {
			part = strings.ToLower(part)
		}
		parts = append(parts, part)
	}
	return strings.TrimPrefix(strings.Join(parts, "."), "public.")
}

// ownRules finds what squawk has no rule for.
func (r *Result) ownRules(t *text) {
	if t.syntaxOnly {
		return
	}
	lines := newLines(t.sql)
	outside := 0
	for _, s := range t.statements {
		if s.OutsideTransaction() {
			outside++
		}
		if fullRewrite.MatchString(s.Head) {
			r.add(Finding{
				Rule: "full-rewrite", Level: Error, Script: t.path, Line: lines.of(s.Start),
				Message: "the table is rewritten under an ACCESS EXCLUSIVE lock: nobody can read it meanwhile",
				Help:    "Plain VACUUM locks nobody out; pg_repack rewrites without the lock.",
			})
		}
	}
	switch {
	case outside > 0 && outside < len(t.statements):
		r.add(Finding{
			Rule: "mixed-script", Level: Error, Script: t.path,
			Message: "statements that can't run in a transaction stand beside others: Flyway refuses the script",
			Help:    "Put each statement that can't run in a transaction into a script of its own.",
		})
	case t.outside && len(t.statements) > 1:
		r.add(Finding{
			Rule: "several-statements", Level: Warning, Script: t.path,
			Message: "the script runs outside a transaction: when one statement fails, those before it stay applied",
			Help:    "Give each statement a script of its own.",
		})
	}
}
