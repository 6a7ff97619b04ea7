package database

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Refusal is how PostgreSQL refuses a statement, in its own words.
type Refusal struct {
	SQLState, Message string
}

// refusal is a rule: when a statement that needs the right is refused.
type refusal struct {
	right        string // as package judge names it
	since, until int    // versions of the server; 0: any
	when         string // in SQL: r is the role's row of pg_roles, $1 what the right is about
	message      string // $1 as above
	state        string // SQLSTATE; "" is 42501, which no superuser gets
}

const (
	former    = `current_setting('server_version_num')::int < 160000`
	superuser = `EXISTS (SELECT FROM pg_settings WHERE lower(name) = lower($1) AND context = 'superuser')`
	absent    = `NOT EXISTS (SELECT FROM pg_extension WHERE extname = $1)`
	extension = absent + ` AND EXISTS (SELECT FROM pg_available_extensions e JOIN pg_available_extension_versions v
		ON v.name = e.name AND v.version = e.default_version WHERE e.name = $1 AND v.superuser AND `
)

var refusals = []refusal{
	{right: "pg_execute_server_program", when: noMember("pg_execute_server_program"),
		message: "permission denied to COPY to or from an external program"},
	{right: "pg_read_server_files", when: noMember("pg_read_server_files"),
		message: "permission denied to COPY from a file"},
	{right: "pg_write_server_files", when: noMember("pg_write_server_files"),
		message: "permission denied to COPY to a file"},

	{right: "createdb", when: `NOT r.rolcreatedb`, message: "permission denied to create database"},
	{right: "owner of the database", message: "must be owner of database $1",
		when: `EXISTS (SELECT FROM pg_database WHERE datname = $1 AND NOT pg_has_role(r.oid, datdba, 'USAGE'))`},
	{right: "CREATE ROLE", when: `NOT r.rolcreaterole`, message: "permission denied to create role"},
	{right: "DROP ROLE", when: `NOT r.rolcreaterole`, message: "permission denied to drop role"},
	{right: "ALTER ROLE", when: `NOT r.rolcreaterole AND r.rolname <> $1`, message: "permission denied to alter role"},
	{right: "superuser for others", when: `true`, message: "permission denied to create role with the SUPERUSER " +
		"attribute: must be superuser"},
	{right: "replication", when: `NOT r.rolcreaterole OR NOT r.rolreplication OR ` + former,
		message: "permission denied to create role with the REPLICATION attribute"},
	{right: "bypassrls", when: `NOT r.rolcreaterole OR NOT r.rolbypassrls OR ` + former,
		message: "permission denied to create role with the BYPASSRLS attribute"},

	{right: "ALTER SYSTEM", until: 14, when: `true`, message: "permission denied to ALTER SYSTEM: must be superuser"},
	{right: "ALTER SYSTEM", since: 15, when: `NOT has_parameter_privilege($1, 'ALTER SYSTEM')`,
		message: "permission denied to ALTER SYSTEM: must be superuser"},
	{right: "SET", until: 14, when: superuser, message: `permission denied to set parameter "$1"`},
	{right: "SET", since: 15, when: superuser + ` AND NOT has_parameter_privilege($1, 'SET')`,
		message: `permission denied to set parameter "$1"`},
	{right: "CREATE TABLESPACE", when: `true`, message: "permission denied to create tablespace: must be superuser"},
	{right: "CREATE EVENT TRIGGER", when: `true`, message: "permission denied to create event trigger: must be " +
		"superuser"},
	{right: "FOR ALL TABLES", when: `true`, message: "must be superuser to create FOR ALL TABLES publication"},
	{right: "CREATE FOREIGN DATA WRAPPER", when: `true`,
		message: "permission denied to create foreign-data wrapper: must be superuser"},
	{right: "CREATE ACCESS METHOD", when: `true`, message: "permission denied to create access method: must be " +
		"superuser"},
	{right: "pg_create_subscription", until: 15, when: `true`, message: "must be superuser to create subscriptions"},
	{right: "pg_create_subscription", since: 16, when: noMember("pg_create_subscription"),
		message: "permission denied to create subscription"},

	{right: "CREATE EXTENSION", state: "0A000", message: `extension "$1" is not available`,
		when: absent + ` AND NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = $1)`},
	{right: "CREATE EXTENSION", when: extension + `NOT v.trusted)`,
		message: `permission denied to create extension "$1": must be superuser`},
	{right: "CREATE EXTENSION", when: extension +
		`v.trusted AND NOT has_database_privilege(current_database(), 'CREATE'))`,
		message: `permission denied to create extension "$1": must have CREATE privilege on current database`},
}

func noMember(role string) string { return `NOT pg_has_role(r.oid, '` + role + `', 'USAGE')` }

// noSuperuser leaves out who may more than the rules tell: RDS lets rds_superuser
// and rds_extension do some of what is a superuser's elsewhere.
const noSuperuser = ` AND NOT r.rolsuper AND NOT EXISTS
	(SELECT FROM pg_roles s WHERE s.rolname IN ('rds_superuser', 'rds_extension') AND pg_has_role(r.oid, s.oid, 'MEMBER'))`

// Refuses returns how the server would refuse a statement that needs that right,
// as package judge names it; nil where it would not, or where nobody can be sure.
func (c *Conn) Refuses(ctx context.Context, right, of string) (*Refusal, error) {
	version, _, _ := strings.Cut(c.Server, ".")
	major, _ := strconv.Atoi(version)
	for _, rule := range refusals {
		if rule.right != right || major < rule.since || rule.until > 0 && major > rule.until {
			continue
		}
		sql := `SELECT true FROM pg_roles r WHERE r.rolname = current_user AND $1::text IS NOT NULL AND (` + rule.when +
			`)`
		if rule.state == "" {
			sql += noSuperuser
		}
		var refused bool
		err := c.pg.QueryRow(ctx, sql, of).Scan(&refused)
		if errors.Is(err, pgx.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return &Refusal{cmp.Or(rule.state, "42501"), strings.ReplaceAll(rule.message, "$1", of)}, nil
	}
	return nil, nil
}
