package sqltext

import (
	"slices"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	tests := map[string]struct {
		sql  string
		want []string // each statement as it stands there, data of a COPY behind |
	}{
		"plain":             {"SELECT 1; SELECT 2 ;\n-- end\n;;", []string{"SELECT 1", "SELECT 2 "}},
		"no last semicolon": {"SELECT 1;\nSELECT 2", []string{"SELECT 1", "SELECT 2"}},
		"byte order mark":   {"\ufeffSELECT 1;", []string{"SELECT 1"}},
		"comments": {"/* a; /* b; */ c; */ SELECT /* ; */ 1 -- ;\n; SELECT 2",
			[]string{"SELECT /* ; */ 1 -- ;\n", "SELECT 2"}},
		"quotes": {`SELECT ';', "a;b", ''';'; SELECT '\'; SELECT 2`,
			[]string{`SELECT ';', "a;b", ''';'`, `SELECT '\'`, "SELECT 2"}},
		"escapes": {`SELECT E'\';', e'\\'; SELECT 2`, []string{`SELECT E'\';', e'\\'`, "SELECT 2"}},
		"escapes far in": {"INSERT INTO t VALUES (" + strings.Repeat("1,", 300) + `E'\';'); SELECT 2`,
			[]string{"INSERT INTO t VALUES (" + strings.Repeat("1,", 300) + `E'\';')`, "SELECT 2"}},
		"a name that ends e": {`SELECT type'\'; SELECT 2`, []string{`SELECT type'\'`, "SELECT 2"}},
		"dollar quotes": {"DO $$ BEGIN x; END $$; DO $a$ ; $$ ; $a$; SELECT a$b, c$b",
			[]string{"DO $$ BEGIN x; END $$", "DO $a$ ; $$ ; $a$", "SELECT a$b, c$b"}},
		"rule": {"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3",
			[]string{"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", "SELECT 3"}},
		"body as statements": {"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; " +
			"SELECT 2; END; SELECT 3", []string{"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true " +
			"THEN 1 END; SELECT 2; END", "SELECT 3"}},
		"begin": {"BEGIN; SELECT CASE WHEN a THEN b END; END;",
			[]string{"BEGIN", "SELECT CASE WHEN a THEN b END", "END"}},
		"copy": {"COPY t (a) FROM stdin;\n1;\n'\n\\.\nSELECT 2;",
			[]string{"COPY t (a) FROM stdin|1;\n'\n", "SELECT 2"}},
		"copy, carriage": {"COPY t FROM STDIN WITH (FORMAT csv);\r\n1\r\n\\.\r\nSELECT 2;",
			[]string{"COPY t FROM STDIN WITH (FORMAT csv)|1\r\n", "SELECT 2"}},
		"copy to the end": {"COPY t FROM STDIN;\n1\n2", []string{"COPY t FROM STDIN|1\n2"}},
		"copy of nothing": {"COPY t FROM STDIN;\n\\.\n", []string{"COPY t FROM STDIN|"}},
		"copy of many": {"COPY t (" + strings.Repeat("a_column, ", 100) + "z) FROM STDIN;\n;\n\\.\nSELECT 2",
			[]string{"COPY t (" + strings.Repeat("a_column, ", 100) + "z) FROM STDIN|;\n", "SELECT 2"}},
		"nothing":             {" \n-- only a comment;\n/* and; this */", nil},
		"not closed, a quote": {"SELECT 1; SELECT 'a;b", []string{"SELECT 1", "SELECT 'a;b"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, s := range Split(test.sql) {
				text := test.sql[s.Start:s.End]
				if s.Copies() {
					text += "|" + s.Data
				}
				got = append(got, text)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestOutsideTransaction(t *testing.T) {
	for sql, want := range map[string]bool{
		"create /* x */ unique index\n concurrently i on t (a)": true,
		"\ufeffDROP INDEX CONCURRENTLY i":                       true,
		"CREATE INDEX i ON t (a)":                               false,
		"VACUUM t":                                              true,
		"REINDEX (VERBOSE) TABLE CONCURRENTLY t":                true,
		"ALTER TABLE t DETACH PARTITION p CONCURRENTLY":         true,
		"REFRESH MATERIALIZED VIEW CONCURRENTLY v":              false,
		"SELECT 'VACUUM'":                                       false,
		"DO $$ BEGIN EXECUTE 'VACUUM'; END $$":                  false,
	} {
		if got := Split(sql)[0].OutsideTransaction(); got != want {
			t.Errorf("%s: %t", sql, got)
		}
	}
}
