package database

import (
	"context"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/history"
)

// Place is what stands in the place of a history, and where else there is one.
type Place struct {
	// Exists: there is a table, or anything else of that name.
	Exists bool
	// Elsewhere are the other schemas of the database that have a history of
	// Flyway's under that name.
	Elsewhere []string
	// Foreign are things of other roles that reading or writing the history
	// would run, with the rights of the run's role; for who is another see [Conn.Others].
	Foreign []string
}

// Place looks the table up, without reading it.
func (c *Conn) Place(ctx context.Context, t history.Table) (p Place, err error) {
	rows, err := c.pg.Query(ctx, histories, t.Name)
	if err != nil {
		return p, err
	}
	var schema string
	var isHistory bool
	_, err = pgx.ForEachRow(rows, []any{&schema, &isHistory}, func() error {
		if schema == t.Schema {
			p.Exists = true
		} else if isHistory {
			p.Elsewhere = append(p.Elsewhere, schema)
		}
		return nil
	})
	if err != nil || !p.Exists {
		return p, err
	}
	if rows, err = c.pg.Query(ctx, foreign, t.Schema, t.Name); err == nil {
		p.Foreign, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	return p, err
}

const histories = `SELECT n.nspname, c.relkind IN ('r', 'p') AND 5 = (SELECT count(*) FROM pg_attribute a
		WHERE a.attrelid = c.oid AND NOT a.attisdropped
			AND a.attname IN ('installed_rank', 'script', 'checksum', 'installed_on', 'success'))
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\_%' ORDER BY 1`

// foreign finds a view of others in the history's place, and what belongs to
// the table and calls functions of others: triggers (whoever was granted ALL on
// the table may make one), rules, policies, defaults, constraints, indexes.
const foreign = `
WITH ` + owners + `,
history AS (SELECT c.oid, c.relkind, c.relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')),
parts AS (SELECT 'pg_class'::regclass::oid AS classid, oid AS objid FROM history
	UNION SELECT d.classid, d.objid FROM pg_depend d JOIN history h ON d.refobjid = h.oid
		WHERE d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')),
called AS (SELECT d.classid, d.objid, d.refclassid, d.refobjid, coalesce(p.proowner, o.oprowner, t.typowner) AS owner
	FROM parts JOIN pg_depend d USING (classid, objid)
	LEFT JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid
	LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
	LEFT JOIN pg_type t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid)
SELECT 'it is no table, and belongs to ' || quote_ident(pg_get_userbyid(relowner)) FROM history
	WHERE relkind NOT IN ('r', 'p') AND relowner NOT IN (SELECT oid FROM ours)
UNION SELECT pg_describe_object(classid, objid, 0) || ' uses ' || pg_describe_object(refclassid, refobjid, 0)
		|| ' of ' || quote_ident(pg_get_userbyid(owner)) FROM called
	WHERE owner NOT IN (SELECT oid FROM ours)
		AND NOT EXISTS (SELECT FROM history h JOIN pg_type t ON t.typrelid = h.oid
			WHERE called.refclassid = 'pg_type'::regclass AND called.refobjid = t.oid)
ORDER BY 1 LIMIT 20`
