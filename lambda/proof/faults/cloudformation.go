package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/event"
	"slipway/lambda/migrator"
	"slipway/lambda/report"
	"slipway/lambda/serve"
)

var eventFaults = []fault{
	{"event-twice", "the same event again is a success that changes nothing, with the same resource id", func(l *lab) {
		l.one()
		l.two()
		e := l.serve()
		first := l.deployed(e.invoke(create), "2")
		again := l.deployed(e.invoke(create), "2")
		l.check(first.Data["Applied"] == "2" && again.Data["Applied"] == "0", "applied %s, then %s", first.Data["Applied"], again.Data["Applied"])
		l.check(first.PhysicalResourceID == again.PhysicalResourceID, "the ids differ")
		e.stop()
		l.nothingLeft()
		l.saw("2 applied, then 0, one id")
	}},
	{"events-at-once", "20 deliveries at once, each to a sandbox of its own: all succeed, each script is applied once", func(l *lab) {
		l.one()
		l.two()
		var endpoints []*endpoint
		for range 20 {
			endpoints = append(endpoints, l.serve())
		}
		bodies := make(chan []byte, 20)
		for _, e := range endpoints {
			go func() {
				body, _, err := e.post(create)
				if err != nil {
					body = []byte(fmt.Sprintf(`{"ErrorType":"none","ErrorMessage":%q}`, err))
				}
				bodies <- body
			}()
		}
		applied := 0
		for range endpoints {
			a := l.deployed(l.reply(<-bodies, 0), "2")
			if a.Data["Applied"] == "2" {
				applied++
			}
		}
		l.check(applied == 1, "%d of them applied scripts", applied)
		for _, e := range endpoints {
			e.stop()
		}
		l.nothingLeft()
		l.saw("20 successes, one of them applied 2 scripts")
	}},
	{"event-behind-another-run", "an event waits for another run until its own deadline, then looks again: nothing pending is a success, otherwise LOCKED names the other", func(l *lab) {
		l.migrated()
		app := l.session()
		l.do(app, fmt.Sprintf("SELECT pg_advisory_lock(%d)", database.RunLock(database.Table{Schema: "public", Name: "flyway_schema_history"})))
		sandbox := l.lambda()
		limit := 5 * time.Second
		l.deployed(sandbox.invoke(update(2, 1), limit), "1")
		l.saw("with nothing pending a success at the deadline")
		l.two()
		a := sandbox.invoke(update(2, 1), limit)
		l.failedWith(a, "LOCKED", fmt.Sprintf("held by pid %d, user shop", app.PgConn().PID()))
		l.do(app, "SELECT pg_advisory_unlock_all()")
		l.nothingLeft(sandbox.pid())
		l.deployed(sandbox.invoke(update(2, 1), l.limit), "2")
		l.saw("the next event completes at 2")
	}},
	{"update-unchanged", "an Update with nothing pending succeeds without starting Flyway", func(l *lab) {
		l.migrated()
		e := l.serve()
		a := l.deployed(e.invoke(update(2, 1)), "1")
		l.check(a.Data["Applied"] == "0" && !strings.Contains(e.err.String(), "starting Flyway"), "applied %s", a.Data["Applied"])
		e.stop()
		l.nothingLeft()
		l.saw("0 applied, Flyway not started")
	}},
	{"rollback-after-success", "the older release succeeds at once and touches nothing", func(l *lab) {
		l.one()
		l.two()
		e := l.serve()
		l.deployed(e.invoke(update(2, 1)), "2")
		l.must(l.remove("V2__two.sql"))
		l.rolledBack(e)
	}},
	{"rollback-after-failure", "the failed Update names script and line; its rollback succeeds", func(l *lab) {
		l.one()
		l.script("V2__bad.sql", "CREATE TABLE t2 (id int);\nSELECT 1/0;")
		e := l.serve()
		l.failedWith(e.invoke(update(2, 1)), "MIGRATION_FAILED in V2__bad.sql line 2 (SQLSTATE 22012)", "Applied before it: 1")
		l.rolledBack(e)
		l.script("V2__bad.sql", "CREATE TABLE t2 (id int);")
		l.next("2")
	}},
	{"rollback-after-non-transactional", "the failed Update names the way on; its rollback succeeds although a failed row stands in the history", func(l *lab) {
		l.migrated()
		l.exec("INSERT INTO t1 VALUES (1, 'twice')")
		l.script("V2__index.sql", "CREATE UNIQUE INDEX CONCURRENTLY i2 ON t1 (id);")
		e := l.serve()
		l.failedWith(e.invoke(update(2, 1)), "MIGRATION_FAILED in V2__index.sql", "DROP INDEX CONCURRENTLY public.i2", "slipway repair")
		l.rolledBack(e)
	}},
	{"rollback-with-changed-repeatable", "the older text of a repeatable script is not run", func(l *lab) {
		l.one()
		l.script("R__view.sql", "CREATE OR REPLACE VIEW v AS SELECT id FROM t1;")
		l.completes("1")
		l.seen = nil
		l.script("R__view.sql", "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT name FROM t1;")
		e := l.serve()
		l.deployed(e.invoke(update(2, 1)), "1")
		l.script("R__view.sql", "CREATE OR REPLACE VIEW v AS SELECT id FROM t1;")
		l.rolledBack(e)
		l.contains(l.ask("SELECT pg_get_viewdef('v'::regclass)"), "name")
		l.saw("the view stays the newer one")
	}},
	{"rollback-without-database-and-secret", "a rollback succeeds with neither to be had", func(l *lab) {
		l.gone()
		e := l.serve()
		a := e.invoke(update(1, 2))
		l.check(a.ErrorType == "" && a.Data["SchemaVersion"] == "unchanged", "%s %s %v", a.ErrorType, a.ErrorMessage, a.Data)
		e.stop()
		l.saw("success, “%s”", a.Data["Message"])
	}},
	{"create-fails-then-delete", "the Delete after a failed Create succeeds and leaves the database alone", func(l *lab) {
		l.one()
		l.script("V2__bad.sql", "CREATE TABLE t2 (id int);\nSELECT 1/0;")
		e := l.serve()
		l.failedWith(e.invoke(create), "MIGRATION_FAILED in V2__bad.sql line 2")
		before := l.look()
		a := e.invoke(remove)
		l.check(a.ErrorType == "" && a.PhysicalResourceID == "chosen-by-the-framework", "%s %s", a.ErrorType, a.PhysicalResourceID)
		l.unchanged(before)
		e.stop()
		l.nothingLeft()
		l.saw("Create MIGRATION_FAILED, Delete a success; version 1 stays")
	}},
	{"delete-with-all-gone", "a Delete succeeds without database, secret and network", func(l *lab) {
		l.gone()
		e := l.serve()
		a := e.invoke(remove)
		l.check(a.ErrorType == "" && a.PhysicalResourceID != "", "%s %s", a.ErrorType, a.ErrorMessage)
		e.stop()
		l.saw("success, no call made")
	}},
	{"answer-too-large", "an answer stays below 4,096 bytes, whatever was applied", func(l *lab) {
		for i := 1; i <= 80; i++ {
			l.script(fmt.Sprintf("V%d__%s.sql", i, strings.Repeat("long_name_", 9)), fmt.Sprintf("CREATE TABLE t%d (id int);", i))
		}
		e := l.serve()
		a := l.deployed(e.invoke(create), "80")
		l.check(len(a.body) < 3500 && a.Data["Applied"] == "80", "%d bytes, %s applied", len(a.body), a.Data["Applied"])
		e.stop()
		l.nothingLeft()
		l.saw("80 applied, answer under 3,500 bytes")
	}},
	{"reason-too-large", "a failure's reason stays below 2,048 bytes and keeps script, line and next step", func(l *lab) {
		l.script("V1__bad.sql", "DO $$ BEGIN RAISE EXCEPTION '%', repeat('é', 20000); END $$;")
		e := l.serve()
		a := e.invoke(create)
		l.failedWith(a, "MIGRATION_FAILED in V1__bad.sql line 1", "Next:")
		l.check(len(a.ErrorMessage) <= 2048, "%d bytes", len(a.ErrorMessage))
		e.stop()
		l.nothingLeft()
	}},
	{"panic", "a defect of the handler is a function error INTERNAL; the next event is answered", func(l *lab) {
		// Built in here: the real core has no way to be made to panic.
		e := &endpoint{process: &process{l: l}}
		log := slog.New(slog.NewTextHandler(&e.err, nil))
		server := &serve.Server{Handler: event.Handler{Runner: panicking{}, Log: log}, Timeout: l.limit, Log: log}
		ctx, cancel := context.WithCancel(l.ctx)
		defer cancel()
		go server.Listen(ctx, "127.0.0.1:0") //nolint:errcheck // it ends with ctx
		e.awaitURL()
		for range 2 {
			l.failedWith(e.invoke(create), "INTERNAL")
		}
		l.check(e.invoke(remove).ErrorType == "", "Delete fails")
	}},
	{"settings-wrong", "a function with wrong settings still answers events: BAD_REQUEST names them, Delete succeeds", func(l *lab) {
		l.one()
		l.env["FLYWAY_CLEAN_DISABLED"] = "false"
		l.env["SLIPWAY_LOCK_WAIT"] = "soon"
		e := l.serve()
		l.failedWith(e.invoke(create), "BAD_REQUEST", "FLYWAY_CLEAN_DISABLED", "SLIPWAY_LOCK_WAIT")
		l.check(e.invoke(remove).ErrorType == "", "Delete fails")
		e.stop()
		l.nothingLeft()
	}},
	{"release-ahead-of-image", "history ahead of the image with nothing pending is a success; a gap in between is VALIDATION_FAILED", func(l *lab) {
		l.one()
		l.two()
		l.three()
		l.completes("3")
		l.seen = nil
		l.must(l.remove("V3__three.sql"))
		e := l.serve()
		a := l.deployed(e.invoke(update(2, 1)), "3")
		l.contains(a.Data["Message"], "ahead of this release")
		l.three()
		l.must(l.remove("V2__two.sql"))
		l.failedWith(e.invoke(update(3, 2)), "VALIDATION_FAILED in V2__two.sql")
		e.stop()
		l.two()
		l.next("3")
	}},
}

const stack = `"StackId":"arn:aws:cloudformation:eu-central-1:000000000000:stack/slipway-test/1","LogicalResourceId":"Migration","RequestId":"r","ServiceToken":"t","ResponseURL":"https://example.org/secret-url","ResourceType":"Custom::FlywayMigration"`

const (
	create = `{"RequestType":"Create",` + stack + `,"ResourceProperties":{"Order":"2","Release":"0123456789ab"}}`
	remove = `{"RequestType":"Delete",` + stack + `,"PhysicalResourceId":"chosen-by-the-framework","ResourceProperties":{"Order":"2"}}`
)

func update(order, former int) string {
	return fmt.Sprintf(`{"RequestType":"Update",%s,"PhysicalResourceId":"as-before","ResourceProperties":{"Order":"%d","Release":"b"},"OldResourceProperties":{"Order":"%d","Release":"a"}}`, stack, order, former)
}

func (l *lab) deployed(a *reply, version string) *reply {
	l.check(a.ErrorType == "", "the event failed: %s: %s", a.ErrorType, a.ErrorMessage)
	l.check(a.Data["SchemaVersion"] == version && a.Data["Pending"] == "0" && a.PhysicalResourceID != "", "the answer is %s", a.body)
	return a
}

// failedWith checks a function error: its type is the code with which its one
// line begins.
func (l *lab) failedWith(a *reply, words ...string) {
	l.check(a.ErrorType != "", "the event succeeded: %s", a.body)
	l.contains(a.ErrorMessage, words...)
	l.check(strings.HasPrefix(a.ErrorMessage, a.ErrorType), "the type is %s, the message %q", a.ErrorType, a.ErrorMessage)
	l.check(!strings.Contains(a.ErrorMessage, "\n") && !strings.Contains(a.ErrorMessage, l.password), "the message is %q", a.ErrorMessage)
	var keys map[string]any
	l.must(json.Unmarshal(a.body, &keys))
	l.saw("%s", words[0])
}

// rolledBack sends the rollback's Update, as CloudFormation does: the former
// properties as new ones.
func (l *lab) rolledBack(e *endpoint) {
	before, reads := l.look(), l.secrets.Reads(l.name)
	a := e.invoke(update(1, 2))
	l.check(a.ErrorType == "" && a.Data["SchemaVersion"] == "unchanged" && a.PhysicalResourceID == "as-before", "%s %s %s", a.ErrorType, a.ErrorMessage, a.body)
	l.unchanged(before)
	l.check(l.secrets.Reads(l.name) == reads, "the secret was read")
	e.stop()
	l.nothingLeft()
	l.saw("the rollback succeeds, database and secret untouched")
}

// gone takes database, secret and network away.
func (l *lab) gone() {
	l.one()
	l.env["MASTER_SECRET_ARN"] = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:gone-AbCdEf"
	l.env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = "http://127.0.0.1:9"
	l.env["PGHOST"], l.env["PGPORT"] = "127.0.0.1", "9"
}

type panicking struct{}

func (panicking) Run(context.Context, migrator.Request) (*report.Report, error) {
	var r *report.Report
	r.Message = "a nil pointer"
	return r, nil
}
