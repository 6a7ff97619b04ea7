package rehearse

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"slipway/lambda/proof/changetest"
	"slipway/lambda/report"
)

func TestLongHistories(t *testing.T) {
	all := changetest.History(300)
	base, branch := files{}, files{}
	for name, text := range all {
		if len(base) < 13 && strings.HasPrefix(name, "V1_") {
			base[name] = text
			continue
		}
		branch[name] = text
	}
	o := options(t)
	begun := time.Now()
	r := rehearsed(t, o, base, branch)
	took := time.Since(begun)
	locks := 0
	for _, s := range r.Scripts {
		locks += len(s.Locks)
	}
	t.Logf("%d new scripts in %s, with %d locks and %d samples: %s", len(r.Scripts), took.Round(time.Millisecond),
		locks, r.Sampling.Samples, r.Summary())
	if !r.OK() || len(r.Scripts) != len(branch) || took > time.Minute {
		t.Errorf("%d of %d scripts in %s: %+v", len(r.Scripts), len(branch), took, r.Failure)
	}
}

func TestNewScriptsOnLongHistories(t *testing.T) {
	base := changetest.History(300)
	begun := time.Now()
	r := rehearsed(t, options(t), base, files{
		"V301__a.sql": "ALTER TABLE t0 ADD COLUMN more text;", "U301__a.sql": "ALTER TABLE t0 DROP COLUMN more;",
	})
	took := time.Since(begun)
	made := 0
	for _, f := range r.Filled {
		if f.Rows > 0 {
			made++
		}
	}
	t.Logf("1 new script on 300 in %s; %d of %d tables filled: %s", took.Round(time.Millisecond), made, len(r.Filled),
		r.FilledText())
	if !r.OK() || r.TargetScripts != 300 || took > time.Minute || made < 20 {
		t.Errorf("told\n%s%+v", told(r), r.Failure)
	}
}

// made-up rows reach all usual types, and keys of all kinds.
func TestFilling(t *testing.T) {
	base := files{"V1__t.sql": `CREATE TYPE e AS ENUM ('a', 'b'); CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE TABLE parent (a int, b text, PRIMARY KEY (a, b));
CREATE TABLE child (id uuid PRIMARY KEY, a int NOT NULL, b text NOT NULL, up uuid REFERENCES child, FOREIGN KEY (a, b) REFERENCES parent);
CREATE TABLE one (id int PRIMARY KEY REFERENCES other_first);
`, "V0__t.sql": `CREATE TABLE other_first (id int PRIMARY KEY);
CREATE TABLE "All Types" (c1 smallint NOT NULL, c2 bigint NOT NULL, c3 real NOT NULL, c4 boolean NOT NULL, c5 char(3) NOT NULL, c6 varchar(2) NOT NULL,
 c7 date NOT NULL, c8 timestamp NOT NULL, c9 time NOT NULL, c10 interval NOT NULL, c11 jsonb NOT NULL, c12 bytea NOT NULL, c13 inet NOT NULL, c14 int[] NOT NULL,
 c15 numeric(3,1) NOT NULL, c16 text NOT NULL UNIQUE, c17 tsvector, c18 int GENERATED ALWAYS AS (c1 + 1) STORED);
CREATE TABLE refuses (x text NOT NULL CHECK (x = 'only this'));
CREATE TABLE p (id int, at date) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p DEFAULT;
CREATE TABLE has (id int PRIMARY KEY); INSERT INTO has VALUES (1);`}
	o := options(t)
	o.Data = "INSERT INTO other_first SELECT generate_series(1, 7); SELECT 1;"
	r := rehearsed(t, o, base, files{"V2__x.sql": "CREATE TABLE x AS SELECT (SELECT count(*) FROM child c JOIN " +
		"parent USING (a, b)) AS children; UPDATE other_first SET id = id; UPDATE one SET id = id"})
	got := map[string]Filling{}
	for _, f := range r.Filled {
		got[f.Table] = f
	}
	for table, want := range map[string]int64{"parent": 1000, "child": 1000, "one": 7, "All Types": 1000, "p": 1000} {
		if got[table].Rows != want {
			t.Errorf("%s: %+v, want %d rows", table, got[table], want)
		}
	}
	if f := got["refuses"]; f.Rows != 0 || !strings.Contains(f.Reason, "check constraint") {
		t.Errorf("refuses: %+v", f)
	}
	if !strings.Contains(told(r), "one 7 updated; other_first 7 updated") {
		t.Errorf("told\n%s", told(r))
	}
}

func TestADataFileThatFails(t *testing.T) {
	o := options(t)
	o.Data = "INSERT INTO nowhere VALUES (1)"
	if _, err := Run(t.Context(), changeOf(shop, nil), o); err == nil ||
		!strings.Contains(err.Error(), "the data file") {
		t.Error(err)
	}
}

func TestWithoutRowsTheReportSaysSo(t *testing.T) {
	o := options(t)
	o.Rows = 0
	r := rehearsed(t, o, shop, files{"V2__c.sql": "ALTER TABLE customers ADD COLUMN mail text NOT NULL;"})
	if !r.OK() || !strings.Contains(r.FilledText(), "All tables were empty") {
		t.Errorf("%s\n%s", r.FilledText(), told(r))
	}
}

func TestUndoThatDiffersOnPurpose(t *testing.T) {
	r := rehearsed(t, options(t), shop, files{
		"V2__a.sql": "ALTER TABLE customers ADD COLUMN IF NOT EXISTS a text;",
		"U2__a.sql": "-- slipway:allow undo-differs because the column's content has to stay\nSELECT 1;",
	})
	if len(r.Undo) != 1 || r.Undo[0].Restores || r.Undo[0].Waived != "the column's content has to stay" || !r.OK() {
		t.Errorf("%+v", r.Undo)
	}
	if r.Undo[0].Diff != "+ column public.customers.a text" {
		t.Errorf("the difference is %q", r.Undo[0].Diff)
	}
}

// What a script waives for the check is no failure of the rehearsal either.
func TestWaivedEdits(t *testing.T) {
	c := changeOf(shop, files{
		"V1__shop.sql":   "-- slipway:allow edited-script because a comment was wrong\n" + shop["V1__shop.sql"],
		"V0.5__late.sql": "-- slipway:allow version-not-above because it stands alone\nCREATE TABLE late (id int);",
		"V2__x.sql": "-- slipway:allow deleted-script in R__totals.sql because nobody asks for it\nDROP VIEW " +
			"totals;", "R__totals.sql": "",
	})
	c.Folder = t.TempDir()
	o := options(t)
	o.Undo = false
	r, err := Run(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK() || len(r.Scripts) != 2 || len(r.Warnings) != 2 {
		t.Errorf("told\n%s%+v %q", told(r), r.Failure, r.Warnings)
	}
}

// A copy of production has the target branch's scripts, and rows of its own.
func TestRestoredCopy(t *testing.T) {
	o := options(t)
	if _, err := Run(t.Context(), changeOf(shop, nil), o); err != nil {
		t.Fatal(err)
	}
	o.Restored, o.Undo, o.Rows, o.Admin.Host = true, false, 0, ""
	r := rehearsed(t, o, shop, files{"V2__age.sql": "ALTER TABLE customers ALTER COLUMN age TYPE bigint;"})
	if told(r) != "V2__age.sql; AccessExclusive customers; rewritten customers\n" || r.TargetScripts != 0 ||
		r.Scripts[0].Locks[0].Rows != 1000 {
		t.Errorf("told\n%s%+v", told(r), r.Scripts)
	}
}

func TestUnreachableIsNoVerdict(t *testing.T) {
	o := options(t)
	o.Target.Port = 1
	_, err := Run(t.Context(), changeOf(shop, nil), o)
	if err == nil || strings.Contains(err.Error(), string(o.Target.Password)) {
		t.Error(err)
	}
	if notMade(&report.Failure{Code: report.MigrationFailed}) != nil ||
		notMade(&report.Failure{Code: report.DatabaseUnreachable}) == nil || notMade(errors.New("x")) == nil {
		t.Error("what fails a script and what fails a rehearsal are not told apart")
	}
}

func TestPrinted(t *testing.T) {
	r := &Report{
		Server: "17.5", TargetScripts: 1, Filled: []Filling{{Table: "a", Rows: 12345}, {Table: "b", Reason: "no"}},
		Scripts: []Script{{
			Script: "V2__x.sql", Transaction: true, DurationMs: 1234.5, Rewritten: []string{"a"},
			Rows: []Rows{{"a", 1, 0, 2000000}},
			Locks: []Lock{{Table: "a", Mode: "AccessExclusiveLock", Blocks: "reads and writes", HeldMs: 61000,
				Waited: true}},
		}},
		Undo: []Undo{{Script: "U2__x.sql", Diff: "- column a\n+ column b"}},
	}
	var out bytes.Buffer
	if err := r.WriteText(&out, false); err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/report.txt"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || out.String() != string(want) {
		t.Errorf("%v; it prints\n%s", err, out.String())
	}
	out.Reset()
	if err := r.WriteJSON(&out); err != nil || !json.Valid(out.Bytes()) {
		t.Error(err, out.String())
	}
}
