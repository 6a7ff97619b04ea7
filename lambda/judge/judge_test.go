package judge

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"slipway/lambda/script"
	"slipway/lambda/sqltext"
)

// judged returns rule and line of each finding.
func judged(f script.File, sql string) []string {
	var list []string
	f.NoTransaction = f.Outside || !f.Inside && sqltext.NeedsNoTransaction(sql)
	for _, finding := range Script(f, sql, Database{Table: "flyway_schema_history", Schema: "app"}) {
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
		// the driver cuts what Flyway does not
		"PREPARE p AS SELECT $1; SELECT 2;":                                                "",
		"PREPARE p AS SELECT $1;\nCOPY t FROM STDIN;\n1\n\\.\n":                            "flyway-reads-otherwise:1",
		"PREPARE p AS SELECT $1;\nVACUUM;":                                                 "flyway-reads-otherwise:1",
		"SET standard_conforming_strings = off;\nSELECT 'a\\';b';":                         "flyway-reads-otherwise:2",
		"SELECT set_config('standard_conforming_strings', 'off', true);\nSELECT 'a\\';b';": "flyway-reads-otherwise:2",
		"DO $$ BEGIN SET standard_conforming_strings TO off; END $$;\nSELECT 'a\\';b';":    "flyway-reads-otherwise:2",
		"SET standard_conforming_strings = off; RESET ALL; SELECT 'a\\'; SELECT 2;":        "",
		"SELECT 1;\u00a0\n\u00a0 SELECT 2;\u3000\n\u2003COMMENT ON TABLE t IS '';":         "",
		"SELECT 1;\u00a0\n\u00a0COMMIT;":                                                   "transaction-control:2",
		"SET standard_conforming_strings = on;\nSELECT 'a\\'; SELECT 2":                    "",
		"SELECT $$$$; SELECT a$b$c; SELECT '\\'; SELECT $a$;$$;$a$;":                       "",
		"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);":                         "",
		"SELECT U&'d\\0061t', u&\"x\", b'01', X'1f', N'a;';":                               "",

		"SELECT 'a\ufeffb';":                                                                   "flyway-reads-otherwise:1",
		"SELECT 1;\nSELECT 1 AS \"\ufeff\";":                                                   "flyway-reads-otherwise:2",
		"CREATE TABLE t (a text);\nCOPY t FROM STDIN;\na\ufeff\n\\.\n":                         "flyway-reads-otherwise:3",
		"\ufeffSELECT 1;\n\ufeffCREATE\ufeff TABLE t (); -- \ufeff\n\ufeff-- \ufeff\nSELECT 2": "",
		"SELECT 1;\n\ufeffCOMMIT;":                                                             "transaction-control:2",

		// Transactions
		"CREATE TABLE a (b int);\nCOMMIT;":                                                     "transaction-control:2",
		"BEGIN;\nSELECT 1;\nEND;":                                                              "transaction-control:1 transaction-control:3",
		"/* a */ start /* b */ transaction;":                                                   "transaction-control:1",
		"ABORT; ROLLBACK AND CHAIN; PREPARE TRANSACTION 'a'":                                   "transaction-control:1 transaction-control:1 transaction-control:1",
		"SAVEPOINT a; ROLLBACK TO a; ROLLBACK WORK TO SAVEPOINT a; RELEASE a;":                 "",
		"DO $$ BEGIN NULL;\nCOMMIT; END $$; PREPARE x AS SELECT 1;":                            "needs-conf:2",
		"DO LANGUAGE plpgsql $$ BEGIN LOOP IF a THEN ROLLBACK; END IF; END LOOP; END $$":       "needs-conf:1",
		"DO $$ DECLARE commit int; BEGIN commit := 1; PERFORM 'x; COMMIT'; END $$;":            "",
		"DO $$ BEGIN SELECT 1 AS commit; -- ; COMMIT\nUPDATE t SET a = commit; END $$;":        "",
		"CREATE PROCEDURE s.p() AS $$ BEGIN COMMIT; END $$ LANGUAGE plpgsql;\nCALL s.p();":     "needs-conf:2",
		"CREATE OR REPLACE PROCEDURE p() AS $$ BEGIN NULL; END $$ LANGUAGE plpgsql; CALL p();": "",
		"/* x */ COMMIT /* y */ WORK;;;\n;END/**/;\n--\rABORT;":                                "transaction-control:1 transaction-control:2 transaction-control:3",
		"CREATE PROCEDURE p() AS $$ BEGIN COMMIT; END $$ LANGUAGE plpgsql;":                    "",
		"SELECT 1 AS commit; COMMENT ON TABLE a IS 'COMMIT;';":                                 "",
		"DO $$ BEGIN NULL; END; $$;\nEND; $$;":                                                 "transaction-control:2",

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
		"CREATE TABLE app.flyway_schema_history (a int);":                                                                      "history-table:1",
		"create table if not exists flyway_schema_history (a int);":                                                            "history-table:1",
		"ALTER TABLE ONLY \"app\".\"flyway_schema_history\" OWNER TO x;":                                                       "history-table:1",
		"COPY app.flyway_schema_history (a) FROM stdin;\n1\n\\.\n":                                                             "history-table:1",
		"CREATE INDEX i ON app . flyway_schema_history (a);":                                                                   "history-table:1",
		"INSERT INTO FLYWAY_SCHEMA_HISTORY VALUES (1);":                                                                        "history-table:1",
		"UPDATE app.flyway_schema_history SET success = true;":                                                                 "history-table:1",
		"WITH x AS (SELECT 1) DELETE FROM flyway_schema_history;":                                                              "history-table:1",
		"TRUNCATE a, flyway_schema_history;":                                                                                   "history-table:1",
		"LOCK TABLE flyway_schema_history;":                                                                                    "history-table:1",
		"DROP TABLE IF EXISTS a, app.flyway_schema_history CASCADE;":                                                           "history-table:1",
		"DROP INDEX flyway_schema_history_s_idx;":                                                                              "history-table:1",
		"CREATE TRIGGER x AFTER INSERT ON flyway_schema_history EXECUTE FUNCTION f();":                                         "history-table:1",
		"CREATE TABLE a (b int REFERENCES flyway_schema_history);":                                                             "history-table:1",
		"DO $x$ BEGIN\nDELETE FROM flyway_schema_history; END $x$;":                                                            "history-table:2",
		"DELETE FROM U&\"flyway\\005fschema_history\";":                                                                        "history-table:1",
		"DELETE FROM app.u&\"flyway!+00005fschema!_history\" UESCAPE '!' WHERE true;":                                          "",
		"DELETE FROM app.u&\"flyway!+00005fschema!005fhistory\" UESCAPE '!' WHERE true;":                                       "history-table:1",
		"DELETE FROM U&\"flyway\\\\005fschema_history\"; DELETE FROM \"flyway\\005fschema_history\";":                          "",
		"DO $$ BEGIN EXECUTE 'DELETE FROM flyway_schema_history'; END $$;":                                                     "history-table:1",
		"DO $$ BEGIN\nEXECUTE 'DELETE FROM flyway_' || 'schema_history WHERE version = $1' USING 1; END $$":                    "history-table:2",
		"DO $$ BEGIN\nEXECUTE format('TRUNCATE %I.%I', 'app', 'flyway_schema_history'); END $$":                                "history-table:2",
		"DO $$ BEGIN\nEXECUTE format('INSERT INTO %I SELECT %L', t, 'flyway_schema_history'); END $$":                          "",
		"DO $$ BEGIN EXECUTE format($f$DROP TABLE %s$f$, quote_ident('flyway_schema_history')); END $$":                        "history-table:1",
		"DO $$ BEGIN EXECUTE $e$DO $i$ BEGIN DELETE FROM flyway_schema_history; END $i$ $e$; END $$":                           "history-table:1",
		"DO $$ BEGIN EXECUTE 'SELECT 1 FROM flyway_schema_history' INTO x; DELETE FROM y; END $$":                              "",
		"DO $$ BEGIN EXECUTE 'DROP TABLE ' || quote_ident(r.tablename); END $$":                                                "",
		"PREPARE p AS DELETE FROM flyway_schema_history; EXECUTE p;":                                                           "history-table:1",
		"DROP SCHEMA IF EXISTS other, \"app\" CASCADE;":                                                                        "history-table:1",
		"ALTER SCHEMA app RENAME TO old; DROP SCHEMA other; ALTER SCHEMA other RENAME TO app;":                                 "history-table:1",
		"DO $$ BEGIN\nDROP SCHEMA app CASCADE; END $$":                                                                         "history-table:2",
		"DO $$ BEGIN\nEXECUTE 'ALTER SCHEMA app RENAME TO b'; END $$":                                                          "history-table:2",
		"DROP SCHEMA b CASCADE; GRANT USAGE ON SCHEMA app TO x; CREATE TABLE app.t (); DROP TABLE app.t":                       "",
		"ALTER SCHEMA app OWNER TO x; DROP OWNED BY other; CREATE SCHEMA IF NOT EXISTS app;":                                   "",
		"DROP OWNED BY other, CURRENT_USER CASCADE;":                                                                           "history-table:1",
		"CREATE FUNCTION s.f() RETURNS void AS $$ DELETE FROM flyway_schema_history $$ LANGUAGE sql;\nSELECT s.f();":           "history-table:2",
		"CREATE PROCEDURE p() AS $$ BEGIN EXECUTE 'DROP TABLE app.flyway_schema_history'; END $$ LANGUAGE plpgsql;\nCALL p();": "history-table:2",
		"CREATE FUNCTION f() RETURNS int AS $$ SELECT 1 FROM flyway_schema_history $$ LANGUAGE sql; SELECT f();":               "",
		"COPY flyway_schema_history TO '/tmp/x';":                                                                              "",
		"CREATE TABLE other.flyway_schema_history (a int);":                                                                    "",
		"CREATE TABLE \"Flyway_Schema_History\" (a int);":                                                                      "",
		"SELECT * FROM flyway_schema_history; SELECT 'INSERT INTO flyway_schema_history';":                                     "",
		"CREATE VIEW v AS SELECT * FROM flyway_schema_history;":                                                                "",
		"INSERT INTO log SELECT * FROM flyway_schema_history;":                                                                 "",
		"CREATE TABLE my_flyway_schema_history (a int); CREATE TABLE flyway_schema_history_old (a int);":                       "",
		"CREATE FUNCTION f() RETURNS void AS $$ DELETE FROM flyway_schema_history $$ LANGUAGE sql;":                            "",
		"SET search_path = other; CREATE TABLE flyway_schema_history (a int);":                                                 "",
		"GRANT SELECT ON TABLE flyway_schema_history TO x; COMMENT ON TABLE flyway_schema_history IS 'x';":                     "",
	} {
		got := judged(script.File{Script: "V1__x.sql"}, sql)
		if strings.Join(got, " ") != want {
			t.Errorf("%s:\n got %q\nwant %q", sql, got, want)
		}
	}
}

// What a .conf file says changes what is right.
func TestRefusedScriptsWithConf(t *testing.T) {
	for sql, want := range map[string][2]string{ // outside, inside
		"BEGIN; SELECT 1; COMMIT;": {"", "transaction-control:1 transaction-control:1"},
		"BEGIN;\nSELECT 1;":        {"transaction-control:1", "transaction-control:1"},
		"BEGIN; PREPARE TRANSACTION 'a'; COMMIT PREPARED 'a'": {"",
			"transaction-control:1 transaction-control:1 needs-conf:1"},
		"BEGIN; COMMIT AND CHAIN;\nSELECT 1;": {"transaction-control:1", "transaction-control:1 transaction-control:1"},
		"REINDEX TABLE CONCURRENTLY t;":       {"", "needs-conf:1"},
		"VACUUM;":                             {"", "needs-conf:1"},
		"PREPARE p AS SELECT $1; SELECT 2;":   {"flyway-reads-otherwise:1", ""},
		"DISCARD ALL;":                        {"breaks-session:1", "breaks-session:1 needs-conf:1"},
	} {
		for i, f := range []script.File{{Script: "V1__x.sql", Outside: true}, {Script: "V1__x.sql", Inside: true}} {
			if got := strings.Join(judged(f, sql), " "); got != want[i] {
				t.Errorf("%s, %+v:\n got %q\nwant %q", sql, f, got, want[i])
			}
		}
	}
}

// An undo script is read by this package alone.
func TestRefusedUndoScripts(t *testing.T) {
	undo := script.File{Name: script.Name{Kind: script.Undo}, Script: "U1__x.sql"}
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
