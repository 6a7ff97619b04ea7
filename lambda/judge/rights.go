package judge

import (
	"cmp"
	"slices"
	"strings"

	"slipway/lambda/lazyregexp"
	"slipway/lambda/sqltext"
)

// Right is what PostgreSQL demands of a role before it looks at anything else in a statement.
type Right string

// The rights that a statement can need.
const (
	RunPrograms      Right = "pg_execute_server_program"
	ReadServerFiles  Right = "pg_read_server_files"
	WriteServerFiles Right = "pg_write_server_files"
	CreateDatabases  Right = "createdb"
	DropDatabase     Right = "owner of the database" // Of is its name
	CreateRoles      Right = "CREATE ROLE"
	DropRoles        Right = "DROP ROLE"
	AlterRole        Right = "ALTER ROLE" // Of is the role that is altered
	GiveSuperuser    Right = "superuser for others"
	GiveReplication  Right = "replication"
	GiveBypassRLS    Right = "bypassrls"
	AlterSystem      Right = "ALTER SYSTEM" // Of is the parameter, "" for all of them
	SetParameter     Right = "SET"          // Of is the parameter
	Tablespaces      Right = "CREATE TABLESPACE"
	EventTriggers    Right = "CREATE EVENT TRIGGER"
	AllTables        Right = "FOR ALL TABLES"
	Subscriptions    Right = "pg_create_subscription"
	Wrappers         Right = "CREATE FOREIGN DATA WRAPPER"
	AccessMethods    Right = "CREATE ACCESS METHOD"
	Extensions       Right = "CREATE EXTENSION" // Of is its name
)

// Need is a right without which PostgreSQL refuses a statement.
type Need struct {
	Right Right
	Of    string
	Line  int // of the statement, from 1
}

// Needs returns what the statements of a script need, up to the first that may
// change what the role is or holds, or that runs code which may: certain is false
// then, and what comes later is for PostgreSQL to say. Statements in bodies and
// functions are not looked at: they may never run.
func Needs(sql string) (needs []Need, certain bool) {
	lines := sqltext.NewLines(sql)
	for s := range sqltext.Each(sql) {
		if right, of := need(s, sql); right != "" {
			needs = append(needs, Need{Right: right, Of: of, Line: lines.Of(s.Start)})
		}
		if changesRights().MatchString(s.Head) {
			return needs, false
		}
	}
	return needs, true
}

// changesRights matches statements behind which the role may have other rights.
var changesRights = lazyregexp.New(`^(GRANT|REVOKE|(CREATE|ALTER) (ROLE|USER|GROUP)|DO|CALL|EXECUTE|SELECT|WITH|VALUES|` +
	`SET( SESSION| LOCAL)? (ROLE|SESSION AUTHORIZATION)|RESET|CREATE EXTENSION .*\bCASCADE)\b`)

// need returns the right that the statement needs whatever else it holds, "" if
// none is known.
func need(s sqltext.Statement, sql string) (right Right, of string) {
	w := strings.Fields(s.Words)
	switch {
	case len(w) < 2:
	case w[0] == "COPY":
		return ofCopy(s, sql), ""
	case w[0] == "SET":
		return SetParameter, parameter(s, sql)
	case w[0] == "ALTER" && w[1] == "SYSTEM" && len(w) > 3:
		return AlterSystem, parameter(s, sql)
	case sqltext.IsOneOf(w[1], "ROLE", "USER", "GROUP") && (len(w) < 3 || w[2] != "MAPPING"):
		return ofRole(s, sql, w[0])
	case w[1] == "DATABASE" && w[0] == "CREATE":
		return CreateDatabases, ""
	case w[1] == "DATABASE" && w[0] == "DROP":
		return DropDatabase, name(s, sql, 2)
	case w[1] == "EXTENSION" && w[0] == "CREATE" && !strings.Contains(s.Words, " VERSION"):
		return Extensions, name(s, sql, 2)
	case w[1] == "PUBLICATION" && w[0] == "CREATE" && strings.HasSuffix(s.Words, " FOR ALL TABLES"):
		return AllTables, ""
	}
	for start, right := range map[string]Right{
		"CREATE TABLESPACE ": Tablespaces, "CREATE EVENT TRIGGER ": EventTriggers,
		"CREATE SUBSCRIPTION ":         Subscriptions,
		"CREATE FOREIGN DATA WRAPPER ": Wrappers, "CREATE ACCESS METHOD ": AccessMethods,
	} {
		if strings.HasPrefix(s.Head, start) {
			return right, ""
		}
	}
	return "", ""
}

// ofCopy returns what a COPY needs that reads or writes on the server.
func ofCopy(s sqltext.Statement, sql string) Right {
	l := s.Lexer(sql)
	depth := 0
	direction := ""
	for t, ok := l.Next(); ok; t, ok = l.Next() {
		piece := l.Text(t)
		switch {
		case piece == "(":
			depth++
		case piece == ")":
			depth--
		case depth > 0:
		case direction == "" && t.Kind == sqltext.Word && sqltext.IsOneOf(piece, "FROM", "TO"):
			direction = strings.ToUpper(piece)
		case direction == "":
		case t.Kind == sqltext.Literal && direction == "FROM":
			return ReadServerFiles
		case t.Kind == sqltext.Literal:
			return WriteServerFiles
		case sqltext.IsOneOf(piece, "PROGRAM"):
			return RunPrograms
		default:
			return ""
		}
	}
	return ""
}

// ofRole returns what a statement about a role needs; verb is its first word.
func ofRole(s sqltext.Statement, sql, verb string) (Right, string) {
	name := name(s, sql, 2)
	switch verb {
	case "DROP":
		return DropRoles, ""
	case "ALTER":
		if sqltext.IsOneOf(name, "all", "current_user", "current_role", "session_user") {
			return "", ""
		}
		return AlterRole, name
	case "CREATE":
		return cmp.Or(given(s, sql), CreateRoles), ""
	}
	return "", ""
}

// given returns which attribute that needs more than CREATEROLE a CREATE ROLE gives.
func given(s sqltext.Statement, sql string) Right {
	l := s.Lexer(sql)
	last := ""
	for n := 0; ; n++ {
		t, ok := l.Next()
		if !ok {
			return ""
		}
		piece := strings.ToUpper(l.Text(t))
		named := n < 3 || sqltext.IsOneOf(last, "ROLE", "USER", "GROUP", "ADMIN", ",") // it is the name of a role
		last = piece
		if t.Kind != sqltext.Word || named {
			continue
		}
		switch piece {
		case "SUPERUSER":
			return GiveSuperuser
		case "REPLICATION":
			return GiveReplication
		case "BYPASSRLS":
			return GiveBypassRLS
		}
	}
}

// name returns the name that stands behind so many words, IF [NOT] EXISTS aside,
// as PostgreSQL stores it.
func name(s sqltext.Statement, sql string, words int) string {
	l := s.Lexer(sql)
	for n := 0; ; n++ {
		t, ok := l.Next()
		if !ok {
			return ""
		}
		if n < words || t.Kind == sqltext.Word && sqltext.IsOneOf(l.Text(t), "IF", "NOT", "EXISTS") {
			continue
		}
		if t.Kind == sqltext.Literal {
			return sqltext.LiteralValue(l.Text(t), s.Escapes)
		}
		_, name := sqltext.NameAt(&l, t)
		return name
	}
}

// parameter returns which server setting a SET or ALTER SYSTEM changes.
func parameter(s sqltext.Statement, sql string) string {
	words := 1
	w := strings.Fields(s.Words)
	if w[0] == "ALTER" {
		words = 3 // ALTER SYSTEM SET
	} else if slices.Contains([]string{"SESSION", "LOCAL"}, w[1]) {
		words = 2
	}
	l := s.Lexer(sql)
	for t, ok := l.Next(); ok; t, ok = l.Next() {
		if words--; words >= 0 {
			continue
		}
		schema, name := sqltext.NameAt(&l, t)
		if schema != "" {
			return schema + "." + name
		}
		if w[0] == "ALTER" && name == "all" {
			return ""
		}
		return name
	}
	return ""
}
