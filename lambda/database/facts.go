package database

import (
	"context"
	"crypto/tls"
	"strings"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/report"
)

// What a failed script's next step needs to know of the database. These looks
// are made after a failure: where one fails itself, its answer is empty.

// Setting is the value of a server setting that a new session of this role
// starts with, and in words where that comes from. "" for one that the server
// does not know.
func (c *Conn) Setting(ctx context.Context, name string) (value, from string) {
	// reset_val is what the session started with, whatever was set since.
	err := c.pg.QueryRow(ctx,
		`SELECT coalesce(d.value, CASE WHEN s.reset_val IN ('0', 'on', 'off') THEN s.reset_val ELSE s.reset_val || coalesce(s.unit, '') END),
			CASE WHEN d.value IS NULL THEN 'set for the server' WHEN d.role AND d.base THEN 'set for the role in this database'
				WHEN d.role THEN 'set for the role' WHEN d.base THEN 'set for the database' ELSE 'set for all roles' END
		FROM pg_settings s LEFT JOIN LATERAL (
			SELECT split_part(line, '=', 2) AS value, r.setrole <> 0 AS role, r.setdatabase <> 0 AS base
			FROM pg_db_role_setting r, unnest(r.setconfig) AS line
			WHERE starts_with(line, s.name || '=')
				AND r.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = session_user))
				AND r.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
			ORDER BY r.setrole <> 0 AND r.setdatabase <> 0 DESC, r.setrole <> 0 DESC, r.setdatabase <> 0 DESC LIMIT 1) d ON true
		WHERE s.name = $1`, name).Scan(&value, &from)
	if err != nil {
		return "", ""
	}
	return value, from
}

// InRecovery reports whether the server is a reader, which takes no changes.
func (c *Conn) InRecovery(ctx context.Context) (yes bool) {
	_ = c.pg.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&yes)
	return yes
}

// Namesakes are tables, functions and types of that name, whatever the case
// of its letters, outside of PostgreSQL's own schemas: as SQL writes them,
// with their schemas, at most five.
func (c *Conn) Namesakes(ctx context.Context, name string) []string {
	rows, err := c.pg.Query(ctx, `SELECT DISTINCT what FROM (
			SELECT format('%I.%I', n.nspname, c.relname) AS what FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE lower(c.relname) = lower($1) AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
			UNION ALL SELECT format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
			FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
			WHERE lower(p.proname) = lower($1) AND n.nspname <> 'pg_catalog'
			UNION ALL SELECT format('%I.%I', n.nspname, t.typname) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
			WHERE lower(t.typname) = lower($1) AND t.typrelid = 0 AND n.nspname NOT LIKE 'pg\_%') AS _
		ORDER BY 1 LIMIT 5`, name)
	if err != nil {
		return nil
	}
	found, _ := pgx.CollectRows(rows, pgx.RowTo[string])
	return found
}

// Owner is the role that owns the object of that kind and name, as an error of
// PostgreSQL names it; "" when there is none or several could be meant.
func (c *Conn) Owner(ctx context.Context, kind, name string) (role string) {
	owners := `SELECT DISTINCT pg_get_userbyid(relowner)::text FROM pg_class WHERE relname = $1`
	switch kind {
	case "schema":
		owners = `SELECT pg_get_userbyid(nspowner)::text FROM pg_namespace WHERE nspname = $1`
	case "function", "procedure":
		owners = `SELECT DISTINCT pg_get_userbyid(proowner)::text FROM pg_proc WHERE proname = $1`
	case "type":
		owners = `SELECT DISTINCT pg_get_userbyid(typowner)::text FROM pg_type WHERE typname = $1`
	}
	rows, err := c.pg.Query(ctx, owners, strings.Trim(name, `"`))
	if err != nil {
		return ""
	}
	if found, err := pgx.CollectRows(rows, pgx.RowTo[string]); err == nil && len(found) == 1 {
		return found[0]
	}
	return ""
}

// Describe adds what a session tells of its encryption, and of the role's
// rights over other roles and databases.
func (c *Conn) Describe(ctx context.Context, d *report.Database) {
	d.TLS = report.NoTLS
	if encrypted, ok := c.pg.PgConn().Conn().(*tls.Conn); ok {
		d.TLS = tls.VersionName(encrypted.ConnectionState().Version)
		d.Verified = !c.target.TLS.Insecure
	}
	// On RDS rds_superuser takes the place of a superuser.
	rows, err := c.pg.Query(ctx, `SELECT word FROM pg_roles r, LATERAL
			(VALUES ('superuser', r.rolsuper), ('createrole', r.rolcreaterole), ('createdb', r.rolcreatedb), ('bypassrls', r.rolbypassrls),
				('replication', r.rolreplication), ('rds_superuser', EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_superuser'
					AND pg_has_role(current_user, oid, 'MEMBER')))) AS v(word, has)
		WHERE r.rolname = current_user AND has`)
	if err == nil {
		d.Rights, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		d.Rights = []string{"not known"}
	}
}
