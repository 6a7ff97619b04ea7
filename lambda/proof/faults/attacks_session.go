package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/report"
)

var attackSessionFaults = []fault{
	{"attack-planted-operator", "operators that another role put where PostgreSQL's are looked up: ACCESS_DENIED names them, and nobody calls them", func(l *lab) {
		l.migrated()
		l.two()
		l.asMaster()
		app, planter := l.planter()
		l.exec("GRANT CREATE ON SCHEMA public TO " + planter)
		for _, kind := range []string{"= name varchar", "~~* name name"} {
			f := strings.Fields(kind)
			name := map[string]string{"=": "same", "~~*": "like_it"}[f[0]]
			l.do(app, trap(planter, name+"("+f[1]+", "+f[2]+")", "boolean", "RETURN true"))
			l.do(app, "CREATE OPERATOR public."+f[0]+" (LEFTARG = "+f[1]+", RIGHTARG = "+f[2]+", FUNCTION = public."+name+")")
		}
		for _, command := range []string{"migrate", "repair"} {
			before := l.look()
			o := l.run(command)
			l.answered(o, report.AccessDenied, before)
			l.contains(problemsOf(o), "operator public.=(name,character varying) of "+planter, "operator public.~~*(name,name) of "+planter)
			l.notRisen(planter)
		}
		l.do(app, "DROP FUNCTION public.same, public.like_it CASCADE")
		l.next("2")
		l.notRisen(planter)
	}},
	{"attack-planted-function", "a function that matches the arguments of PostgreSQL's own better: ACCESS_DENIED names it, and nobody calls it", func(l *lab) {
		l.migrated()
		l.script("V2__index.sql", "CREATE INDEX CONCURRENTLY i2 ON t1 (id);")
		l.asMaster()
		app, planter := l.planter()
		l.exec("GRANT CREATE ON SCHEMA public TO " + planter)
		l.do(app, trap(planter, "format(text, name, name)", "text", "RETURN 'x'"))
		before := l.look()
		o := l.run("migrate")
		l.answered(o, report.AccessDenied, before)
		l.contains(problemsOf(o), "function public.format(text,name,name) of "+planter)
		l.notRisen(planter)
		l.do(app, "DROP FUNCTION public.format(text, name, name)")
		o = l.next("2")
		l.contains(strings.Join(o.Warnings, " "), planter+" may create objects in schema public")
		l.saw("it warns that the other role may create objects there")
		l.notRisen(planter)
	}},
	{"attack-schema-like-the-user", "a schema of another role that has the name of the run's role comes first in its search path: no second history, and nothing in it is called", func(l *lab) {
		l.migrated()
		l.two()
		l.asMaster()
		app, planter := l.planter()
		l.exec("DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO " + planter + "', current_database()); END $$")
		l.do(app, "CREATE SCHEMA "+l.role)
		before := l.look()
		o := l.run("migrate")
		l.answered(o, report.BadRequest, nil)
		l.contains(o.Message+o.Next, l.role, "public", "FLYWAY_DEFAULT_SCHEMA")
		l.unchanged(before)
		l.do(app, strings.Replace(trap(planter, "format(text, name, name)", "text", "RETURN 'x'"), "public.", l.role+".", 1))
		l.env["FLYWAY_DEFAULT_SCHEMA"] = "public"
		l.answered(l.run("migrate"), report.AccessDenied, before)
		l.notRisen(planter)
		l.do(app, "DROP SCHEMA "+l.role+" CASCADE")
		l.next("2")
	}},
	{"attack-trigger-on-the-history", "a trigger that another role put on the history would run with the rights of the run: ACCESS_DENIED names it", func(l *lab) {
		l.migrated()
		l.two()
		l.asMaster()
		app, planter := l.planter()
		l.exec("GRANT ALL ON ALL TABLES IN SCHEMA public TO " + planter + "; GRANT CREATE ON SCHEMA public TO " + planter)
		l.do(app, trap(planter, "noted()", "trigger", "RETURN NEW"))
		l.do(app, "CREATE TRIGGER noted BEFORE INSERT ON flyway_schema_history FOR EACH ROW EXECUTE FUNCTION noted()")
		before := l.look()
		o := l.run("migrate")
		l.answered(o, report.AccessDenied, nil)
		l.contains(problemsOf(o), "trigger noted on table", planter)
		l.unchanged(before)
		l.notRisen(planter)
		l.do(app, "DROP FUNCTION noted() CASCADE")
		l.next("2")
	}},
	{"attack-secret-in-another-session", "what another session runs is told by kind and tables: its texts, comments and names are in no report and no log", func(l *lab) {
		l.migrated()
		l.script("V2__alter.sql", "CREATE TABLE t2 (id int);\nALTER TABLE t1 ADD COLUMN more int;")
		app := l.session()
		l.do(app, "BEGIN")
		l.do(app, `/* s3cret */ UPDATE t1 SET name = E'\'s3cret' || $s3cret$ s3cret $s3cret$ || U&'s3cret' WHERE name <> 's3cret' AND id <> 1234567`)
		l.env["SLIPWAY_LOCK_WAIT"] = "1s"
		before := l.look()
		o := l.run("migrate")
		l.answered(o, report.Locked, before)
		l.blockedBy(o, app)
		text, err := json.Marshal(o.Report)
		l.must(err)
		for _, secret := range []string{"s3cret", "1234567"} {
			l.check(!strings.Contains(string(text)+o.log, secret), "%s is in the report or the log", secret)
		}
		l.check(o.Blockers[0].Query == "UPDATE on t1", "the statement is told as %q", o.Blockers[0].Query)
		l.saw("“%s”", o.Blockers[0].Query)
		l.do(app, "COMMIT")
		l.next("2")
	}},
}

// asMaster gives the run's role all rights, so that what is called with them
// could take them.
func (l *lab) asMaster() { l.exec("ALTER ROLE " + l.role + " SUPERUSER") }

// planter is a role that may do nothing but what it is granted, and its session.
func (l *lab) planter() (*pgx.Conn, string) {
	name := fmt.Sprintf("planter_%d", l.number)
	l.must(l.server.CreateRole(l.ctx, name, name))
	c, err := pgx.Connect(l.ctx, l.server.URLFor(name, name, l.database))
	l.must(err)
	l.mine[c.PgConn().PID()] = true
	l.later(func() { c.Close(context.Background()) })
	return c, name
}

// trap is a function in the schema public that makes the role a superuser, if
// whoever calls it may do that.
func trap(role, signature, returns, end string) string {
	return "CREATE FUNCTION public." + signature + " RETURNS " + returns + " LANGUAGE plpgsql AS $f$ BEGIN BEGIN ALTER ROLE " + role +
		" SUPERUSER; EXCEPTION WHEN OTHERS THEN NULL; END; " + end + "; END $f$"
}

func (l *lab) notRisen(role string) {
	l.check(l.ask("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = $1", role) == "false", "%s is a superuser now", role)
}

func problemsOf(o *outcome) string {
	var list []string
	for _, p := range o.Problems {
		list = append(list, p.String())
	}
	return strings.Join(list, "; ")
}
