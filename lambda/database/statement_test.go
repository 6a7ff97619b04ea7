package database

import (
	"strings"
	"testing"
)

func TestKindOfAStatement(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT * FROM a WHERE name = 'secret'":                            "SELECT",
		"  \n-- secret\n/* se /* cr */ et */ update a set b = 1":           "UPDATE",
		"((select 1) union select 2)":                                      "SELECT",
		"INSERT INTO a VALUES ('secret')":                                  "INSERT INTO",
		"delete from secret":                                               "DELETE FROM",
		"ALTER ROLE app PASSWORD 'secret'":                                 "ALTER ROLE",
		"ALTER USER secret WITH PASSWORD 'x":                               "ALTER USER",
		"CREATE UNIQUE INDEX CONCURRENTLY secret ON a (b)":                 "CREATE UNIQUE INDEX CONCURRENTLY",
		"CREATE OR REPLACE FUNCTION f() RETURNS text AS $secret$x$secret$": "CREATE OR REPLACE FUNCTION",
		"COPY a (secret) FROM STDIN":                                       "COPY",
		"SET app.secret = 'secret'":                                        "SET",
		"SET session secret":                                               "SET SESSION",
		"DO $$ secret $$":                                                  "DO",
		"BEGIN; UPDATE secret SET a = 1":                                   "BEGIN",
		"WITH secret AS (SELECT 1) SELECT":                                 "WITH",
		"/* secret, and cut off":                                           "a statement",
		"-- secret":                                                        "a statement",
		"'secret":                                                          "a statement",
		`"SELECT"`:                                                         "a statement",
		"selectsecret":                                                     "a statement",
		"SELECT'secret'":                                                   "SELECT",
		"TABLE secret":                                                     "TABLE",
		"":                                                                 "a statement",
		"<insufficient privilege>":                                         "a statement that this role may not see",
		"autovacuum: VACUUM secret.secret (to prevent wraparound)": "autovacuum",
	} {
		if got := kindOf(sql); got != want {
			t.Errorf("%q: %q, want %q", sql, got, want)
		}
	}
}

// Nothing of a statement is shown but words that are in the lists.
func FuzzKindOf(f *testing.F) {
	for _, sql := range []string{"SELECT E'\\'secret", "/**/ALTER/**/ROLE/**/x PASSWORD U&'\\0441'", "COPY\x00a",
		"(;(/*/SELECT*/", "sElEcT\u200bfrom", "VACUUM (FULL) secret", "SET TABLE SET TABLE SET TABLE"} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		kind := kindOf(sql)
		if kind == "a statement" || kind == "autovacuum" || kind == "a statement that this role may not see" {
			return
		}
		list := strings.Split(kind, " ")
		if len(list) > maxWords || !firstWords[list[0]] {
			t.Errorf("%q: %q", sql, kind)
		}
		for _, word := range list[1:] {
			if !nextWords[word] {
				t.Errorf("%q: %q", sql, kind)
			}
		}
	})
}
