package migrator_test

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"slipway/lambda/migrator"
	"slipway/lambda/proof/pgtest"
	"slipway/lambda/report"
)

// as is the yard's database seen by another role.
func (y *yard) as(user *url.Userinfo) *yard {
	y.Helper()
	u, err := url.Parse(y.url)
	if err != nil {
		y.Fatal(err)
	}
	u.User = user
	other := *y
	other.url = u.String()
	return &other
}

// super is the yard's database seen by the superuser.
func (y *yard) super() *yard {
	y.Helper()
	u, err := url.Parse(y.url)
	if err != nil {
		y.Fatal(err)
	}
	other := *y
	other.url = pgtest.Server(y.T).URL(strings.TrimPrefix(u.Path, "/"))
	return &other
}

// stranger is a role that may make objects in the schema public and in the
// database, and nothing else.
func (y *yard) stranger(name string) *yard {
	y.Helper()
	if err := pgtest.Server(y.T).CreateRole(y.Context(), name, "p"); err != nil {
		y.Fatal(err)
	}
	y.super().exec(fmt.Sprintf(`GRANT CREATE ON SCHEMA public TO %[1]s;
		DO $$ BEGIN EXECUTE pg_catalog.format('GRANT CREATE ON DATABASE %%I TO %[1]s', current_database()); END $$`, name))
	return y.as(url.UserPassword(name, "p"))
}

// plant lays the traps of testdata/plant.sql in a schema.
func (y *yard) plant(schema string) {
	y.Helper()
	text, err := os.ReadFile("testdata/plant.sql")
	if err != nil {
		y.Fatal(err)
	}
	y.exec(fmt.Sprintf("SET planted.schema = '%s'; ", schema) + string(text))
}

// calls is how often a trap was called.
func (y *yard) calls() string {
	y.Helper()
	return y.super().text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM trap.calls")
}

const traps = `CREATE SCHEMA trap; CREATE SEQUENCE trap.calls; GRANT USAGE ON SCHEMA trap TO PUBLIC; GRANT ALL ON SEQUENCE trap.calls TO PUBLIC`

// Traps that the run's role owns itself are no reason to refuse a run. None of
// the SQL of our own falls into them, in revert neither before nor after an
// undo script that takes the path and the role back.
func TestOwnSQLFallsIntoNoTrap(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{
		"V1__a.sql": "CREATE TABLE a (id int);", "U1__a.sql": "DROP TABLE a;",
		"V2__b.sql": "CREATE TABLE b (id int);", "U2__b.sql": "RESET ALL;\nSET search_path = public, " +
			"pg_catalog;\nDROP TABLE b;\nRESET ROLE;",
		"V3__c.sql": "CREATE TABLE c (id int);", "U3__c.sql": "DROP TABLE c;",
		"U3__c.sql.conf": "executeInTransaction=false\n",
		"R__v.sql":       "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;",
	})
	y.prime()
	y.super().exec(traps)
	y.plant("public")
	for _, command := range []string{"info", "validate", "migrate"} {
		y.ok(migrator.Request{Command: command})
	}
	y.ok(migrator.Request{Command: "revert", To: "0", DryRun: true})
	rep := y.revert("0")
	if len(rep.Reverted) != 3 {
		t.Errorf("reverted: %+v", rep.Reverted)
	}
	y.equal("calls", y.calls(), "0")
}

// What a stranger planted is called by nobody: not by Slipway, and not by
// Flyway, which is not started then.
func TestWhatOthersPlantedIsNotCalled(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);", "U1__a.sql": "DROP TABLE a;"})
	y.super().exec(traps)
	home := y.super()
	home.prime()
	y.write("V2__b.sql", "CREATE TABLE b (id int);")
	y.write("V3__i.sql", "CREATE INDEX CONCURRENTLY i ON a (id);")
	planter := y.stranger("planter")
	planter.plant("public")
	u, _ := url.Parse(home.url)
	user := u.User.Username()
	all := []migrator.Request{
		{Command: "migrate"}, {Command: "repair"}, {Command: "revert", Steps: 1}, {Command: "baseline", Target: "1"},
	}
	refused := func() {
		t.Helper()
		for _, req := range all {
			rep := home.fails(report.AccessDenied, req)
			if len(rep.Problems) == 0 || rep.FlywayVersion != "" || len(rep.Applied) > 0 {
				t.Errorf("%s: %+v", req.Command, rep)
			}
			contains(t, "problems", fmt.Sprint(rep.Problems), "of planter")
		}
	}
	refused()
	home.ok(migrator.Request{Command: "info"})
	home.config.FastPath = false
	home.fails(report.ValidationFailed, migrator.Request{Command: "validate"})
	all = append(all, migrator.Request{Command: "info"})
	refused()

	// A schema that has the name of the run's role comes first in its path.
	planter.exec(`CREATE SCHEMA "` + user + `"`)
	planter.plant(user)
	rep := home.fails(report.BadRequest, migrate)
	contains(t, "message", rep.Message+rep.Next, "public", user, "FLYWAY_DEFAULT_SCHEMA", "flyway.defaultSchema")
	home.config.Schema = "public"
	y.super().exec("DO $$ BEGIN EXECUTE 'DROP OWNED BY planter' ; END $$; GRANT CREATE ON SCHEMA public TO planter; " +
		"CREATE SCHEMA \"" + user + `" AUTHORIZATION planter`)
	planter.plant(user)
	refused()
	y.equal("calls", y.calls(), "0")
	y.equal("superusers", y.super().text("SELECT rolsuper FROM pg_roles WHERE rolname = 'planter'"), "false")
}

// Which objects keep a run from being started, and which do not.
func TestWhoMayOwnWhatLooksLikePostgreSQLs(t *testing.T) {
	t.Parallel()
	const history = "CREATE TABLE flyway_schema_history (installed_rank int, script text); " +
		"CREATE FUNCTION public.f() RETURNS text IMMUTABLE LANGUAGE sql AS $f$SELECT 'x'::text$f$; " +
		"CREATE FUNCTION public.t() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
	const function = "CREATE FUNCTION public.lower(name) RETURNS name LANGUAGE sql AS 'SELECT $1'"
	for name, c := range map[string]struct {
		by      string // stranger, run, super, member
		sql     string
		path    string
		refused string
	}{
		"function of a stranger":  {by: "stranger", sql: function, refused: "function public.lower(name) of "},
		"function of the run":     {by: "run", sql: function},
		"function of a superuser": {by: "super", sql: function},
		"function of a member":    {by: "member", sql: function},
		"function of a master of RDS": {by: "super",
			sql: "CREATE ROLE rdsadmin SUPERUSER; CREATE ROLE rds_superuser; " + function +
				"; ALTER FUNCTION public.lower(name) OWNER TO rds_superuser"},
		"operator of a stranger": {by: "stranger", refused: "operator public.=(name,character varying)",
			sql: "CREATE FUNCTION public.f(name, varchar) RETURNS bool LANGUAGE sql AS 'SELECT true'; CREATE " +
				"OPERATOR public.= (LEFTARG = name, RIGHTARG = varchar, FUNCTION = public.f)"},
		"function of another name": {by: "stranger",
			sql: "CREATE FUNCTION public.mine(name) RETURNS name LANGUAGE sql AS 'SELECT $1'"},
		"aggregate of a stranger": {by: "stranger", refused: "public.max(",
			sql: "CREATE AGGREGATE public.max(bool) (SFUNC = booland_statefunc, STYPE = bool)"},
		"in a schema off the path": {by: "stranger",
			sql: "CREATE SCHEMA apart; CREATE FUNCTION apart.lower(name) RETURNS name LANGUAGE sql AS 'SELECT $1'"},
		"table found after PostgreSQL's": {by: "stranger", sql: "CREATE TABLE public.pg_class (relname name)"},
		"table found before PostgreSQL's": {by: "stranger", sql: "CREATE TABLE public.pg_class (relname name)",
			path: "public, pg_catalog", refused: "table or view public.pg_class"},
		"type found before PostgreSQL's": {by: "stranger", sql: "CREATE DOMAIN public.text AS pg_catalog.text",
			path: "public, pg_catalog", refused: "type public.text"},
		"history that is a view": {by: "stranger", refused: "it is no table",
			sql: "CREATE VIEW public.flyway_schema_history AS SELECT 1 AS installed_rank"},
		"history with a default": {by: "stranger", sql: history +
			"ALTER TABLE flyway_schema_history ALTER script SET DEFAULT public.f()", refused: "function public.f()"},
		"history with a check": {by: "stranger", sql: history +
			"ALTER TABLE flyway_schema_history ADD CHECK (public.f() <> script)", refused: "function public.f()"},
		"history with an index": {by: "stranger", sql: history + "CREATE INDEX ON flyway_schema_history (public.f())",
			refused: "function public.f()"},
		"history with a policy": {by: "stranger", sql: history +
			"CREATE POLICY p ON flyway_schema_history USING (public.f() = 'x')", refused: "function public.f()"},
		"history with a rule": {by: "stranger", sql: history +
			"CREATE RULE r AS ON INSERT TO flyway_schema_history DO ALSO SELECT public.f()",
			refused: "function public.f()"},
		"history with a domain": {by: "stranger", sql: "CREATE DOMAIN d AS int; CREATE TABLE flyway_schema_history " +
			"(installed_rank d)", refused: "type public.d"},
		"history with a trigger": {by: "stranger", sql: history +
			"CREATE TRIGGER t BEFORE INSERT ON flyway_schema_history EXECUTE FUNCTION public.t()",
			refused: "function public.t()"},
		"history with a deferred trigger": {by: "stranger", refused: "function public.t()",
			sql: history + "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON flyway_schema_history DEFERRABLE FOR EACH " +
				"ROW EXECUTE FUNCTION public.t()"},
		"history with an operator": {by: "stranger", refused: "operator public.#&#(text,text)",
			sql: history + "CREATE FUNCTION same(text, text) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS 'BEGIN " +
				"RETURN true; END'; CREATE OPERATOR #&# (LEFTARG = text, RIGHTARG = text, FUNCTION = same); ALTER " +
				"TABLE flyway_schema_history ADD CHECK (script #&# 'x')"},
		"extension of a superuser":                    {by: "super", sql: "CREATE EXTENSION citext SCHEMA public"},
		"extension of a stranger with what it brings": {by: "stranger", sql: "CREATE EXTENSION citext SCHEMA public"},
		"extension of a stranger with more": {by: "stranger", refused: "function public.lower(name) of ",
			sql: "CREATE EXTENSION citext SCHEMA public; " + function +
				"; ALTER EXTENSION citext ADD FUNCTION public.lower(name)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);"})
			y.config.Baseline = "0"
			role := "r" + strings.Map(func(c rune) rune {
				if c >= 'a' && c <= 'z' {
					return c
				}
				return '_'
			}, strings.ToLower(name))
			author := map[string]*yard{"run": y, "super": y.super()}[c.by]
			if author == nil {
				author = y.stranger(role)
			}
			if c.by == "member" {
				y.super().exec("GRANT " + pgtest.User + " TO " + role)
			}
			author.exec(c.sql)
			if c.path != "" {
				y.super().exec("DO $$ BEGIN EXECUTE pg_catalog.format('ALTER DATABASE %I SET search_path = " + c.path +
					"', current_database()); END $$")
			}
			if c.refused == "" {
				rep := y.ok(migrate)
				if warned := strings.Contains(strings.Join(rep.Warnings, "\n"), role+
					" may create objects in schema public"); warned != (c.by == "stranger") {
					t.Errorf("warnings: %q", rep.Warnings)
				}
				return
			}
			rep := y.fails(report.AccessDenied, migrate)
			contains(t, "problems", fmt.Sprint(rep.Problems), c.refused, role)
		})
	}
}

// Who was granted ALL on the history can make a trigger there. It would run
// with the rights of whoever writes the history next.
func TestTriggerOfOthersOnTheHistory(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int);", "U1__a.sql": "DROP TABLE a;"})
	y.prime()
	y.super().exec(traps)
	other := y.stranger("trigger_maker")
	y.exec("GRANT ALL ON ALL TABLES IN SCHEMA public TO trigger_maker")
	y.write("V2__b.sql", "CREATE TABLE b (id int);")
	rep := y.ok(migrate)
	contains(t, "warnings", strings.Join(rep.Warnings, "\n"), "trigger_maker may put a trigger on the history")
	other.exec(`CREATE FUNCTION public.noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM nextval(''trap.calls''); RETURN NEW; END';
		CREATE TRIGGER noted BEFORE INSERT ON flyway_schema_history FOR EACH ROW EXECUTE FUNCTION public.noted()`)
	y.write("V3__c.sql", "CREATE TABLE c (id int);")
	for _, req := range []migrator.Request{{Command: "migrate"}, {Command: "info"}, {Command: "revert", Steps: 1}} {
		rep := y.fails(report.AccessDenied, req)
		contains(t, "problems", rep.Message+fmt.Sprint(rep.Problems), "trigger noted on table", "trigger_maker")
	}
	y.equal("calls", y.calls(), "0")
}

// What a commit fires belongs to the undo script, and has its search path.
func TestDeferredTriggerHasTheScriptsPath(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{
		"V1__a.sql": `CREATE TABLE a (id int);
CREATE TABLE seen (path text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO seen VALUES (current_setting(''search_path'')); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note();`,
		"V2__b.sql": "CREATE TABLE b (id int);", "U2__b.sql": "INSERT INTO a VALUES (1);\nDROP TABLE b;",
	})
	y.prime()
	y.revert("1")
	y.equal("path at the commit", y.text("SELECT path FROM seen"), `"public","$user", public`)
}
