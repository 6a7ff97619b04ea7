package migrator_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/migrator"
	"slipway/lambda/proof/pgtest"
	"slipway/lambda/script"
	"slipway/lambda/workbench/catalog"
)

// wayUp is the schema at each version of a release, by the plain way up: the
// scripts run in a database of their own, without Flyway. Repeatable scripts
// count from where they can run.
func wayUp(t *testing.T, folder string, placeholders map[string]string) map[string]string {
	t.Helper()
	set, err := script.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), pgtest.NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	text := func(f script.File) string {
		raw, err := f.Text()
		if err != nil {
			t.Fatal(err)
		}
		replaced, _ := script.Replace(string(raw), "${", "}", placeholders)
		return replaced
	}
	schema := map[string]string{"": "\n"}
	for _, f := range append([]script.File{{}}, set.Versioned...) {
		if f.Script != "" {
			if _, err := conn.PgConn().Exec(t.Context(), text(f)).ReadAll(); err != nil {
				t.Fatalf("%s: %v", f.Script, err)
			}
		}
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range set.Repeatable {
			inner, _ := tx.Begin(t.Context())
			if _, err := inner.Exec(t.Context(), text(r)); err == nil {
				_ = inner.Commit(t.Context())
			} else {
				_ = inner.Rollback(t.Context())
			}
		}
		if schema[f.Version.String()], err = catalog.Describe(t.Context(), tx, catalog.Options{}); err != nil {
			t.Fatal(err)
		}
		_ = tx.Rollback(t.Context())
	}
	return schema
}

// at compares the database with the plain way up to a version.
func (y *yard) at(version string, schema map[string]string) {
	y.Helper()
	want, ok := schema[version]
	if !ok {
		y.Fatalf("the way up has no version %q", version)
	}
	if diff := catalog.Diff(want, y.snapshot()); diff != "" {
		y.Errorf("the schema at version %s differs from the plain way up:\n%s", version, diff)
	}
}

// Scripts as people write them: down step by step, and up again. They are those
// that the project comes with, in a folder of their own: whoever clones it puts
// others into sql/, and its tests still pass.
func TestRevertExampleScripts(t *testing.T) {
	t.Parallel()
	y := newYard(t, nil)
	entries, err := os.ReadDir("testdata/example")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".sql") || strings.HasSuffix(e.Name(), ".conf") {
			text, err := os.ReadFile(filepath.Join("testdata/example", e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			y.write(e.Name(), string(text))
		}
	}
	schema := wayUp(t, y.folder, map[string]string{"dsn": "x", "port": "1"})
	y.migrate()
	for {
		rep := y.ok(migrator.Request{Command: "info"})
		y.at(rep.SchemaVersionAfter, schema)
		if rep.SchemaVersionAfter == "" {
			break
		}
		y.ok(migrator.Request{Command: "revert", Steps: 1})
	}
	y.sameInfo()
	y.migrate()
	y.at(y.ok(migrator.Request{Command: "info"}).SchemaVersionAfter, schema)
	y.sameInfo()
}

// Histories that nobody wrote by hand: up to N, down to k, up again, with the
// schema compared at every version.
func TestRevertGeneratedHistories(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			const n = 30
			y := newYard(t, generate(rand.New(rand.NewPCG(seed, 1)), n))
			schema := wayUp(t, y.folder, nil)
			y.prime()
			y.at(fmt.Sprint(n), schema)
			for k := n - 1; k >= 0; k-- {
				y.ok(migrator.Request{Command: "revert", Steps: 1})
				version := fmt.Sprint(k)
				if k == 0 {
					version = ""
				}
				y.at(version, schema)
			}
			y.migrate()
			y.at(fmt.Sprint(n), schema)
			middle := fmt.Sprint(1 + seed*7)
			y.revert(middle)
			y.at(middle, schema)
			y.flywayOK("migrate")
			y.at(fmt.Sprint(n), schema)
			if result := y.flywayOK("validate"); !*result.Validation {
				t.Errorf("validate: %+v", result.Invalid)
			}
		})
	}
}

// generate makes n versioned scripts and what takes each back.
func generate(r *rand.Rand, n int) map[string]string {
	scripts := map[string]string{}
	var tables, columns []string  // columns as "table.column", that nothing else uses
	serial := map[string]string{} // how a table's serial column is called by now
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	for v := 1; v <= n; v++ {
		kind := r.IntN(12)
		if len(tables) == 0 {
			kind = 0
		}
		var up, down string
		switch kind {
		case 0, 1:
			t := fmt.Sprintf("t%d", v)
			up = fmt.Sprintf("CREATE TYPE e%d AS ENUM ('a', 'b;c');\nCREATE TABLE %s (id int PRIMARY KEY, kind e%d "+
				"DEFAULT 'a', spare text DEFAULT 'it''s', s serial);", v, t, v)
			down = fmt.Sprintf("DROP TABLE %s;\nDROP TYPE e%d;", t, v)
			tables, columns, serial[t] = append(tables, t), append(columns, t+".spare"), "s"
		case 2, 3:
			t := pick(tables)
			up = fmt.Sprintf("ALTER TABLE %s ADD c%d int NOT NULL DEFAULT %d, ADD CONSTRAINT k%d CHECK (c%d >= 0);", t,
				v, v, v, v)
			down = fmt.Sprintf("ALTER TABLE %s DROP c%d;", t, v)
			columns = append(columns, fmt.Sprintf("%s.c%d", t, v))
		case 4:
			t := pick(tables)
			up = fmt.Sprintf("CREATE INDEX CONCURRENTLY i%d ON %s (kind);", v, t)
			down = fmt.Sprintf("DROP INDEX i%d;", v)
			if r.IntN(2) == 0 {
				down = fmt.Sprintf("DROP INDEX CONCURRENTLY IF EXISTS i%d;", v)
			}
		case 5:
			up = fmt.Sprintf("CREATE VIEW v%d AS SELECT id, kind FROM %s WHERE id > %d;", v, pick(tables), v)
			down = fmt.Sprintf("DROP VIEW v%d;", v)
		case 6:
			up = fmt.Sprintf("CREATE FUNCTION f%d() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN NEW; -- "+
				"';\nEND $$;\nCREATE TRIGGER g BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION f%d();", v,
				tables[len(tables)-1], v)
			down = fmt.Sprintf("DROP FUNCTION f%d CASCADE;", v)
			up = strings.ReplaceAll(up, "TRIGGER g", fmt.Sprintf("TRIGGER g%d", v))
		case 7:
			t := pick(tables)
			up = fmt.Sprintf("ALTER TABLE %s RENAME %s TO s%d;", t, serial[t], v)
			down = fmt.Sprintf("ALTER TABLE %s RENAME s%d TO %s;", t, v, serial[t])
			serial[t] = fmt.Sprintf("s%d", v)
		case 8:
			t := pick(tables)
			up = fmt.Sprintf("CREATE TABLE x%d (id int REFERENCES %s, PRIMARY KEY (id));\nCOMMENT ON TABLE x%d IS "+
				"'no %d';\nGRANT SELECT ON x%d TO public;", v, t, v, v, v)
			down = fmt.Sprintf("BEGIN;\nDROP TABLE x%d;\nCOMMIT;", v)
		case 9:
			if len(columns) == 0 {
				v--
				continue
			}
			i := r.IntN(len(columns))
			t, c, _ := strings.Cut(columns[i], ".")
			columns = slices.Delete(columns, i, i+1)
			if c == "spare" {
				up, down = fmt.Sprintf("ALTER TABLE %s DROP spare;", t),
					fmt.Sprintf("ALTER TABLE %s ADD spare text DEFAULT 'it''s';", t)
			} else {
				up, down = fmt.Sprintf("ALTER TABLE %s ALTER %s TYPE bigint;", t, c),
					fmt.Sprintf("ALTER TABLE %s ALTER %s TYPE int;", t, c)
			}
		default:
			up = fmt.Sprintf("CREATE SCHEMA s%d;\nCREATE MATERIALIZED VIEW s%d.m AS SELECT count(*) FROM "+
				"%s;\nCREATE TABLE s%d.d (a int);\nINSERT INTO s%d.d VALUES (1), (2);", v, v, pick(tables), v, v)
			down = fmt.Sprintf("DROP SCHEMA s%d CASCADE;", v)
		}
		scripts[fmt.Sprintf("V%d__g.sql", v)], scripts[fmt.Sprintf("U%d__g.sql", v)] = up, down
	}
	return scripts
}
