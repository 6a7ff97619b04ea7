package rehearse

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Schema is a database's tables as a diagram shows them, by name.
type Schema struct {
	Tables []Table
	Keys   []ForeignKey
}

// Table is one table, partitioned table, view or materialized view. Names are
// as PostgreSQL stores them, without the schema public.
type Table struct {
	Name    string
	Kind    string // table, view, materialized view, foreign table
	Columns []Column
}

// Column is one column of a table.
type Column struct {
	Name, Type string
	NotNull    bool
	Primary    bool
}

// ForeignKey leads from a table's columns to another table.
type ForeignKey struct{ Table, Columns, To string }

func withoutPublic(name string) string { return strings.TrimPrefix(name, "public.") }

const tableName = `CASE WHEN n.nspname = 'public' THEN '' ELSE n.nspname || '.' END || c.relname`

func readSchema(ctx context.Context, db *pgx.Conn, history string) (s Schema, err error) {
	rows, err := db.Query(ctx, `SELECT `+tableName+
		`, CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'table' END,
			coalesce(a.attname, ''), coalesce(format_type(a.atttypid, a.atttypmod), ''), coalesce(a.attnotnull, false),
			EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema' AND c.relname <> $1
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
		ORDER BY 1, a.attnum`, history)
	if err != nil {
		return s, err
	}
	var t Table
	var c Column
	_, err = pgx.ForEachRow(rows, []any{&t.Name, &t.Kind, &c.Name, &c.Type, &c.NotNull, &c.Primary}, func() error {
		if n := len(s.Tables); n == 0 || s.Tables[n-1].Name != t.Name {
			s.Tables = append(s.Tables, Table{Name: t.Name, Kind: t.Kind})
		}
		if last := &s.Tables[len(s.Tables)-1]; c.Name != "" {
			last.Columns = append(last.Columns, c)
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	rows, err = db.Query(ctx, `SELECT `+tableName+
		`, (SELECT string_agg(a.attname, ', ' ORDER BY k.n) FROM unnest(f.conkey) WITH ORDINALITY k (num, n) JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.num),
			CASE WHEN tn.nspname = 'public' THEN '' ELSE tn.nspname || '.' END || t.relname
		FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_class t ON t.oid = f.confrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
		WHERE f.contype = 'f' AND NOT c.relispartition AND NOT t.relispartition ORDER BY 1, 2, 3`)
	if err != nil {
		return s, err
	}
	s.Keys, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ForeignKey])
	return s, err
}
