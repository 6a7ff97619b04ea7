//go:build faults

package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/event"
	"slipway/lambda/history"
	"slipway/lambda/migrator"
	"slipway/lambda/report"
	"slipway/lambda/serve"
)

var eventFaults = []fault{
	{"event-twice", "the same event again is a success that changes nothing, with the same resource id",
		func(t *testbed) {
			t.one()
			t.two()
			e := t.serve()
			first := t.deployed(e.invoke(create), "2")
			again := t.deployed(e.invoke(create), "2")
			t.check(first.Data["Applied"] == "2" && again.Data["Applied"] == "0", "applied %s, then %s",
				first.Data["Applied"], again.Data["Applied"])
			t.check(first.PhysicalResourceID == again.PhysicalResourceID, "the ids differ")
			e.stop()
			t.nothingLeft()
			t.saw("2 applied, then 0, one id")
		}},
	{"events-at-once", "20 deliveries at once, each to a sandbox of its own: all succeed, each script is applied once",
		func(t *testbed) {
			t.one()
			t.two()
			var endpoints []*endpoint
			for range 20 {
				endpoints = append(endpoints, t.serve())
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
				a := t.deployed(t.reply(<-bodies, 0), "2")
				if a.Data["Applied"] == "2" {
					applied++
				}
			}
			t.check(applied == 1, "%d of them applied scripts", applied)
			for _, e := range endpoints {
				e.stop()
			}
			t.nothingLeft()
			t.saw("20 successes, one of them applied 2 scripts")
		}},
	{"event-behind-another-run", "an event waits for another run until its own deadline, then looks again: nothing " +
		"pending is a success, otherwise LOCKED names the other", func(t *testbed) {
		t.migrated()
		app := t.session()
		t.do(app, fmt.Sprintf("SELECT pg_advisory_lock(%d)",
			database.RunLock(history.Table{Schema: "public", Name: "flyway_schema_history"})))
		sandbox := t.lambda()
		limit := 5 * time.Second
		t.deployed(sandbox.invoke(update(2, 1), limit), "1")
		t.saw("with nothing pending a success at the deadline")
		t.two()
		a := sandbox.invoke(update(2, 1), limit)
		t.failedWith(a, "LOCKED", fmt.Sprintf("held by pid %d, user shop", app.PgConn().PID()))
		t.do(app, "SELECT pg_advisory_unlock_all()")
		t.nothingLeft(sandbox.pid())
		t.deployed(sandbox.invoke(update(2, 1), t.limit), "2")
		t.saw("the next event completes at 2")
	}},
	{"update-unchanged", "an Update with nothing pending succeeds without starting Flyway", func(t *testbed) {
		t.migrated()
		e := t.serve()
		a := t.deployed(e.invoke(update(2, 1)), "1")
		t.check(a.Data["Applied"] == "0" && !strings.Contains(e.err.String(), "starting Flyway"), "applied %s",
			a.Data["Applied"])
		e.stop()
		t.nothingLeft()
		t.saw("0 applied, Flyway not started")
	}},
	{"rollback-after-success", "the older release succeeds at once and touches nothing", func(t *testbed) {
		t.one()
		t.two()
		e := t.serve()
		t.deployed(e.invoke(update(2, 1)), "2")
		t.must(t.remove("V2__two.sql"))
		t.rolledBack(e)
	}},
	{"rollback-after-failure", "the failed Update names script and line; its rollback succeeds", func(t *testbed) {
		t.one()
		t.script("V2__bad.sql", "CREATE TABLE t2 (id int);\nSELECT 1/0;")
		e := t.serve()
		t.failedWith(e.invoke(update(2, 1)), "MIGRATION_FAILED in V2__bad.sql line 2 (SQLSTATE 22012)",
			"Applied before it: 1")
		t.rolledBack(e)
		t.script("V2__bad.sql", "CREATE TABLE t2 (id int);")
		t.next("2")
	}},
	{"rollback-after-non-transactional", "the failed Update names the way on; its rollback succeeds although a " +
		"failed row stands in the history", func(t *testbed) {
		t.migrated()
		t.exec("INSERT INTO t1 VALUES (1, 'twice')")
		t.script("V2__index.sql", "CREATE UNIQUE INDEX CONCURRENTLY i2 ON t1 (id);")
		e := t.serve()
		t.failedWith(e.invoke(update(2, 1)), "MIGRATION_FAILED in V2__index.sql", "DROP INDEX CONCURRENTLY public.i2",
			"slipway repair")
		t.rolledBack(e)
	}},
	{"rollback-with-changed-repeatable", "the older text of a repeatable script is not run", func(t *testbed) {
		t.one()
		t.script("R__view.sql", "CREATE OR REPLACE VIEW v AS SELECT id FROM t1;")
		t.completes("1")
		t.seen = nil
		t.script("R__view.sql", "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT name FROM t1;")
		e := t.serve()
		t.deployed(e.invoke(update(2, 1)), "1")
		t.script("R__view.sql", "CREATE OR REPLACE VIEW v AS SELECT id FROM t1;")
		t.rolledBack(e)
		t.contains(t.ask("SELECT pg_get_viewdef('v'::regclass)"), "name")
		t.saw("the view stays the newer one")
	}},
	{"rollback-without-database-and-secret", "a rollback succeeds with neither to be had", func(t *testbed) {
		t.gone()
		e := t.serve()
		a := e.invoke(update(1, 2))
		t.check(a.ErrorType == "" && a.Data["SchemaVersion"] == "unchanged", "%s %s %v", a.ErrorType, a.ErrorMessage,
			a.Data)
		e.stop()
		t.saw("success, “%s”", a.Data["Message"])
	}},
	{"create-fails-then-delete", "the Delete after a failed Create succeeds and leaves the database alone",
		func(t *testbed) {
			t.one()
			t.script("V2__bad.sql", "CREATE TABLE t2 (id int);\nSELECT 1/0;")
			e := t.serve()
			t.failedWith(e.invoke(create), "MIGRATION_FAILED in V2__bad.sql line 2")
			before := t.look()
			a := e.invoke(remove)
			t.check(a.ErrorType == "" && a.PhysicalResourceID == "chosen-by-the-framework", "%s %s", a.ErrorType,
				a.PhysicalResourceID)
			t.unchanged(before)
			e.stop()
			t.nothingLeft()
			t.saw("Create MIGRATION_FAILED, Delete a success; version 1 stays")
		}},
	{"delete-with-all-gone", "a Delete succeeds without database, secret and network", func(t *testbed) {
		t.gone()
		e := t.serve()
		a := e.invoke(remove)
		t.check(a.ErrorType == "" && a.PhysicalResourceID != "", "%s %s", a.ErrorType, a.ErrorMessage)
		e.stop()
		t.saw("success, no call made")
	}},
	{"answer-too-large", "an answer stays below 4,096 bytes, whatever was applied", func(t *testbed) {
		for i := 1; i <= 80; i++ {
			t.script(fmt.Sprintf("V%d__%s.sql", i, strings.Repeat("long_name_", 9)),
				fmt.Sprintf("CREATE TABLE t%d (id int);", i))
		}
		e := t.serve()
		a := t.deployed(e.invoke(create), "80")
		t.check(len(a.body) < 3500 && a.Data["Applied"] == "80", "%d bytes, %s applied", len(a.body), a.Data["Applied"])
		e.stop()
		t.nothingLeft()
		t.saw("80 applied, answer under 3,500 bytes")
	}},
	{"reason-too-large", "a failure's reason stays below 2,048 bytes and keeps script, line and next step",
		func(t *testbed) {
			t.script("V1__bad.sql", "DO $$ BEGIN RAISE EXCEPTION '%', repeat('é', 20000); END $$;")
			e := t.serve()
			a := e.invoke(create)
			t.failedWith(a, "MIGRATION_FAILED in V1__bad.sql line 1", "Next:")
			t.check(len(a.ErrorMessage) <= 2048, "%d bytes", len(a.ErrorMessage))
			e.stop()
			t.nothingLeft()
		}},
	{"panic", "a defect of the handler is a function error INTERNAL; the next event is answered", func(t *testbed) {
		// Built in here: the real core has no way to be made to panic.
		e := &endpoint{process: &process{t: t}}
		log := slog.New(slog.NewTextHandler(&e.err, nil))
		server := &serve.Server{Handler: event.Handler{Runner: panicking{}, Log: log}, Timeout: t.limit, Log: log}
		ctx, cancel := context.WithCancel(t.ctx)
		defer cancel()
		go server.Listen(ctx, "127.0.0.1:0") //nolint:errcheck // it ends with ctx
		e.awaitURL()
		for range 2 {
			t.failedWith(e.invoke(create), "INTERNAL")
		}
		t.check(e.invoke(remove).ErrorType == "", "Delete fails")
	}},
	{"settings-wrong", "a function with wrong settings still answers events: BAD_REQUEST names them, Delete succeeds",
		func(t *testbed) {
			t.one()
			t.env["FLYWAY_CLEAN_DISABLED"] = "false"
			t.env["SLIPWAY_LOCK_WAIT"] = "soon"
			e := t.serve()
			t.failedWith(e.invoke(create), "BAD_REQUEST", "FLYWAY_CLEAN_DISABLED", "SLIPWAY_LOCK_WAIT")
			t.check(e.invoke(remove).ErrorType == "", "Delete fails")
			e.stop()
			t.nothingLeft()
		}},
	{"release-ahead-of-image", "history ahead of the image with nothing pending is a success; a gap in between is " +
		"VALIDATION_FAILED", func(t *testbed) {
		t.one()
		t.two()
		t.three()
		t.completes("3")
		t.seen = nil
		t.must(t.remove("V3__three.sql"))
		e := t.serve()
		a := t.deployed(e.invoke(update(2, 1)), "3")
		t.contains(a.Data["Message"], "ahead of this release")
		t.three()
		t.must(t.remove("V2__two.sql"))
		t.failedWith(e.invoke(update(3, 2)), "VALIDATION_FAILED in V2__two.sql")
		e.stop()
		t.two()
		t.next("3")
	}},
}

const stack = `"StackId":"arn:aws:cloudformation:eu-central-1:000000000000:stack/slipway-test/1","LogicalResourceId":"Migration","RequestId":"r","ServiceToken":"t","ResponseURL":"https://example.org/secret-url","ResourceType":"Custom::FlywayMigration"`

const (
	create = `{"RequestType":"Create",` + stack + `,"ResourceProperties":{"Order":"2","Release":"0123456789ab"}}`
	remove = `{"RequestType":"Delete",` + stack +
		`,"PhysicalResourceId":"chosen-by-the-framework","ResourceProperties":{"Order":"2"}}`
)

func update(order, former int) string {
	return fmt.Sprintf(`{"RequestType":"Update",%s,"PhysicalResourceId":"as-before","ResourceProperties":{"Order":"%d","Release":"b"},"OldResourceProperties":{"Order":"%d","Release":"a"}}`, stack, order, former)
}

func (t *testbed) deployed(a *reply, version string) *reply {
	t.check(a.ErrorType == "", "the event failed: %s: %s", a.ErrorType, a.ErrorMessage)
	t.check(a.Data["SchemaVersion"] == version && a.Data["Pending"] == "0" && a.PhysicalResourceID != "",
		"the answer is %s", a.body)
	return a
}

// failedWith checks a function error: its type is the code with which its one
// line begins.
func (t *testbed) failedWith(a *reply, words ...string) {
	t.check(a.ErrorType != "", "the event succeeded: %s", a.body)
	t.contains(a.ErrorMessage, words...)
	t.check(strings.HasPrefix(a.ErrorMessage, a.ErrorType), "the type is %s, the message %q", a.ErrorType,
		a.ErrorMessage)
	t.check(!strings.Contains(a.ErrorMessage, "\n") && !strings.Contains(a.ErrorMessage, t.password),
		"the message is %q", a.ErrorMessage)
	var keys map[string]any
	t.must(json.Unmarshal(a.body, &keys))
	t.saw("%s", words[0])
}

// rolledBack sends the rollback's Update, as CloudFormation does: the former
// properties as new ones.
func (t *testbed) rolledBack(e *endpoint) {
	before, reads := t.look(), t.secrets.Reads(t.name)
	a := e.invoke(update(1, 2))
	t.check(a.ErrorType == "" && a.Data["SchemaVersion"] == "unchanged" && a.PhysicalResourceID == "as-before",
		"%s %s %s", a.ErrorType, a.ErrorMessage, a.body)
	t.unchanged(before)
	t.check(t.secrets.Reads(t.name) == reads, "the secret was read")
	e.stop()
	t.nothingLeft()
	t.saw("the rollback succeeds, database and secret untouched")
}

// gone takes database, secret and network away.
func (t *testbed) gone() {
	t.one()
	t.env["MASTER_SECRET_ARN"] = "arn:aws:secretsmanager:eu-central-1:000000000000:secret:gone-AbCdEf"
	t.env["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = "http://127.0.0.1:9"
	t.env["PGHOST"], t.env["PGPORT"] = "127.0.0.1", "9"
}

type panicking struct{}

func (panicking) Run(context.Context, migrator.Request) (*report.Report, error) {
	var r *report.Report
	r.Message = "a nil pointer"
	return r, nil
}
