// Package changetest makes branches and histories for tests.
package changetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Branch makes a repository whose branch master has the first files, and
// whose work tree has the second ones on a branch. It returns the folder of
// the scripts. Where moved is given, master goes on to it after the branch began.
func Branch(t testing.TB, base, work, moved map[string]string) string {
	t.Helper()
	root := t.TempDir()
	sql := filepath.Join(root, "db", "sql")
	git := func(args ...string) {
		t.Helper()
		command := exec.Command("git",
			append([]string{"-C", root, "-c", "user.name=t", "-c", "user.email=t@example.com", "-c",
				"commit.gpgsign=false"}, args...)...)
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	lay := func(set map[string]string) {
		t.Helper()
		if err := os.RemoveAll(sql); err != nil {
			t.Fatal(err)
		}
		for name, text := range set {
			path := filepath.Join(sql, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	git("init", "-q", "-b", "master")
	lay(base)
	git("add", "-A")
	git("commit", "-q", "--allow-empty", "-m", "base")
	git("checkout", "-q", "-b", "feature")
	if moved != nil {
		git("checkout", "-q", "master")
		lay(moved)
		git("add", "-A")
		git("commit", "-q", "--allow-empty", "-m", "moved")
		git("checkout", "-q", "feature")
	}
	lay(work)
	return sql
}

// History is a made-up history of n scripts as projects have them: tables with
// all kinds of columns, foreign keys, indexes, views, functions, triggers,
// types, partitions, data, grants, comments, and later changes to them.
func History(n int) map[string]string {
	kinds := []string{
		"CREATE TABLE t%[1]d (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, at " +
			"timestamptz DEFAULT now(), data jsonb NOT NULL DEFAULT '{}', price numeric(12,2) CHECK (price >= " +
			"0));\nCOMMENT ON TABLE t%[1]d IS 'it''s; one';\n",
		"CREATE TABLE c%[1]d (id uuid DEFAULT gen_random_uuid() PRIMARY KEY, t_id bigint REFERENCES t%[2]d (id) ON " +
			"DELETE CASCADE, tags text[] DEFAULT '{}', UNIQUE (t_id, id));\nCREATE INDEX ON c%[1]d USING gin (tags);\n",
		"CREATE INDEX CONCURRENTLY i%[1]d ON t%[2]d (name) WHERE name <> '';\n",
		"CREATE OR REPLACE FUNCTION f%[1]d() RETURNS trigger LANGUAGE plpgsql AS $fn$\nBEGIN\n  NEW.name := " +
			"lower(NEW.name); -- ; '\n  RETURN NEW;\nEND;\n$fn$;\nCREATE TRIGGER tr%[1]d BEFORE INSERT ON t%[2]d " +
			"FOR EACH ROW EXECUTE FUNCTION f%[1]d();\n",
		"ALTER TABLE t%[2]d ADD COLUMN n%[1]d integer;\nUPDATE t%[2]d SET n%[1]d = 0;\n",
		"CREATE TYPE e%[1]d AS ENUM ('a', 'b');\nALTER TABLE t%[2]d ADD COLUMN e%[1]d e%[1]d NOT NULL DEFAULT 'a';\n",
		"CREATE VIEW v%[1]d AS WITH x AS (SELECT id, row_number() OVER (PARTITION BY name ORDER BY at) AS r FROM " +
			"t%[2]d) SELECT * FROM x WHERE r = 1;\n",
		"INSERT INTO t%[2]d (name) SELECT 'n' || g FROM generate_series(1, 20) g ON CONFLICT DO NOTHING;\n/* a /* " +
			"nested */ comment; */\n",
		"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader_${env}') THEN PERFORM 1; END IF; " +
			"END $$;\n",
		"CREATE TABLE p%[1]d (id bigint, at date NOT NULL) PARTITION BY RANGE (at);\nCREATE TABLE p%[1]d_a " +
			"PARTITION OF p%[1]d FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');\nALTER TABLE p%[1]d ENABLE ROW " +
			"LEVEL SECURITY;\nCREATE POLICY all_%[1]d ON p%[1]d USING (true);\n",
		"ALTER TABLE t%[2]d ALTER COLUMN price TYPE numeric(14,2), ADD CONSTRAINT k%[1]d CHECK (price < 1e9) NOT " +
			"VALID;\nALTER TABLE t%[2]d VALIDATE CONSTRAINT k%[1]d;\n",
		"CREATE MATERIALIZED VIEW m%[1]d AS SELECT count(*) AS n FROM t%[2]d;\nCREATE UNIQUE INDEX ON m%[1]d " +
			"(n);\nREFRESH MATERIALIZED VIEW m%[1]d;\nCREATE SEQUENCE s%[1]d OWNED BY t%[2]d.id;\nALTER SEQUENCE " +
			"s%[1]d RESTART WITH 10;\n",
		"COPY t%[2]d (name) FROM STDIN;\nit's one\n\\N2\n;x\n\\.\nCREATE INDEX ON t%[2]d (lower(name));\n",
	}
	set := map[string]string{}
	for i := range n {
		last := i - i%len(kinds) // the table that this round began with
		set[fmt.Sprintf("V%d__step_%d.sql", i+1, i+1)] = fmt.Sprintf(kinds[i%len(kinds)]+"%[3]s", i, last, "")
	}
	return set
}
