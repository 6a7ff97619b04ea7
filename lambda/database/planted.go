package database

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/history"
)

// Others are what other roles can bring about in the schemas that Flyway's
// sessions search: they keep the role's search path, and name what they use
// without a schema.
type Others struct {
	// Planted are objects of others, with their owners, that PostgreSQL may take
	// for its own of that name: they would run with the rights of the run's role.
	Planted []string
	// Creators are the roles that may put such objects there at any time, or a
	// trigger on the history, each with what it may.
	Creators []string
}

// Others looks at the role's search path and the history's schema. A role is
// another one unless it is a superuser or has the rights of the run's role
// anyway. Objects of an extension count by the extension's owner as well, for
// who owns an extension may add functions of its own to it.
func (c *Conn) Others(ctx context.Context, t history.Table) (o Others, err error) {
	schemas := append(slices.Clone(c.path), t.Schema)
	// PostgreSQL's own types and tables are found first, unless the path names
	// pg_catalog itself: then it has the place that it is given.
	late := slices.Contains(c.path, "pg_catalog")
	rows, err := c.pg.Query(ctx, planted, schemas, late)
	if err == nil {
		o.Planted, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		return o, err
	}
	if rows, err = c.pg.Query(ctx, creators, schemas, t.Schema, t.Name); err == nil {
		o.Creators, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	return o, err
}

// owners are the roles that are no others: see [Conn.Others]. The members of
// pg_database_owner are not listed anywhere: it stands for the database's owner.
// Amazon RDS gives what belongs to its extensions to rdsadmin, a superuser, or
// to rds_superuser, the group of its master users.
const owners = `
base AS (SELECT datdba FROM pg_database WHERE datname = current_database()),
ours AS (SELECT r.oid FROM pg_roles r, base,
		LATERAL (SELECT CASE WHEN r.rolname = 'pg_database_owner' THEN datdba ELSE r.oid END AS oid) s
	WHERE pg_has_role(s.oid, current_user, 'MEMBER') OR pg_has_role(s.oid, session_user, 'MEMBER')
		OR (SELECT u.rolsuper FROM pg_roles u WHERE u.oid = s.oid)
		OR r.rolname = 'rds_superuser' AND EXISTS (SELECT FROM pg_roles a WHERE a.rolname = 'rdsadmin' AND a.rolsuper))`

// Arguments: the schemas, and whether they may come before PostgreSQL's own.
const planted = `
WITH ` + owners + `,
path AS (SELECT oid FROM pg_namespace WHERE nspname = ANY ($1::text[]) AND nspname <> 'pg_catalog'),
own AS (SELECT oid FROM pg_namespace WHERE nspname = 'pg_catalog'),
found (classid, objid, owner, shown) AS (
	SELECT 'pg_proc'::regclass, p.oid, p.proowner, 'function ' || p.oid::regprocedure::text
		FROM pg_proc p JOIN path ON path.oid = p.pronamespace
		WHERE EXISTS (SELECT FROM pg_proc b JOIN own ON own.oid = b.pronamespace WHERE b.proname = p.proname)
	UNION ALL
	SELECT 'pg_operator'::regclass, o.oid, o.oprowner, 'operator ' || o.oid::regoperator::text
		FROM pg_operator o JOIN path ON path.oid = o.oprnamespace
		WHERE EXISTS (SELECT FROM pg_operator b JOIN own ON own.oid = b.oprnamespace WHERE b.oprname = o.oprname)
	UNION ALL
	SELECT 'pg_type'::regclass, t.oid, t.typowner, 'type ' || t.oid::regtype::text
		FROM pg_type t JOIN path ON path.oid = t.typnamespace
		WHERE $2::boolean AND EXISTS (
			SELECT FROM pg_type b JOIN own ON own.oid = b.typnamespace WHERE b.typname = t.typname)
	UNION ALL
	SELECT 'pg_class'::regclass, c.oid, c.relowner, 'table or view ' || c.oid::regclass::text
		FROM pg_class c JOIN path ON path.oid = c.relnamespace
		WHERE $2::boolean AND EXISTS (
			SELECT FROM pg_class b JOIN own ON own.oid = b.relnamespace WHERE b.relname = c.relname))
SELECT shown || ' of ' || quote_ident(pg_get_userbyid(owner)) FROM found
WHERE owner NOT IN (SELECT oid FROM ours) AND NOT EXISTS (
	SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
	WHERE d.classid = found.classid AND d.objid = found.objid AND d.deptype = 'e'
		AND d.refclassid = 'pg_extension'::regclass AND e.extowner IN (SELECT oid FROM ours))
ORDER BY 1 LIMIT 100`

// Arguments: the schemas, and the history's schema and table.
const creators = `
WITH ` + owners + `,
path AS (SELECT nspname, nspowner, coalesce(nspacl, acldefault('n', nspowner)) AS acl FROM pg_namespace
	WHERE nspname = ANY ($1::text[]) AND nspname <> 'pg_catalog'),
history AS (SELECT c.relowner, coalesce(c.relacl, acldefault('r', c.relowner)) AS acl
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = $2 AND c.relname = $3 AND c.relkind IN ('r', 'p')),
able (who, may) AS (
	SELECT a.grantee, 'create objects in schema ' || quote_ident(nspname)
		FROM path, aclexplode(acl) a WHERE a.privilege_type = 'CREATE'
	UNION SELECT nspowner, 'create objects in schema ' || quote_ident(nspname) FROM path
	UNION SELECT a.grantee, 'put a trigger on the history'
		FROM history, aclexplode(acl) a WHERE a.privilege_type = 'TRIGGER'
	UNION SELECT relowner, 'put a trigger on the history' FROM history)
SELECT CASE WHEN who = 0 THEN 'every role' ELSE quote_ident(pg_get_userbyid(who)) END || ' may ' || may FROM able
WHERE who NOT IN (SELECT oid FROM ours) ORDER BY 1 LIMIT 20`
