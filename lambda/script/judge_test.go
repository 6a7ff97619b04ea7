package script

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// judged returns rule and line of each finding.
func judged(f File, sql string) []string {
	var list []string
	f.NoTransaction = f.Outside || !f.Inside && needsNoTransaction(sql)
	for _, finding := range (Judge{Table: "flyway_schema_history", Schema: "app"}).Script(f, sql) {
		list = append(list, fmt.Sprintf("%s:%d", finding.Rule, finding.Line))
	}
	return list
}

func TestRefusedScripts(t *testing.T) {
	const body = "CREATE FUNCTION f(a int) RETURNS int\nBEGIN ATOMIC\n"
	for sql, want := range map[string]string{
		// COPY
		"COPY t FROM STDIN;\n1":                               "copy-data:1",
		"SELECT 1;\nCOPY t FROM stdin":                        "copy-data:2",
		"COPY t FROM STDIN;\r1\r\\.\r":                        "copy-data:1 copy-data:1", // no line ends for Flyway
		"COPY t FROM STDIN; SELECT 1;\n\\.\n":                 "copy-data:1",
		"COPY t FROM STDIN\n; -- why\n1\n\\.\nSELECT 1;":      "",
		"COPY s.\"T\" (a, b) FROM stdin CSV;\n\\\n;'\n\\.\n":  "",
		"COPY (SELECT 1) TO STDOUT;":                          "flyway-reads-otherwise:1",
		"COPY (SELECT 1 FROM stdin) TO '/tmp/x';":             "",
		"CREATE TABLE stdin (a int); SELECT a FROM stdin;":    "",
		"COPY a FROM STDIN;\n1\n\\.\nCOPY b FROM STDIN;\n2\n": "copy-data:4",

		// psql
		"\\restrict x\nSELECT 1;":        "psql-command:1",
		"SELECT 1;\n\\unrestrict x":      "psql-command:2",
		"SELECT 1 \\gset\nSELECT 2;":     "psql-command:1",
		"SELECT 1;\n  \\echo a \\echo b": "psql-command:2",
		"SELECT E'\\n', '\\', $$\\$$;":   "",
		"-- \\set\n/* \\set */ SELECT 1": "",
		"SELECT a[1:2], x::text;":        "",

		// What Flyway or the driver read otherwise.
		body + "SELECT $1;\nEND;":                                                             "flyway-reads-otherwise:3",
		body + "SELECT CASE WHEN a > 1 THEN 1 END;\nEND;":                                     "",
		body + "SELECT CASE WHEN a > 1 THEN\nCASE a WHEN 2 THEN 3 END\nEND;\nEND;\nSELECT 1;": "flyway-reads-otherwise:4",
		body + "SELECT CASE WHEN a > 1 THEN (CASE a WHEN 2 THEN 3 END) END;\nEND;":            "",
		body + "SELECT a AS end;\nEND;":                                                       "flyway-reads-otherwise:3",
		body + "SELECT a AS \"end\";\nEND;":                                                   "",
		body + "SELECT x . end FROM x;\nEND;":                                                 "flyway-reads-otherwise:3",
		body + "SELECT x.end FROM x;\nEND;":                                                   "",
		body + "SELECT a AS case;\nEND;\nSELECT 1;":                                           "flyway-reads-otherwise:3",
		body + "END;\nSELECT 1;":                                                              "",
		"/*/ a; */\nSELECT 1;\nSELECT 2;":                                                     "flyway-reads-otherwise:1",
		"SELECT 1;\n/*/ a; */ SELECT 2;":                                                      "flyway-reads-otherwise:2",
		"SELECT 1 /*/ a */;":                                                                  "",
		"SELECT '/*/ ;';":                                                                     "",
		"SELECT e'\\';';\nSELECT 2;":                                                          "flyway-reads-otherwise:1",
		"SELECT E'\\';';\nSELECT 2;":                                                          "",
		"SELECT E'a'\n'\\';';":                                                                "flyway-reads-otherwise:1",
		"(SELECT 1) UNION (SELECT 2);":                                                        "flyway-reads-otherwise:1",
		"-- rows\n(SELECT 1) UNION (SELECT 2);":                                               "",
		"SELECT 1;\n(SELECT 2);":                                                              "flyway-reads-otherwise:2",
		"SELECT 1 AS \u0661;":                                                                 "flyway-reads-otherwise:1",
		"SELECT '\u0661' AS \"\u0661\"; -- \u0661":                                            "",
		"PREPARE p AS SELECT $1; SELECT 2;":                                                   "", // the driver cuts what Flyway does not
		"PREPARE p AS SELECT $1;\nCOPY t FROM STDIN;\n1\n\\.\n":                               "flyway-reads-otherwise:1",
		"PREPARE p AS SELECT $1;\nVACUUM;":                                                    "flyway-reads-otherwise:1",
		"SET standard_conforming_strings = off;\nSELECT 'a\\';b';":                            "flyway-reads-otherwise:2",
		"SET standard_conforming_strings = on;\nSELECT 'a\\'; SELECT 2":                       "",
		"SELECT $$$$; SELECT a$b$c; SELECT '\\'; SELECT $a$;$$;$a$;":                          "",
		"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);":                            "",
		"SELECT U&'d\\0061t', u&\"x\", b'01', X'1f', N'a;';":                                  "",

		"SELECT 'a\ufeffb';":                                                                   "flyway-reads-otherwise:1",
		"SELECT 1;\nSELECT 1 AS \"\ufeff\";":                                                   "flyway-reads-otherwise:2",
		"CREATE TABLE t (a text);\nCOPY t FROM STDIN;\na\ufeff\n\\.\n":                         "flyway-reads-otherwise:3",
		"\ufeffSELECT 1;\n\ufeffCREATE\ufeff TABLE t (); -- \ufeff\n\ufeff-- \ufeff\nSELECT 2": "",
		"SELECT 1;\n\ufeffCOMMIT;":                                                             "transaction-control:2",

		// Transactions
		"CREATE TABLE a (b int);\nCOMMIT;":                                     "transaction-control:2",
		"BEGIN;\nSELECT 1;\nEND;":                                              "transaction-control:1 transaction-control:3",
		"/* a */ start /* b */ transaction;":                                   "transaction-control:1",
		"ABORT; ROLLBACK AND CHAIN; PREPARE TRANSACTION 'a'":                   "transaction-control:1 transaction-control:1 transaction-control:1",
		"SAVEPOINT a; ROLLBACK TO a; ROLLBACK WORK TO SAVEPOINT a; RELEASE a;": "",
		"DO $$ BEGIN COMMIT; END $$; PREPARE x AS SELECT 1;":                   "",
		"CREATE PROCEDURE p() AS $$ BEGIN COMMIT; END $$ LANGUAGE plpgsql;":    "",
		"SELECT 1 AS commit; COMMENT ON TABLE a IS 'COMMIT;';":                 "",
		"DO $$ BEGIN NULL; END; $$;\nEND; $$;":                                 "transaction-control:2",

		// Statements that can't run in a transaction.
		"REINDEX INDEX CONCURRENTLY i;":                          "needs-conf:1",
		"REINDEX (CONCURRENTLY) TABLE t;":                        "needs-conf:1",
		"REINDEX (VERBOSE, CONCURRENTLY ON) TABLE t;":            "needs-conf:1",
		"REINDEX (VERBOSE) TABLE CONCURRENTLY t;":                "needs-conf:1",
		"REINDEX (CONCURRENTLY FALSE) TABLE t; REINDEX TABLE t;": "",
		"REINDEX DATABASE CONCURRENTLY d;":                       "",
		"ALTER TABLE t DETACH PARTITION p CONCURRENTLY;":         "needs-conf:1",
		"ALTER TABLE t DETACH PARTITION p FINALIZE;":             "",
		"CLUSTER;":                                  "needs-conf:1",
		"CLUSTER (VERBOSE);":                        "needs-conf:1",
		"CLUSTER t USING i;":                        "",
		"ALTER DATABASE d SET TABLESPACE s;":        "needs-conf:1",
		"ALTER DATABASE d SET work_mem = 1;":        "",
		"ALTER SUBSCRIPTION s REFRESH PUBLICATION;": "needs-conf:1",
		"ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = false);": "",
		"ALTER SUBSCRIPTION s DISABLE;":                                  "",
		"ROLLBACK PREPARED 'a';":                                         "needs-conf:1",
		"VACUUM (FULL) t;":                                               "",
		"CREATE INDEX CONCURRENTLY i ON t (a);":                          "",

		// Flyway's session
		"DISCARD ALL;": "breaks-session:1", "DISCARD TEMP; DEALLOCATE ALL; LISTEN a; UNLISTEN *;": "",
		"SELECT pg_advisory_unlock_all();":                                                                   "breaks-session:1",
		"DO $$ BEGIN PERFORM pg_advisory_unlock_all(); END $$;":                                              "breaks-session:1",
		"SELECT 1;\nSET SESSION AUTHORIZATION 'a'; SELECT 1;":                                                "breaks-session:2",
		"SET LOCAL SESSION AUTHORIZATION a; RESET SESSION AUTHORIZATION; SET SESSION AUTHORIZATION DEFAULT;": "",
		"SELECT pg_advisory_unlock(1);":                                                                      "",
		"SET datestyle = 'SQL, DMY';":                                                                        "breaks-session:1",
		"SET LOCAL DateStyle TO german;":                                                                     "breaks-session:1",
		"SET datestyle TO iso, dmy; SET datestyle = DMY;":                                                    "",
		"SELECT set_config('DateStyle', 'Postgres', false);":                                                 "breaks-session:1",
		"SET client_encoding = 'LATIN1';":                                                                    "breaks-session:1",
		"SET NAMES 'latin1';":                                                                                "breaks-session:1",
		"SET client_encoding = 'UTF8'; SET NAMES 'utf-8'; SET client_encoding TO DEFAULT;":                   "",
		"SELECT pg_catalog.set_config('search_path', '', false);":                                            "",

		// The table of the history
		"CREATE TABLE app.flyway_schema_history (a int);":                                                  "history-table:1",
		"create table if not exists flyway_schema_history (a int);":                                        "history-table:1",
		"ALTER TABLE ONLY \"app\".\"flyway_schema_history\" OWNER TO x;":                                   "history-table:1",
		"COPY app.flyway_schema_history (a) FROM stdin;\n1\n\\.\n":                                         "history-table:1",
		"CREATE INDEX i ON app . flyway_schema_history (a);":                                               "history-table:1",
		"INSERT INTO FLYWAY_SCHEMA_HISTORY VALUES (1);":                                                    "history-table:1",
		"UPDATE app.flyway_schema_history SET success = true;":                                             "history-table:1",
		"WITH x AS (SELECT 1) DELETE FROM flyway_schema_history;":                                          "history-table:1",
		"TRUNCATE a, flyway_schema_history;":                                                               "history-table:1",
		"LOCK TABLE flyway_schema_history;":                                                                "history-table:1",
		"DROP TABLE IF EXISTS a, app.flyway_schema_history CASCADE;":                                       "history-table:1",
		"DROP INDEX flyway_schema_history_s_idx;":                                                          "history-table:1",
		"CREATE TRIGGER x AFTER INSERT ON flyway_schema_history EXECUTE FUNCTION f();":                     "history-table:1",
		"CREATE TABLE a (b int REFERENCES flyway_schema_history);":                                         "history-table:1",
		"DO $x$ BEGIN\nDELETE FROM flyway_schema_history; END $x$;":                                        "history-table:2",
		"CREATE TABLE other.flyway_schema_history (a int);":                                                "",
		"CREATE TABLE \"Flyway_Schema_History\" (a int);":                                                  "",
		"SELECT * FROM flyway_schema_history; SELECT 'INSERT INTO flyway_schema_history';":                 "",
		"CREATE VIEW v AS SELECT * FROM flyway_schema_history;":                                            "",
		"INSERT INTO log SELECT * FROM flyway_schema_history;":                                             "",
		"CREATE TABLE my_flyway_schema_history (a int); CREATE TABLE flyway_schema_history_old (a int);":   "",
		"CREATE FUNCTION f() RETURNS void AS $$ DELETE FROM flyway_schema_history $$ LANGUAGE sql;":        "",
		"SET search_path = other; CREATE TABLE flyway_schema_history (a int);":                             "",
		"GRANT SELECT ON TABLE flyway_schema_history TO x; COMMENT ON TABLE flyway_schema_history IS 'x';": "",
	} {
		got := judged(File{Script: "V1__x.sql"}, sql)
		if strings.Join(got, " ") != want {
			t.Errorf("%s:\n got %q\nwant %q", sql, got, want)
		}
	}
}

// What a .conf file says changes what is right.
func TestRefusedScriptsWithConf(t *testing.T) {
	for sql, want := range map[string][2]string{ // outside, inside
		"BEGIN; SELECT 1; COMMIT;":                            {"", "transaction-control:1 transaction-control:1"},
		"BEGIN;\nSELECT 1;":                                   {"transaction-control:1", "transaction-control:1"},
		"BEGIN; PREPARE TRANSACTION 'a'; COMMIT PREPARED 'a'": {"", "transaction-control:1 transaction-control:1 needs-conf:1"},
		"BEGIN; COMMIT AND CHAIN;\nSELECT 1;":                 {"transaction-control:1", "transaction-control:1 transaction-control:1"},
		"REINDEX TABLE CONCURRENTLY t;":                       {"", "needs-conf:1"},
		"VACUUM;":                                             {"", "needs-conf:1"},
		"PREPARE p AS SELECT $1; SELECT 2;":                   {"flyway-reads-otherwise:1", ""},
		"DISCARD ALL;":                                        {"breaks-session:1", "breaks-session:1 needs-conf:1"},
	} {
		for i, f := range []File{{Script: "V1__x.sql", Outside: true}, {Script: "V1__x.sql", Inside: true}} {
			if got := strings.Join(judged(f, sql), " "); got != want[i] {
				t.Errorf("%s, %+v:\n got %q\nwant %q", sql, f, got, want[i])
			}
		}
	}
}

// An undo script is read by this package alone.
func TestRefusedUndoScripts(t *testing.T) {
	undo := File{Name: Name{Kind: Undo}, Script: "U1__x.sql"}
	for sql, want := range map[string][]string{
		"COMMIT; SELECT $1; (SELECT 1); DISCARD ALL": nil,
		"COPY t FROM STDIN; SELECT 1;\n\\.\n":        {"copy-data:1"},
		"\\set x 1":                                  {"psql-command:1"},
	} {
		if got := judged(undo, sql); !slices.Equal(got, want) {
			t.Errorf("%s: %q", sql, got)
		}
	}
}
