package sqltext

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestStatements(t *testing.T) {
	for sql, want := range map[string][]string{
		"":                                          nil,
		" ;; ; -- nothing\n":                        nil,
		"select 1":                                  {"SELECT 1"},
		"select 1; select 2;":                       {"SELECT 1", "SELECT 2"},
		"select\t1\r\n\f,\n\n2;":                    {"SELECT 1 , 2"},
		"select 'a;b'; vacuum":                      {"SELECT '", "VACUUM"},
		"select 'it''s;'; vacuum":                   {"SELECT '", "VACUUM"},
		`select "a;b"";"; vacuum`:                   {"SELECT '", "VACUUM"},
		`select E'\';'; vacuum`:                     {"SELECT E'", "VACUUM"},
		`select f(e'\\'); vacuum`:                   {"SELECT F(E')", "VACUUM"},
		`select '\'; vacuum`:                        {"SELECT '", "VACUUM"},
		`select name'\'; vacuum`:                    {"SELECT NAME'", "VACUUM"}, // NAME is no E
		"do $$ begin; end $$; x":                    {"DO '", "X"},
		"do $a$ $$ ; $b$ $a$; x":                    {"DO '", "X"},
		"do $ä$;$ä$; x":                             {"DO '", "X"},
		"select $1; x":                              {"SELECT $1", "X"},
		"do $a$ never closed ; x":                   {"DO '"},
		"select 'never closed ; x":                  {"SELECT '"},
		"a /* ; */ b; c":                            {"A B", "C"},
		"a /* /* ; */ ; */ b; c":                    {"A B", "C"},
		"a /* /* ; */ ; b; c":                       {"A"},
		"/**/ a; /* ' */ b; /*;*/":                  {"A", "B"},
		"a -- ' ; \n b; c":                          {"A B", "C"},
		"a -- ;\rb; c":                              {"A B", "C"},
		"a -- ;\r\nb; c":                            {"A B", "C"},
		"a - - b; c":                                {"A - - B", "C"},
		"copy t from stdin;\n1\t'\n;\n\\.\nvacuum;": {"COPY T FROM STDIN", "VACUUM"},
		"copy t (a, b) from stdin with (format csv);\r\n'\r\n\\.\r\nvacuum;": {"COPY T (A, B) FROM STDIN WITH " +
			"(FORMAT CSV)", "VACUUM"},
		"copy t from stdin;\n\\.\nx":        {"COPY T FROM STDIN", "X"},
		"copy t from stdin;\nnever ended ;": {"COPY T FROM STDIN"},
		"copy t to stdout; vacuum":          {"COPY T TO STDOUT", "VACUUM"},
	} {
		if got := Statements(sql); !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n got %q\nwant %q", sql, got, want)
		}
	}
}

func TestStatementsKeepsOnlyBeginnings(t *testing.T) {
	got := Statements("SELECT " + strings.Repeat("x", 1<<20) + ";VACUUM")
	if len(got) != 2 || len(got[0]) > 20000 || got[1] != "VACUUM" {
		t.Errorf("%d statements, the first of %d bytes", len(got), len(got[0]))
	}
}

// pg_dump names all columns, and they can be many.
func TestCopyOfManyColumnsEndsAtItsData(t *testing.T) {
	sql := "COPY t (" + strings.Repeat("a_column_with_a_name, ", 100) + "b) FROM stdin;\nit's\n\\.\nVACUUM;"
	if !NeedsNoTransaction(sql) {
		t.Error("the statement behind the data was not seen")
	}
}

func TestScriptsThatNeedNoTransaction(t *testing.T) {
	for sql, want := range map[string]bool{
		"CREATE INDEX CONCURRENTLY i ON t (a)":                  true,
		"create unique index concurrently if not exists i on t": true,
		"DROP INDEX CONCURRENTLY i":                             true,
		"CREATE\n/* why */ INDEX -- so\n CONCURRENTLY i ON t":   true,
		"-- comment\rCREATE INDEX CONCURRENTLY i ON t":          true,
		"SELECT 1; VACUUM ANALYZE t":                            true,
		"CREATE DATABASE d":                                     true,
		"DROP TABLESPACE s":                                     true,
		"CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p":    true,
		"ALTER SYSTEM SET a = 1":                                true,
		"REINDEX DATABASE d":                                    true,
		"REINDEX (VERBOSE) TABLE CONCURRENTLY t":                false, // Flyway does not know it
		"REINDEX (VERBOSE) SCHEMA CONCURRENTLY s":               true,
		"DISCARD ALL": true,
		"ALTER TABLE p DETACH PARTITION q CONCURRENTLY": false, // nor that
		"CREATE INDEX i ON t (a)":                       false,
		"REINDEX TABLE t":                               false,
		"ALTER TABLE p DETACH PARTITION q":              false,
		"REFRESH MATERIALIZED VIEW CONCURRENTLY v":      false,
		"SELECT 'VACUUM'; -- VACUUM\n/* VACUUM; */":     false,
		"SELECT $$; VACUUM; $$":                         false,
		"SELECT E'\\'; VACUUM;'":                        false,
		"CREATE TABLE vacuum (a int)":                   false,
		"COPY t FROM stdin;\nVACUUM;\n\\.\n":            false,
		"":                                              false,
	} {
		if got := NeedsNoTransaction(sql); got != want {
			t.Errorf("%q: %t", sql, got)
		}
	}
}

// Each file in testdata/statements says in its name whether it needs to run
// outside a transaction.
func TestTrickyScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/statements/*.sql")
	if err != nil || len(files) < 4 {
		t.Fatal("no files", files, err)
	}
	for _, file := range files {
		sql, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := NeedsNoTransaction(string(sql)),
			strings.HasPrefix(filepath.Base(file), "outside"); got != want {
			t.Errorf("%s: %t; its statements: %q", file, got, Statements(string(sql)))
		}
	}
}

func FuzzStatements(f *testing.F) {
	files, _ := filepath.Glob("testdata/statements/*.sql")
	for _, file := range files {
		sql, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(sql))
	}
	f.Fuzz(func(t *testing.T, sql string) {
		total := 0
		for _, s := range Statements(sql) {
			total += len(s)
			if strings.TrimSpace(s) != s || strings.Contains(s, "  ") {
				t.Errorf("%q: statement %q", sql, s)
			}
		}
		if total > len(sql) {
			t.Errorf("%q: statements longer than the script", sql)
		}
		NeedsNoTransaction(sql)
	})
}
