//go:build faults

package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/report"
)

var attackSessionFaults = []fault{
	{"attack-planted-operator", "operators that another role put where PostgreSQL's are looked up: ACCESS_DENIED " +
		"names them, and nobody calls them", func(t *testbed) {
		t.migrated()
		t.two()
		t.asMaster()
		app, planter := t.planter()
		t.exec("GRANT CREATE ON SCHEMA public TO " + planter)
		for _, kind := range []string{"= name varchar", "~~* name name"} {
			f := strings.Fields(kind)
			name := map[string]string{"=": "same", "~~*": "like_it"}[f[0]]
			t.do(app, trap(planter, name+"("+f[1]+", "+f[2]+")", "boolean", "RETURN true"))
			t.do(app, "CREATE OPERATOR public."+f[0]+" (LEFTARG = "+f[1]+", RIGHTARG = "+f[2]+", FUNCTION = public."+
				name+")")
		}
		for _, command := range []string{"migrate", "repair"} {
			before := t.look()
			o := t.run(command)
			t.answered(o, report.AccessDenied, before)
			t.contains(problemsOf(o), "operator public.=(name,character varying) of "+planter,
				"operator public.~~*(name,name) of "+planter)
			t.notRisen(planter)
		}
		t.do(app, "DROP FUNCTION public.same, public.like_it CASCADE")
		t.next("2")
		t.notRisen(planter)
	}},
	{"attack-planted-function", "a function that matches the arguments of PostgreSQL's own better: ACCESS_DENIED " +
		"names it, and nobody calls it", func(t *testbed) {
		t.migrated()
		t.script("V2__index.sql", "CREATE INDEX CONCURRENTLY i2 ON t1 (id);")
		t.asMaster()
		app, planter := t.planter()
		t.exec("GRANT CREATE ON SCHEMA public TO " + planter)
		t.do(app, trap(planter, "format(text, name, name)", "text", "RETURN 'x'"))
		before := t.look()
		o := t.run("migrate")
		t.answered(o, report.AccessDenied, before)
		t.contains(problemsOf(o), "function public.format(text,name,name) of "+planter)
		t.notRisen(planter)
		t.do(app, "DROP FUNCTION public.format(text, name, name)")
		o = t.next("2")
		t.contains(strings.Join(o.Warnings, " "), planter+" may create objects in schema public")
		t.saw("it warns that the other role may create objects there")
		t.notRisen(planter)
	}},
	{"attack-schema-like-the-user", "a schema of another role that has the name of the run's role comes first in " +
		"its search path: no second history, and nothing in it is called", func(t *testbed) {
		t.migrated()
		t.two()
		t.asMaster()
		app, planter := t.planter()
		t.exec("DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO " + planter +
			"', current_database()); END $$")
		t.do(app, "CREATE SCHEMA "+t.role)
		before := t.look()
		o := t.run("migrate")
		t.answered(o, report.BadRequest, nil)
		t.contains(o.Message+o.Next, t.role, "public", "FLYWAY_DEFAULT_SCHEMA")
		t.unchanged(before)
		t.do(app, strings.Replace(trap(planter, "format(text, name, name)", "text", "RETURN 'x'"), "public.", t.role+
			".", 1))
		t.env["FLYWAY_DEFAULT_SCHEMA"] = "public"
		t.answered(t.run("migrate"), report.AccessDenied, before)
		t.notRisen(planter)
		t.do(app, "DROP SCHEMA "+t.role+" CASCADE")
		t.next("2")
	}},
	{"attack-trigger-on-the-history", "a trigger that another role put on the history would run with the rights of " +
		"the run: ACCESS_DENIED names it", func(t *testbed) {
		t.migrated()
		t.two()
		t.asMaster()
		app, planter := t.planter()
		t.exec("GRANT ALL ON ALL TABLES IN SCHEMA public TO " + planter + "; GRANT CREATE ON SCHEMA public TO " +
			planter)
		t.do(app, trap(planter, "noted()", "trigger", "RETURN NEW"))
		t.do(app, "CREATE TRIGGER noted BEFORE INSERT ON flyway_schema_history FOR EACH ROW EXECUTE FUNCTION noted()")
		before := t.look()
		o := t.run("migrate")
		t.answered(o, report.AccessDenied, nil)
		t.contains(problemsOf(o), "trigger noted on table", planter)
		t.unchanged(before)
		t.notRisen(planter)
		t.do(app, "DROP FUNCTION noted() CASCADE")
		t.next("2")
	}},
	{"attack-secret-in-another-session", "what another session runs is told by kind and tables: its texts, comments " +
		"and names are in no report and no log", func(t *testbed) {
		t.migrated()
		t.script("V2__alter.sql", "CREATE TABLE t2 (id int);\nALTER TABLE t1 ADD COLUMN more int;")
		app := t.session()
		t.do(app, "BEGIN")
		t.do(app, `/* s3cret */ UPDATE t1 SET name = E'\'s3cret' || $s3cret$ s3cret $s3cret$ || U&'s3cret' WHERE name <> 's3cret' AND id <> 1234567`)
		t.env["SLIPWAY_LOCK_WAIT"] = "1s"
		before := t.look()
		o := t.run("migrate")
		t.answered(o, report.Locked, before)
		t.blockedBy(o, app)
		text, err := json.Marshal(o.Report)
		t.must(err)
		for _, secret := range []string{"s3cret", "1234567"} {
			t.check(!strings.Contains(string(text)+o.log, secret), "%s is in the report or the log", secret)
		}
		t.check(o.Blockers[0].Query == "UPDATE on t1", "the statement is told as %q", o.Blockers[0].Query)
		t.saw("“%s”", o.Blockers[0].Query)
		t.do(app, "COMMIT")
		t.next("2")
	}},
}

// asMaster gives the run's role all rights, so that what is called with them
// could take them.
func (t *testbed) asMaster() { t.exec("ALTER ROLE " + t.role + " SUPERUSER") }

// planter is a role that may do nothing but what it is granted, and its session.
func (t *testbed) planter() (*pgx.Conn, string) {
	name := fmt.Sprintf("planter_%d", t.number)
	t.must(t.server.CreateRole(t.ctx, name, name))
	c, err := pgx.Connect(t.ctx, t.server.URLFor(name, name, t.database))
	t.must(err)
	t.mine[c.PgConn().PID()] = true
	t.Cleanup(func() { c.Close(context.Background()) })
	return c, name
}

// trap is a function in the schema public that makes the role a superuser, if
// whoever calls it may do that.
func trap(role, signature, returns, end string) string {
	return "CREATE FUNCTION public." + signature + " RETURNS " + returns +
		" LANGUAGE plpgsql AS $f$ BEGIN BEGIN ALTER ROLE " + role +
		" SUPERUSER; EXCEPTION WHEN OTHERS THEN NULL; END; " + end + "; END $f$"
}

func (t *testbed) notRisen(role string) {
	t.check(t.ask("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = $1", role) == "false",
		"%s is a superuser now", role)
}

func problemsOf(o *outcome) string {
	var list []string
	for _, p := range o.Problems {
		list = append(list, p.String())
	}
	return strings.Join(list, "; ")
}
