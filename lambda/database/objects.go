package database

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Object is something in the database that a script can have made.
type Object struct {
	Kind, Name string
	State      string // differs when the object was made anew or got another definition
}

// Objects lists, by identity, what repeatable scripts usually make or fill,
// and all that can be dropped from under it. What PostgreSQL has itself and
// the history are left out.
func (w *Work) Objects(ctx context.Context) (map[string]Object, error) {
	rows, err := w.pg.Query(ctx, objects, w.table.Schema, w.table.Name)
	if err != nil {
		return nil, err
	}
	all := map[string]Object{}
	var key string
	var o Object
	_, err = pgx.ForEachRow(rows, []any{&key, &o.Kind, &o.Name, &o.State}, func() error {
		all[key] = o
		return nil
	})
	return all, err
}

// Row versions (xmin) tell a view, function, trigger, policy or rule that was
// replaced. A table changes for many reasons, so there only a new one counts.
const objects = `
WITH mine AS (SELECT oid, nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema')
SELECT 'r' || c.oid, CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' ELSE 'table' END,
	c.relname::text, coalesce((SELECT string_agg(w.xmin::text, ',' ORDER BY w.oid) FROM pg_rewrite w WHERE w.ev_class = c.oid), '') || coalesce(c.relacl::text, '')
	FROM pg_class c JOIN mine n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I') AND NOT (n.nspname = $1 AND c.relname = $2)
UNION ALL SELECT 'f' || p.oid, 'function', p.proname::text, p.xmin::text FROM pg_proc p JOIN mine n ON n.oid = p.pronamespace
UNION ALL SELECT 't' || t.oid, 'type', t.typname::text, '' FROM pg_type t JOIN mine n ON n.oid = t.typnamespace
	WHERE t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND t.typrelid IN (SELECT oid FROM pg_class WHERE relkind = 'c')
UNION ALL SELECT 'g' || g.oid, 'trigger', g.tgname::text, g.xmin::text FROM pg_trigger g WHERE NOT g.tgisinternal
UNION ALL SELECT 'p' || p.oid, 'policy', p.polname::text, p.xmin::text FROM pg_policy p
UNION ALL SELECT 'n' || oid, 'schema', nspname::text, '' FROM mine`
