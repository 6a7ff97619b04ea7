package rehearse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// maxMade is how many rows are made up in all, so that hundreds of tables do
// not make the rehearsal last.
const maxMade = 1_000_000

// fill gives the target branch's tables rows: those of Data, and made-up ones
// where a table is empty. Rewriting an empty table tells nothing, and a new
// NOT NULL column fails on rows only.
func (x *rehearsal) fill(ctx context.Context) error {
	if x.Data != "" {
		x.Progress("filling tables from the data file")
		// The simple protocol takes several statements at once. The file's names
		// are looked up as those of a script.
		_, err := x.db.PgConn().Exec(ctx, "RESET search_path;\n"+x.Data).ReadAll()
		if err != nil {
			return fmt.Errorf("the data file: %w", err)
		}
		if err := pinPath(ctx, x.db); err != nil {
			return err
		}
	}
	if x.Rows <= 0 || x.Restored {
		return x.analyze(ctx)
	}
	db := x.db
	if x.Admin.Host != "" {
		// Triggers and row security are not for made-up rows.
		admin, err := connect(ctx, x.Admin)
		if err != nil {
			return err
		}
		defer admin.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is lost with it
		if _, err := admin.Exec(ctx, "SET session_replication_role = replica"); err != nil {
			return err
		}
		db = admin
	}
	tables, err := fillable(ctx, db, x.Table)
	if err != nil || len(tables) == 0 {
		return err
	}
	rows := min(x.Rows, max(1, maxMade/len(tables)))
	x.Progress("making up %d rows for each of %d tables", rows, len(tables))
	for _, t := range ordered(tables) {
		f, err := t.fill(ctx, db, rows)
		if err != nil {
			return err
		}
		if f.Rows > 0 || f.Reason != "" {
			x.report.Filled = append(x.report.Filled, f)
		}
	}
	return x.analyze(ctx)
}

// analyze has the server estimate rows, which the report repeats.
func (x *rehearsal) analyze(ctx context.Context) error {
	if x.Restored {
		return nil
	}
	_, err := x.db.Exec(ctx, "ANALYZE")
	return err
}

// fillTable is a table that can take rows.
type fillTable struct {
	oid     int64
	name    string // quoted
	columns []fillColumn
	keys    []fillKey
}

type fillColumn struct {
	name, typ string // typ as in SQL
	base      string // type without modifiers, of a domain the one below it
	length    int    // of a limited text, else 0
	enum      bool
	array     bool
	required  bool // NOT NULL and without a default
	given     bool // has a default, or is generated
}

type fillKey struct {
	to          int64
	toName      string
	columns, of []string
}

func fillable(ctx context.Context, db *pgx.Conn, history string) ([]*fillTable, error) {
	rows, err := db.Query(ctx, `SELECT c.oid::bigint, format('%I.%I', n.nspname, c.relname),
			a.attname, format_type(a.atttypid, a.atttypmod), format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL),
			CASE WHEN coalesce(nullif(t.typbasetype, 0), t.oid) IN ('varchar'::regtype, 'bpchar'::regtype) AND greatest(a.atttypmod, t.typtypmod) > 4 THEN greatest(a.atttypmod, t.typtypmod) - 4 ELSE 0 END,
			t.typtype = 'e', t.typcategory = 'A', (a.attnotnull OR t.typnotnull), a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> ''
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped JOIN pg_type t ON t.oid = a.atttypid
		WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema' AND c.relname <> $1
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
		ORDER BY c.oid, a.attnum`, history)
	if err != nil {
		return nil, err
	}
	var tables []*fillTable
	byOID := map[int64]*fillTable{}
	var oid int64
	var name string
	var c fillColumn
	_, err = pgx.ForEachRow(rows, []any{&oid, &name, &c.name, &c.typ, &c.base, &c.length, &c.enum, &c.array,
		&c.required, &c.given}, func() error {
		if byOID[oid] == nil {
			byOID[oid] = &fillTable{oid: oid, name: name}
			tables = append(tables, byOID[oid])
		}
		c.required = c.required && !c.given
		byOID[oid].columns = append(byOID[oid].columns, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	rows, err = db.Query(ctx, `SELECT f.conrelid::bigint, f.confrelid::bigint, format('%I.%I', n.nspname, c.relname),
			ARRAY(SELECT a.attname::text FROM unnest(f.conkey) WITH ORDINALITY k (num, n) JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.num ORDER BY k.n),
			ARRAY(SELECT a.attname::text FROM unnest(f.confkey) WITH ORDINALITY k (num, n) JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.num ORDER BY k.n)
		FROM pg_constraint f JOIN pg_class c ON c.oid = f.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE f.contype = 'f' AND f.conparentid = 0 ORDER BY f.oid`)
	if err != nil {
		return nil, err
	}
	var k fillKey
	_, err = pgx.ForEachRow(rows, []any{&oid, &k.to, &k.toName, &k.columns, &k.of}, func() error {
		if t := byOID[oid]; t != nil {
			t.keys = append(t.keys, k)
		}
		return nil
	})
	return tables, err
}

// ordered puts tables behind those that they refer to, as far as there is
// such an order.
func ordered(tables []*fillTable) []*fillTable {
	var list []*fillTable
	state := map[int64]int{}
	byOID := map[int64]*fillTable{}
	for _, t := range tables {
		byOID[t.oid] = t
	}
	var visit func(t *fillTable)
	visit = func(t *fillTable) {
		if t == nil || state[t.oid] > 0 {
			return
		}
		state[t.oid] = 1
		for _, k := range t.keys {
			visit(byOID[k.to])
		}
		list = append(list, t)
	}
	for _, t := range tables {
		visit(t)
	}
	return list
}

// fill inserts rows where there are none. A table whose constraints refuse
// made-up rows stays empty, and the report says so.
func (t *fillTable) fill(ctx context.Context, db *pgx.Conn, rows int) (f Filling, err error) {
	f.Table = withoutPublic(strings.ReplaceAll(t.name, `"`, ""))
	var some bool
	if err := db.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+t.name+")").Scan(&some); err != nil || some {
		return f, err
	}
	for _, all := range []bool{true, false} { // first all columns, then only those that must be there
		tag, failure := db.Exec(ctx, t.insert(rows, all))
		var pg *pgconn.PgError
		if failure != nil && !errors.As(failure, &pg) {
			return f, failure
		}
		if failure == nil && tag.RowsAffected() > 0 {
			f.Rows, f.Reason = tag.RowsAffected(), ""
			return f, nil
		}
		if pg != nil {
			f.Reason = pg.Message
		}
	}
	if f.Reason == "" {
		f.Reason = "made-up rows do not fit its constraints"
	}
	return f, nil
}

// insert is the statement that makes rows up. Foreign keys take the rows of
// their table one after the other.
func (t *fillTable) insert(rows int, all bool) string {
	values := map[string]string{}
	from := fmt.Sprintf("generate_series(1, %d) g", rows)
	var taken []string // rows of the tables that are referred to
	for i, k := range t.keys {
		if k.to == t.oid {
			for _, c := range k.columns {
				values[c] = "NULL"
			}
			continue
		}
		var of []string
		for j, c := range k.columns {
			if _, set := values[c]; !set {
				values[c] = fmt.Sprintf("k%d.c%d", i, j)
			}
			of = append(of, fmt.Sprintf("%s AS c%d", quote(k.of[j]), j))
		}
		taken = append(taken, fmt.Sprintf("k%d AS MATERIALIZED (SELECT row_number() OVER () - 1 AS r, %s FROM %s "+
			"LIMIT %d)",
			i, strings.Join(of, ", "), k.toName, rows))
		// Each side of the condition has columns of one relation, so that it can be a hash join.
		from += fmt.Sprintf(" LEFT JOIN k%[1]d ON k%[1]d.r = (g - 1) %% (SELECT nullif(count(*), 0) FROM k%[1]d)", i)
	}
	var names, list []string
	for _, c := range t.columns {
		value, key := values[c.name]
		switch {
		case key:
		case c.given, !all && !c.required:
			continue
		default:
			value = c.value()
		}
		names, list = append(names, quote(c.name)), append(list, value)
	}
	if len(names) == 0 {
		return "INSERT INTO " + t.name + " DEFAULT VALUES"
	}
	with := ""
	if len(taken) > 0 {
		with = "WITH " + strings.Join(taken, ", ") + " "
	}
	return fmt.Sprintf("%sINSERT INTO %s (%s) SELECT %s FROM %s ON CONFLICT DO NOTHING",
		with, t.name, strings.Join(names, ", "), strings.Join(list, ", "), from)
}

var numbers = []string{"integer", "bigint", "numeric", "real", "double precision", "money"}

// value is the expression of a made-up value, different for each g where the
// type allows. Types that are not known stay NULL.
func (c fillColumn) value() string {
	cast := func(expression string) string { return "(" + expression + ")::" + c.typ }
	switch {
	case c.enum:
		return fmt.Sprintf("(enum_range(NULL::%s))[1 + g %% array_length(enum_range(NULL::%s), 1)]", c.typ, c.typ)
	case c.array:
		return cast("'{}'")
	case slices.Contains(numbers, c.base):
		if c.length == 0 && strings.Contains(c.typ, "(") {
			return cast("g % 10") // a precision may leave little room
		}
		return cast("g")
	}
	switch c.base {
	case "smallint":
		return cast("g % 30000")
	case "boolean":
		return "g % 2 = 0"
	case "text", "character varying", "character", "citext", "name":
		if c.length > 0 {
			return fmt.Sprintf("right('value' || g, %d)", c.length)
		}
		return cast("'value ' || g")
	case "uuid":
		return "gen_random_uuid()"
	case "date":
		return "current_date - g % 3650"
	case "timestamp without time zone", "timestamp with time zone":
		return cast("now() - g * interval '1 minute'")
	case "time without time zone", "time with time zone":
		return cast("'12:00'")
	case "interval":
		return "g * interval '1 minute'"
	case "json", "jsonb":
		return cast("'{}'")
	case "bytea":
		return cast("int4send(g)")
	case "inet", "cidr":
		return cast("'10.0.0.0'::inet + g")
	}
	return "NULL"
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
