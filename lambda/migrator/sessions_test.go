package migrator_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/proof/pgtest"
	"slipway/lambda/report"
)

func asSuperuser(t *testing.T, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), pgtest.Server(t).URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// stateOf makes a table of how a script finds its session.
func stateOf(table string) string {
	return fmt.Sprintf(`CREATE TABLE %s AS SELECT current_user::text AS who, session_user::text AS logged_in, current_setting('search_path') AS path,
	(SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings WHERE source IN ('session', 'client') AND name NOT IN ('lock_timeout', 'statement_timeout')) AS settings,
	current_setting('lock_timeout') AS lock_timeout, coalesce(current_setting('app.tenant', true), '') AS tenant, current_setting('transaction_isolation') AS isolation,
	(SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()) AS temporary, (SELECT count(*) FROM pg_prepared_statements WHERE from_sql AND name NOT LIKE 'slipway%%') AS prepared,
	(SELECT count(*) FROM pg_listening_channels()) AS channels, (SELECT count(*) FROM pg_cursors WHERE is_holdable) AS cursors,
	(SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory') AS locks;
`, table)
}

// leaks are what scripts do to their sessions, and how the report names it.
var leaks = map[string][]string{
	"SET timezone = 'Europe/Berlin'; SET row_security = off; SET client_min_messages = warning;":                    {"setting TimeZone", "setting row_security", "setting client_min_messages"},
	"SELECT set_config('search_path', '', false);":                                                                  {"setting search_path"},
	"SET search_path = nowhere, pg_catalog; SET lock_timeout = 0;":                                                  {"setting search_path", "setting lock_timeout"},
	"SET lock_timeout = '1ms'; SET statement_timeout = '1d'; SET idle_in_transaction_session_timeout = 0":           {"setting lock_timeout", "setting statement_timeout"},
	"SET default_transaction_read_only = on;":                                                                       {"setting default_transaction_read_only"},
	"SET default_transaction_isolation = 'serializable'; SET default_transaction_deferrable = on;":                  {"setting default_transaction_isolation"},
	"SET standard_conforming_strings = off; SET check_function_bodies = off; SET xmloption = content;":              {"setting standard_conforming_strings"},
	"SET app.tenant = 'acme'; SELECT set_config('app.other', 'x', false);":                                          {"setting app.tenant", "setting app.other"},
	"CREATE TEMP TABLE t (id int); CREATE TEMP VIEW v AS SELECT * FROM t;":                                          {"temporary table t", "temporary table v"},
	"PREPARE p AS SELECT 1; DECLARE c CURSOR WITH HOLD FOR SELECT 1;":                                               {"prepared statement p", "cursor c"},
	"SELECT pg_advisory_lock(1), pg_advisory_lock(1), pg_advisory_lock_shared(-5), pg_advisory_lock(-1, 7);":        {"advisory lock"},
	"DO $$BEGIN EXECUTE 'SELECT pg_advisory_' || 'unlock_all()'; END$$;":                                            {"Flyway's own lock"},
	"DO 'BEGIN SET ROLE pg_monitor; END';":                                                                          {"role"},
	"SET ROLE pg_monitor;":                                                                                          {"role"},
	"RESET ALL;":                                                                                                    nil,
	"SET LOCAL timezone = 'Asia/Tokyo'; SET LOCAL lock_timeout = '2s'; SELECT set_config('app.tenant', 'x', true);": nil,
	"CREATE TEMP TABLE t ON COMMIT DROP AS SELECT 1;":                                                               nil,
	"SET ROLE pg_monitor; RESET ROLE;":                                                                              nil,
}

func TestEachScriptFindsTheSessionOfANewOne(t *testing.T) {
	t.Parallel()
	for _, mixed := range []bool{false, true} {
		files, wants, names := map[string]string{"V1__first.sql": stateOf("first")}, map[string][]string{}, []string{}
		version := 1
		for leak, want := range leaks {
			version += 3
			name := fmt.Sprintf("V%d__leak.sql", version)
			files[name], wants[name] = leak, want
			if mixed {
				files[fmt.Sprintf("V%d__index.sql", version+1)] = "CREATE INDEX CONCURRENTLY ON first (who);"
			}
			after := fmt.Sprintf("after_%d", version)
			files[fmt.Sprintf("V%d__after.sql", version+2)] = stateOf(after)
			names = append(names, after)
		}
		y := newYard(t, files)
		asSuperuser(t, "GRANT pg_monitor TO "+pgtest.User)
		rep := y.ok(migrate)
		for _, table := range names {
			y.equal(table+" differs from the first one",
				y.text("SELECT (SELECT row_to_json(a)::text FROM "+table+" a)"),
				y.text("SELECT (SELECT row_to_json(a)::text FROM first a)"))
		}
		y.equal("lock_timeout", y.text("SELECT lock_timeout FROM first"), "5s")
		for name, want := range wants {
			told := ""
			for _, w := range rep.Warnings {
				if strings.HasPrefix(w, name+" ") {
					told += w
				}
			}
			if want == nil && told != "" {
				t.Errorf("%q: %s", files[name], told)
			}
			for _, what := range want {
				if !strings.Contains(told, what) {
					t.Errorf("%q: %q lacks %q", files[name], told, what)
				}
			}
		}
		if rep = y.ok(migrate); len(rep.Applied) > 0 || rep.Code != report.OK {
			t.Errorf("a second run: %+v", rep)
		}
	}
}
