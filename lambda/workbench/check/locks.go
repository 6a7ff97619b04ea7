package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"slipway/lambda/sqltext"
)

var (
	onOnly       = regexp.MustCompile(`(?is)^CREATE\s+(?:UNIQUE\s+)?INDEX\b.*?\bON\s+ONLY\b`)
	concurrently = regexp.MustCompile(`^CREATE( UNIQUE)? INDEX CONCURRENTLY\b`)
	addsValue    = regexp.MustCompile(`(?is)^ALTER\s+TYPE\s+` + name +
		`\s+ADD\s+VALUE\s+(?:IF\s+NOT\s+EXISTS\s+)?('(?:[^']|'')*')`)
	createsType = regexp.MustCompile(`(?is)^CREATE\s+TYPE\s+` + name)
)

const inParts = "CREATE INDEX … ON ONLY the parent, CREATE INDEX CONCURRENTLY on each partition, then ALTER INDEX … " +
	"ATTACH PARTITION, each in a script of its own."

// partitioned are the tables that scripts make as parents of partitions.
func partitioned(texts []*text) map[string]bool {
	parents := map[string]bool{}
	for _, t := range texts {
		for _, s := range t.statements {
			m := createsTable.FindStringSubmatch(t.sqlOf(s))
			if m == nil {
				continue
			}
			depth := 0
			tokens := sqltext.Tokens(t.sqlOf(s))
			for i, token := range tokens {
				switch {
				case token == "(":
					depth++
				case token == ")":
					depth--
				case depth == 0 && strings.EqualFold(token, "PARTITION") && i+1 < len(tokens) &&
					strings.EqualFold(tokens[i+1], "BY"):
					parents[plain(m[1])] = true
				}
			}
		}
	}
	return parents
}

// lockRules are about locks that squawk does not know of.
func (r *Result) lockRules(t *text, created created) {
	lines := newLines(t.sql)
	for _, s := range t.statements {
		sql := t.sqlOf(s)
		if m := indexesTable.FindStringSubmatch(sql); m != nil && concurrently.MatchString(s.Head) &&
			!onOnly.MatchString(sql) && created.parents[plain(m[1])] {
			r.add(Finding{
				Rule: "concurrently-on-partitioned", Level: Error, Script: t.path, Line: lines.of(s.Start),
				Message: plain(m[1]) + " has partitions, and PostgreSQL makes no index on such a table CONCURRENTLY",
				Help:    inParts,
			})
		}
		r.references(t, s, lines, created)
	}
	if !t.outside {
		r.enumValues(t, lines)
	}
}

// references finds foreign keys of tables that the branch creates to such that
// it does not: while they are made, nobody writes to those.
func (r *Result) references(t *text, s sqltext.Statement, lines lines, created created) {
	sql := t.sqlOf(s)
	f := Finding{Rule: "foreign-key-locks", Level: Warning, Script: t.path, Line: lines.of(s.Start)}
	if m := altersTable.FindStringSubmatch(sql); m != nil && created.tables[plain(m[1])] {
		f.Level = Error
	} else if !createsTable.MatchString(sql) {
		return // of tables that were there, squawk says it
	}
	tokens := sqltext.Tokens(sql)
	if notValid(tokens) {
		return
	}
	var locked []string
	for i, token := range tokens {
		if !strings.EqualFold(token, "REFERENCES") || i+1 >= len(tokens) {
			continue
		}
		table := tokens[i+1]
		if i+3 < len(tokens) && tokens[i+2] == "." {
			table += "." + tokens[i+3]
		}
		if table = plain(table); !created.tables[table] && !slices.Contains(locked, table) {
			locked = append(locked, table)
		}
	}
	if len(locked) == 0 {
		return
	}
	f.Message = fmt.Sprintf("the foreign key locks %s against writes to the end of the script",
		strings.Join(locked, ", "))
	f.Help = "Put it into a script of its own, with nothing slow behind it: the lock ends with the script."
	r.add(f)
}

func notValid(tokens []string) bool {
	for i := 1; i < len(tokens); i++ {
		if strings.EqualFold(tokens[i-1], "NOT") && strings.EqualFold(tokens[i], "VALID") {
			return true
		}
	}
	return false
}

// enumValues finds a new value of an enum that the same transaction uses.
func (r *Result) enumValues(t *text, lines lines) {
	added, made := map[string]string{}, map[string]bool{} // type by value; types of this script
	for _, s := range t.statements {
		sql := t.sqlOf(s)
		if m := createsType.FindStringSubmatch(sql); m != nil {
			made[plain(m[1])] = true
		}
		if m := addsValue.FindStringSubmatch(sql); m != nil {
			if !made[plain(m[1])] {
				added[m[2]] = plain(m[1])
			}
			continue
		}
		for _, token := range sqltext.Tokens(sql) {
			if enum, new := added[token]; new {
				r.add(Finding{
					Rule: "new-enum-value", Level: Warning, Script: t.path, Line: lines.of(s.Start),
					Message: fmt.Sprintf("uses %s, which the same script adds to %s: PostgreSQL refuses a new value "+
						"until its transaction is over", token, enum),
					Help: "Put ALTER TYPE … ADD VALUE into an earlier script.",
				})
				break
			}
		}
	}
}
