package migrator_test

import (
	"fmt"
	"strings"
	"testing"

	"slipway/lambda/report"
)

// What the role or the server certainly refuses is said before anything is run,
// with a way out; what only may be refused is left to PostgreSQL.
func TestRightsAreKnownBeforeTheRun(t *testing.T) {
	t.Parallel()
	y := newYard(t, nil)
	y.super().exec("DROP ROLE IF EXISTS needs_boss; CREATE ROLE needs_boss CREATEROLE; GRANT needs_boss TO tester")
	defer func() { y.super().exec("DROP OWNED BY needs_boss; DROP ROLE needs_boss") }()
	const noted = "CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;\n"
	for name, test := range map[string]struct {
		text, state string
		line        int
		next        string
	}{
		"program": {"CREATE TABLE a (b int);\nCOPY first FROM PROGRAM 'true';", "42501", 2,
			"GRANT pg_execute_server_program TO tester;"},
		"server's file": {"COPY first FROM '/etc/hostname';", "42501", 1, "GRANT pg_read_server_files TO tester;"},
		"write":         {"COPY first TO '/tmp/copied';", "42501", 1, "GRANT pg_write_server_files TO tester;"},
		"role": {"CREATE TABLE a (b int);\n\nCREATE ROLE needs_new;", "42501", 3,
			"ALTER ROLE tester CREATEROLE;"},
		"event trigger": {noted + "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION noted();", "42501", 2,
			"master user"},
		"system":      {"ALTER SYSTEM SET work_mem = '8MB';", "42501", 1, "parameter group"},
		"tablespace":  {"CREATE TABLESPACE x LOCATION '/nowhere';", "42501", 1, "superuser"},
		"extension":   {"CREATE TABLE a (b int);\nCREATE EXTENSION file_fdw;", "42501", 2, "superuser"},
		"not offered": {"CREATE EXTENSION IF NOT EXISTS postgis;", "0A000", 1, "pg_available_extensions"},
		"parameter": {"SET session_replication_role = replica;\nINSERT INTO first VALUES ('a');", "42501", 1,
			"GRANT SET ON PARAMETER session_replication_role TO tester;"},
		"replication": {"CREATE ROLE r LOGIN REPLICATION;", "42501", 1, "rds_replication"},
		"publication": {"CREATE PUBLICATION p FOR ALL TABLES;", "42501", 1, "superuser"},
	} {
		w := world{files: map[string]string{"V1__a.sql": "CREATE TABLE first (a text);", "V2__x.sql": test.text}}
		for file, text := range w.files {
			y.write(file, text)
		}
		y.log.Reset()
		code := report.AccessDenied
		if test.state == "0A000" {
			code = report.BadRelease
		}
		rep := y.fails(code, migrate)
		if rep.Script != "V2__x.sql" || rep.Line != test.line || rep.SQLState != test.state ||
			!strings.Contains(rep.Next, test.next) {
			t.Errorf("%s: %s:%d %s %s\n%s", name, rep.Script, rep.Line, rep.SQLState, rep.Message, rep.Next)
		}
		y.equal(name+": starts and tables", fmt.Sprint(y.starts(), " ", y.text("SELECT to_regclass('first') IS NULL")),
			"0 true")
	}

	// The role may be another one by then, or have the right.
	y.write("V1__a.sql", "SET ROLE needs_boss;\nCREATE ROLE needs_new;\nRESET ROLE;")
	y.write("V2__x.sql", "DO $$ BEGIN IF false THEN CREATE ROLE another; END IF; END $$;\nSET ROLE "+
		"needs_boss;\nDROP ROLE needs_new;")
	y.equal("applied", scripts(y.ok(migrate).Applied), "V1__a.sql V2__x.sql")
	y.write("V3__y.sql", "SELECT 1;\nCREATE ROLE needs_new;")
	if rep := y.fails(report.MigrationFailed, migrate); rep.SQLState != "42501" || rep.Line != 2 {
		t.Error(rep.Message)
	}
	y.write("V3__y.sql", "SELECT 1;")
	y.write("beforeEachMigrate.sql", "SET ROLE needs_boss;")
	y.write("V4__z.sql", "CREATE ROLE needs_new;\nDROP ROLE needs_new;\nRESET ROLE;")
	y.ok(migrate)
}
