package check

import (
	"slices"
	"strings"
	"testing"

	"slipway/lambda/proof/changetest"
)

// What a branch makes itself nobody waits for, whichever script it stands in
// and however it is written; what it refers to, somebody does.
func TestTablesOfTheBranchAndOthers(t *testing.T) {
	squawk := linter(t)
	base := files{"V1__old.sql": "CREATE TABLE old (id int PRIMARY KEY, a int);\nCREATE SCHEMA other;\nCREATE TABLE " +
		"other.fresh (id int);\nCREATE TABLE logs (at date, host text) PARTITION BY RANGE (at);"}
	for name, c := range map[string]struct {
		branch files
		want   []string
	}{
		"its own": {
			files{
				"V2__fresh.sql": "CREATE TABLE fresh (id int, a int, at date NOT NULL) PARTITION BY RANGE (at);",
				"V3__more.sql": "CREATE TABLE fresh_1 PARTITION OF public.fresh DEFAULT;\nCREATE INDEX fresh_a ON " +
					"public.\"fresh\" (a);\nALTER TABLE fresh ADD COLUMN b int NOT NULL DEFAULT 0;\nALTER TABLE " +
					"\"fresh\" ADD CONSTRAINT up FOREIGN KEY (a) REFERENCES public.fresh (id);",
			},
			nil,
		},
		"a foreign key to another's": {files{"V2__f.sql": "CREATE TABLE fresh (a int);",
			"V3__k.sql": "ALTER TABLE fresh ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES old (id);"},
			[]string{"error foreign-key-locks V3__k.sql:1"}},
		"with a new column": {files{"V2__f.sql": "CREATE TABLE fresh (a int);\nALTER TABLE " +
			"public.fresh ADD COLUMN o int /* x */ REFERENCES public . \"old\";"},
			[]string{"error foreign-key-locks V2__f.sql:2"}},
		"one that is checked later": {files{"V2__f.sql": "CREATE TABLE fresh (a int);\nALTER TABLE fresh ADD " +
			"CONSTRAINT k FOREIGN KEY (a) REFERENCES old (id) NOT VALID;"}, nil},
		"within the new table": {files{"V2__f.sql": "CREATE TABLE fresh (a int REFERENCES old, s int " +
			"REFERENCES fresh (a), t text DEFAULT 'REFERENCES x');"},
			[]string{"warning foreign-key-locks V2__f.sql:1"}},
		"a table of another schema": {files{"V2__f.sql": "CREATE TABLE fresh (a int);\nCREATE INDEX i ON " +
			"other.fresh (id);"}, []string{"error require-concurrent-index-creation V2__f.sql:2"}},
		"the parent's part of an index": {files{"V2__f.sql": "CREATE INDEX i ON ONLY logs (host);"}, nil},
		"all of a partitioned index": {files{"V2__f.sql": "CREATE INDEX CONCURRENTLY i ON public.logs (host);"},
			[]string{"error concurrently-on-partitioned V2__f.sql:1"}},
		"ONLY and CONCURRENTLY": {files{"V2__f.sql": "CREATE INDEX CONCURRENTLY i ON old (a);"}, nil},
		"a new value, used": {files{"V2__e.sql": "ALTER TYPE state ADD VALUE IF NOT EXISTS 'it''s' " +
			"AFTER 'new';\nALTER TABLE old ALTER COLUMN a SET DEFAULT 'it''s';"},
			[]string{"warning new-enum-value V2__e.sql:2"}},
		"a new value, not used": {files{"V2__e.sql": "ALTER TYPE state ADD VALUE 'b';\nALTER TYPE state " +
			"ADD VALUE 'c' AFTER 'b';\nSELECT 'new'; -- 'b'"}, nil},
		"a new value of a new type": {files{"V2__e.sql": "CREATE TYPE state AS ENUM ();\nALTER TYPE state ADD " +
			"VALUE 'b';\nSELECT 'b'::state;"}, nil},
		"a block that may hide something": {files{"V2__d.sql": "DO $$ BEGIN EXECUTE 'ALTER TABLE old ADD b int'; " +
			"END $$;\nCALL do_it();"}, []string{"note hidden-ddl V2__d.sql:1", "note hidden-ddl V2__d.sql:2"}},
		"a block that hides nothing": {files{"V2__d.sql": "DO $$ BEGIN RAISE NOTICE 'x'; END $$;"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for name, text := range base {
				c.branch[name] = text
			}
			folder := changetest.Branch(t, base, c.branch, nil)
			result := run(t, folder, Options{Linter: squawk})
			var got []string
			for _, f := range found(result) {
				if strings.HasPrefix(f, "note adding-foreign-key-constraint") {
					t.Errorf("%s, beside the lock that it takes", f)
				}
				if !strings.HasPrefix(f, "note ") || strings.Contains(f, "hidden-ddl") {
					got = append(got, f)
				}
			}
			got = slices.DeleteFunc(got, func(f string) bool {
				return strings.Contains(f, "require-enum-value-ordering") || strings.Contains(f, "prefer-bigint")
			})
			if !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

// A rehearsal's sight of what a block did becomes a finding, unless a plain
// statement of the script names the table, or a waiver accepts it.
func TestWhatARehearsalReveals(t *testing.T) {
	squawk := linter(t)
	const old = "CREATE TABLE old (id int PRIMARY KEY, a int);"
	folder := changetest.Branch(t, files{"V1__old.sql": old}, files{
		"V1__old.sql": old,
		"V2__d.sql":   "SELECT swap_all();",
		"V3__d.sql":   "ALTER TABLE old ADD COLUMN c int;\nDO $$ BEGIN EXECUTE 'x'; END $$;",
		"V4__d.sql":   "-- slipway:allow hidden-ddl because the table is small\nDO $$ BEGIN EXECUTE 'x'; END $$;",
		"V5__d.sql":   "ALTER TABLE old ADD COLUMN d int;",
	}, nil)
	r := run(t, folder, Options{Linter: squawk})
	for _, script := range []string{"V2__d.sql", "V3__d.sql", "V4__d.sql", "V5__d.sql"} {
		r.Reveal(script, "old", true)
	}
	r.Reveal("V2__d.sql", "shop.other", false)
	got := slices.DeleteFunc(found(r), func(f string) bool {
		return !strings.Contains(f, hiddenRule) || strings.HasPrefix(f, "note")
	})
	want := []string{"error hidden-ddl V2__d.sql", "warning hidden-ddl V2__d.sql", "waived hidden-ddl V4__d.sql",
		"waived hidden-ddl V4__d.sql:2"}
	if !slices.Equal(got, want) || r.Failures() != 1 {
		t.Errorf("found %q, want %q", got, want)
	}
}

// An edit that PostgreSQL does not see is told as such.
func TestEditsOfCommentsAlone(t *testing.T) {
	const text = "CREATE TABLE a (id int);\n"
	for edit, only := range map[string]bool{"-- SPDX-License-Identifier: MIT\n" + text: true,
		"CREATE  TABLE a (id int)\n;": true, "CREATE TABLE a (id bigint);\n": false} {
		folder := changetest.Branch(t, files{"V1__a.sql": text}, files{"V1__a.sql": edit}, nil)
		r := run(t, folder, Options{})
		if len(r.Findings) != 1 || r.Findings[0].Rule != "edited-script" ||
			strings.Contains(r.Findings[0].Message, "only comments") != only {
			t.Errorf("%q: %+v", edit, r.Findings)
		}
	}
}
