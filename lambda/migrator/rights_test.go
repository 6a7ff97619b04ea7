package migrator

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"slipway/lambda/database"
	"slipway/lambda/judge"
	"slipway/lambda/proof/pgtest"
	"slipway/lambda/sqltext"
	"slipway/lambda/workbench/postgres"
)

// The server is the judge of which statements it refuses to whom, before it
// looks at anything else.
func TestNeedsByTheServer(t *testing.T) {
	server := pgtest.Server(t)
	u, err := url.Parse(pgtest.NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	port, _ := strconv.Atoi(u.Port())
	admin, err := pgx.Connect(t.Context(), server.URLFor(postgres.Superuser, server.Password(), name))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(context.Background())
	roles := map[string]string{
		"need_none": "", "need_roles": "CREATEROLE REPLICATION", "need_bases": "CREATEDB BYPASSRLS",
		"need_super": "SUPERUSER",
		"need_files": "IN ROLE pg_read_server_files, pg_create_subscription", "need_rds": "IN ROLE rds_superuser",
	}
	for _, sql := range []string{"CREATE ROLE rds_superuser NOLOGIN", "CREATE DATABASE need_theirs"} {
		if _, err := admin.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for role, has := range roles {
		if _, err := admin.Exec(t.Context(), "CREATE ROLE "+role+" LOGIN PASSWORD 'x' "+has+
			"; GRANT CREATE ON SCHEMA public TO "+role); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := admin.Exec(t.Context(), `CREATE ROLE need_other; CREATE TABLE t (a text); GRANT ALL ON t TO PUBLIC;
		GRANT SET ON PARAMETER log_duration TO need_none; GRANT ALTER SYSTEM ON PARAMETER work_mem TO need_bases;
		GRANT need_other TO need_roles WITH ADMIN OPTION; REVOKE CREATE ON DATABASE `+name+` FROM PUBLIC;
		GRANT CREATE ON DATABASE `+name+` TO need_bases, need_files; CREATE EXTENSION citext;
		CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$`); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_, _ = admin.Exec(context.Background(), "DROP OWNED BY need_other, rds_superuser CASCADE; DROP ROLE "+
			"rds_superuser, need_other")
		_, _ = admin.Exec(context.Background(), "DROP DATABASE need_theirs")
		_, _ = admin.Exec(context.Background(), "ALTER SYSTEM RESET ALL")
		for role := range roles {
			_, _ = admin.Exec(context.Background(), "DROP OWNED BY "+role+" CASCADE; DROP ROLE "+role)
		}
	}()
	refused := 0
	for role := range roles {
		conn, err := database.Connect(t.Context(), database.Target{
			Host: u.Hostname(), Port: port, Name: name, User: role, Password: "x", TLS: database.TLS{Insecure: true},
		}, "needs", time.Second)
		if err != nil {
			t.Fatal(err)
		}
		db, err := pgx.Connect(t.Context(), server.URLFor(role, "x", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, sql := range []string{
			"COPY t FROM PROGRAM 'true'", `COPY "from" (a) FROM PROGRAM $$true$$`,
			"COPY (SELECT a FROM t) TO PROGRAM 'cat'", "COPY t TO '/nowhere/x'",
			"COPY t (a) FROM E'/nowhere/x' WITH (FORMAT csv)", "COPY BINARY t TO '/nowhere/x'",
			"copy t from '/nowhere/x'",
			"CREATE DATABASE need_new", "DROP DATABASE need_theirs_not", "DROP DATABASE IF EXISTS need_theirs_not",
			"DROP DATABASE need_theirs",
			"CREATE ROLE need_new", `CREATE USER "need_superuser" PASSWORD 'superuser'`, "CREATE GROUP need_new",
			"DROP ROLE IF EXISTS need_nobody", "DROP USER need_nobody",
			"CREATE ROLE need_new SUPERUSER", "CREATE ROLE need_new REPLICATION",
			"CREATE ROLE need_new WITH LOGIN BYPASSRLS", "CREATE ROLE need_new NOREPLICATION",
			"CREATE ROLE replication IN ROLE need_other", "CREATE ROLE superuser",
			"CREATE ROLE need_new ROLE need_other, replication",
			"ALTER ROLE need_other LOGIN", "ALTER ROLE need_other SET work_mem = '8MB'",
			"ALTER USER need_other RENAME TO need_third", "ALTER ROLE " + role + " SET work_mem = '8MB'",
			"ALTER ROLE " + role + " PASSWORD 'x'", "ALTER ROLE CURRENT_USER SET work_mem = '8MB'",
			"ALTER ROLE ALL SET work_mem = '8MB'", "ALTER ROLE \"" + role + "\" RESET ALL",
			"ALTER SYSTEM SET work_mem = '5MB'", "ALTER SYSTEM RESET work_mem", "ALTER SYSTEM RESET ALL",
			"ALTER SYSTEM SET nowhere.x = 1",
			"SET log_statement = 'all'", "SET LOCAL session_replication_role = replica",
			"SET SESSION Log_Duration TO on", "SET work_mem = '8MB'", "SET my.own = 1",
			"SET TIME ZONE 'UTC'", "SET LOCAL ROLE need_other", "SET TRANSACTION READ ONLY",
			"SET lc_messages TO DEFAULT", "SET plpgsql.extra_errors = 'none'",
			"SET CONSTRAINTS ALL IMMEDIATE", "SET NAMES 'UTF8'", `SET "log_statement" = 'all'`,
			"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
			"CREATE TABLESPACE need_space LOCATION '/nowhere'",
			"CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION noted()",
			"CREATE PUBLICATION p FOR ALL TABLES", "CREATE PUBLICATION p",
			"CREATE SUBSCRIPTION s CONNECTION 'dbname=x password=y' PUBLICATION p WITH (connect = false)",
			"CREATE FOREIGN DATA WRAPPER w", "CREATE ACCESS METHOD m TYPE INDEX HANDLER bthandler",
			"CREATE USER MAPPING FOR CURRENT_USER SERVER nowhere",
			"CREATE EXTENSION nowhere", `CREATE EXTENSION IF NOT EXISTS "uuid-ossp"`, "CREATE EXTENSION file_fdw",
			"CREATE EXTENSION IF NOT EXISTS citext", "CREATE EXTENSION citext",
			"CREATE EXTENSION hstore SCHEMA public", "CREATE EXTENSION nowhere VERSION '1.0'",
			"CREATE EXTENSION IF NOT EXISTS plpgsql", "CREATE EXTENSION pageinspect",
		} {
			needs, _ := judge.Needs(sql)
			if len(needs) > 1 {
				t.Fatal(sql, needs)
			}
			var says *database.Refusal
			for _, need := range needs {
				if says, err = conn.Refuses(t.Context(), string(need.Right), need.Of); err != nil {
					t.Fatal(sql, err)
				}
			}
			if says == nil && (strings.Contains(sql, "DATABASE need_") || strings.Contains(sql, "SUBSCRIPTION")) {
				continue // it would be done
			}
			answer := serverSays(t, db, sql)
			switch {
			case says != nil && (answer == nil || answer.Code != says.SQLState && answer.Code != "42704"):
				t.Errorf("%s: %s: refused (%s), and the server says %v", role, sql, says.Message, answer)
			case says == nil && answer != nil && answer.Code == "42501" && role != "need_rds" &&
				!leftToServer.MatchString(sql):
				t.Errorf("%s: %s: only the server refuses it: %v", role, sql, answer)
			case says != nil:
				refused++
			}
		}
		conn.Close()
		_ = db.Close(t.Context())
	}
	t.Logf("%d refused", refused)
}

// leftToServer are statements that depend on more than the role.
var leftToServer = regexp.MustCompile(`^(ALTER ROLE ALL|SET LOCAL ROLE|CREATE PUBLICATION p$|SET ")`)

// serverSays runs the statement and takes it back; outside a transaction where it has to be.
func serverSays(t *testing.T, db *pgx.Conn, sql string) *pgconn.PgError {
	t.Helper()
	var refused *pgconn.PgError
	var err error
	if sqltext.Split(sql)[0].OutsideTransaction() {
		_, err = db.Exec(t.Context(), sql)
	} else {
		_, _ = db.Exec(t.Context(), "BEGIN")
		_, err = db.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
		_, _ = db.Exec(t.Context(), "ROLLBACK")
	}
	errors.As(err, &refused)
	return refused
}
