package judge

import (
	"strings"
	"testing"

	"slipway/lambda/script"
)

// A body is a text, whichever quotes it has.
func TestBodiesInOtherQuotes(t *testing.T) {
	for sql, want := range map[string]string{
		"DO 'BEGIN DELETE FROM flyway_schema_history; END';":                         "history-table:1",
		"DO LANGUAGE plpgsql 'BEGIN DELETE FROM flyway_schema_history; END';":        "history-table:1",
		"DO E'BEGIN\\n DELETE FROM flyway_schema_history; END';":                     "history-table:1",
		`DO E'BEGIN DELETE FROM flyway\x5fschema_history; END';`:                     "history-table:1",
		`DO E'BEGIN DELETE FROM flyway\137schema\u005fhistory; END';`:                "history-table:1",
		`DO U&'BEGIN DELETE FROM flyway\005fschema_history; END';`:                   "history-table:1",
		"DO 'BEGIN EXECUTE ''DELETE FROM flyway_schema_history''; END';":             "history-table:1",
		"DO 'BEGIN DELETE FROM '\n'flyway_schema_history; END';":                     "history-table:1",
		"DO E'BEGIN DELETE FROM ' -- to be continued\n'flyway_schema_history; END';": "history-table:1",
		"DO $a$BEGIN\nDELETE FROM flyway_schema_history; END$a$;":                    "history-table:2",
		"DO 'BEGIN COMMIT; END';":                                                    "needs-conf:1",
		"SELECT 1;\nDO E'BEGIN\\n\\tROLLBACK; END';":                                 "needs-conf:2",
		"DO U&'BEGIN \\0043OMMIT; END';":                                             "needs-conf:1",
		"SET standard_conforming_strings = off;\nDO 'BEGIN\\n COMMIT; END';":         "needs-conf:2",
		"CREATE PROCEDURE p() LANGUAGE plpgsql AS E'BEGIN\\nCOMMIT; END';\nCALL p()": "needs-conf:2",
		"DO 'BEGIN RAISE NOTICE ''COMMIT; it''; END';":                               "",
		`DO E'BEGIN RAISE NOTICE \'COMMIT\'; END';`:                                  "",
		`DO 'BEGIN RAISE NOTICE ''flyway_schema_history''; END';`:                    "",
		`DO 'BEGIN PERFORM * FROM flyway_schema_history; END';`:                      "",
	} {
		if got := judged(script.File{Script: "V1__x.sql"}, sql); strings.Join(got, " ") != want {
			t.Errorf("%s:\n got %q\nwant %q", sql, got, want)
		}
	}
}
