package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// sql is the script number i: by turns a table, an index, rows, a column and
// a comment, as small as scripts of applications are.
func sql(i int) string {
	t := i - i%5
	switch i % 5 {
	case 0:
		return fmt.Sprintf("-- Orders of tenant %d.\nCREATE TABLE orders_%d (\n    id bigint GENERATED ALWAYS AS "+
			"IDENTITY PRIMARY KEY,\n    customer text NOT NULL,\n    placed timestamptz NOT NULL DEFAULT now()\n);\n",
			t, t)
	case 1:
		return fmt.Sprintf("CREATE INDEX orders_%d_customer ON orders_%d (customer);\n", t, t)
	case 2:
		return fmt.Sprintf("INSERT INTO orders_%d (customer) VALUES ('first'), ('second'), ('third');\n", t)
	case 3:
		return fmt.Sprintf("ALTER TABLE orders_%d ADD COLUMN total numeric(12, 2) NOT NULL DEFAULT 0;\n", t)
	}
	return fmt.Sprintf("COMMENT ON TABLE orders_%d IS 'one row for each order; number %d';\n", t, i)
}

// writeScripts writes a release of applied+pending scripts for everybody and
// returns the job that names them.
func writeScripts(folder string, c benchCase) (*job, error) {
	j := &job{
		applied: c.applied, pending: c.pending,
		scripts: filepath.Join(folder, "flyway"), goose: filepath.Join(folder, "goose"),
		psql: filepath.Join(folder, "pending.sql"),
	}
	for _, dir := range []string{j.scripts, j.goose} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	var pending strings.Builder
	if c.pending == 0 {
		// The least that a tool can do is to ask.
		pending.WriteString("SELECT count(*) FROM " + flywayHistory + ";\n")
	}
	for i := range c.applied + c.pending {
		text := sql(i)
		files := map[string]string{
			filepath.Join(j.scripts, fmt.Sprintf("V%d__change_%d.sql", i+1, i)): text,
			filepath.Join(j.goose, fmt.Sprintf("%05d_change_%d.sql", i+1, i)):   "-- +goose Up\n" + text,
		}
		for path, text := range files {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				return nil, err
			}
		}
		if i >= c.applied {
			pending.WriteString("BEGIN;\n" + text + "COMMIT;\n")
		}
	}
	return j, os.WriteFile(j.psql, []byte(pending.String()), 0o644)
}
