package check

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// history is a made-up history of n scripts as projects have them: tables with
// all kinds of columns, foreign keys, indexes, views, functions, triggers,
// types, partitions, data, grants, comments, and later changes to them.
func history(n int) files {
	kinds := []string{
		"CREATE TABLE t%[1]d (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, at timestamptz DEFAULT now(), data jsonb NOT NULL DEFAULT '{}', price numeric(12,2) CHECK (price >= 0));\nCOMMENT ON TABLE t%[1]d IS 'it''s; one';\n",
		"CREATE TABLE c%[1]d (id uuid DEFAULT gen_random_uuid() PRIMARY KEY, t_id bigint REFERENCES t%[2]d (id) ON DELETE CASCADE, tags text[] DEFAULT '{}', UNIQUE (t_id, id));\nCREATE INDEX ON c%[1]d USING gin (tags);\n",
		"CREATE INDEX CONCURRENTLY i%[1]d ON t%[2]d (name) WHERE name <> '';\n",
		"CREATE OR REPLACE FUNCTION f%[1]d() RETURNS trigger LANGUAGE plpgsql AS $fn$\nBEGIN\n  NEW.name := lower(NEW.name); -- ; '\n  RETURN NEW;\nEND;\n$fn$;\nCREATE TRIGGER tr%[1]d BEFORE INSERT ON t%[2]d FOR EACH ROW EXECUTE FUNCTION f%[1]d();\n",
		"ALTER TABLE t%[2]d ADD COLUMN n%[1]d integer;\nUPDATE t%[2]d SET n%[1]d = 0;\n",
		"CREATE TYPE e%[1]d AS ENUM ('a', 'b');\nALTER TABLE t%[2]d ADD COLUMN e%[1]d e%[1]d NOT NULL DEFAULT 'a';\n",
		"CREATE VIEW v%[1]d AS WITH x AS (SELECT id, row_number() OVER (PARTITION BY name ORDER BY at) AS r FROM t%[2]d) SELECT * FROM x WHERE r = 1;\n",
		"INSERT INTO t%[2]d (name) SELECT 'n' || g FROM generate_series(1, 20) g ON CONFLICT DO NOTHING;\n/* a /* nested */ comment; */\n",
		"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader_${env}') THEN PERFORM 1; END IF; END $$;\n",
		"CREATE TABLE p%[1]d (id bigint, at date NOT NULL) PARTITION BY RANGE (at);\nCREATE TABLE p%[1]d_a PARTITION OF p%[1]d FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');\nALTER TABLE p%[1]d ENABLE ROW LEVEL SECURITY;\nCREATE POLICY all_%[1]d ON p%[1]d USING (true);\n",
		"ALTER TABLE t%[2]d ALTER COLUMN price TYPE numeric(14,2), ADD CONSTRAINT k%[1]d CHECK (price < 1e9) NOT VALID;\nALTER TABLE t%[2]d VALIDATE CONSTRAINT k%[1]d;\n",
		"CREATE MATERIALIZED VIEW m%[1]d AS SELECT count(*) AS n FROM t%[2]d;\nCREATE UNIQUE INDEX ON m%[1]d (n);\nREFRESH MATERIALIZED VIEW m%[1]d;\nCREATE SEQUENCE s%[1]d OWNED BY t%[2]d.id;\nALTER SEQUENCE s%[1]d RESTART WITH 10;\n",
		"COPY t%[2]d (name) FROM STDIN;\nit's one\n\\N2\n;x\n\\.\nCREATE INDEX ON t%[2]d (lower(name));\n",
	}
	set := files{}
	for i := range n {
		last := i - i%len(kinds) // the table that this round began with
		set[fmt.Sprintf("V%d__step_%d.sql", i+1, i+1)] = fmt.Sprintf(kinds[i%len(kinds)]+"%[3]s", i, last, "")
	}
	return set
}

func TestLongHistories(t *testing.T) {
	squawk := linter(t)
	all := history(300)
	begun := time.Now()
	r := run(t, branchOf(t, files{"V1__step_1.sql": all["V1__step_1.sql"]}, all, nil), Options{Linter: squawk})
	took := time.Since(begun)
	t.Logf("299 new scripts in %s: %s", took.Round(time.Millisecond), r.Summary())
	if took > time.Minute || r.Linted != 299 {
		t.Errorf("%d scripts in %s", r.Linted, took)
	}
	// Whatever it says can be waived, one finding after the other.
	for _, f := range r.Findings {
		if f.Level != Error {
			continue
		}
		if f.Rule == "syntax-error" {
			t.Errorf("%s: %s", f.At(), f.Message)
		}
		if !strings.Contains(all[f.Script], "slipway:allow-file "+f.Rule) {
			all[f.Script] = "-- slipway:allow-file " + f.Rule + " because the table is small\n" + all[f.Script]
		}
	}
	r = run(t, branchOf(t, files{"V1__step_1.sql": all["V1__step_1.sql"]}, all, nil), Options{Linter: squawk})
	if r.Failures() != 0 {
		t.Errorf("can't be waived: %v", found(r))
	}
}

func BenchmarkCheck300(b *testing.B) {
	squawk := linter(b)
	folder := branchOf(b, nil, history(300), nil)
	for b.Loop() {
		run(b, folder, Options{Linter: squawk})
	}
}
