package main

import (
	"fmt"
	"strings"

	"slipway/lambda/report"
)

var attackInspectorFaults = []fault{
	{"inspector-and-callbacks", "info and validate of the function that only reads run no callback of the release, and say what is undecided", func(l *lab) {
		l.migrated()
		for _, event := range []string{"afterConnect", "beforeInfo", "beforeValidate"} {
			l.script(event+".sql", "SET default_transaction_read_only = off;\nCREATE TABLE IF NOT EXISTS planted (id int);")
		}
		sandbox := l.inspector()
		before := l.look()
		for _, command := range []string{"info", "validate"} {
			o := sandbox.invoke(fmt.Sprintf(`{"command":%q}`, command), l.limit).report()
			l.check(o.Code == report.OK && o.FlywayVersion == "", "%s: %s, Flyway %q: %s", command, o.Code, o.FlywayVersion, o.Message)
			l.contains(strings.Join(o.Undecided, "\n"), "the callback afterConnect.sql", "was not run")
		}
		l.unchanged(before)
		l.nothingLeft(sandbox.pid())
		l.saw("Flyway not started, afterConnect.sql named as not run, no table made")
	}},
	{"inspector-asked-to-change", "the function that only reads refuses migrate, repair, baseline, revert and CloudFormation's events", func(l *lab) {
		l.migrated()
		l.two()
		sandbox := l.inspector()
		before := l.look()
		for _, event := range []string{`{"command":"migrate"}`, `{"command":"repair"}`, `{"command":"baseline","target":"1"}`, `{"command":"revert","to":"0"}`} {
			o := sandbox.invoke(event, l.limit).report()
			l.check(o.Code == report.BadRequest, "%s: %s", event, o.Code)
			l.contains(o.Message, "only reads")
			l.contains(o.Next, "FunctionName")
		}
		l.failedWith(sandbox.invoke(create, l.limit), "BAD_REQUEST", "only reads")
		l.unchanged(before)
		l.nothingLeft(sandbox.pid())
		l.must(sandbox.cmd.Process.Kill())
		<-sandbox.ended
		l.saw("to the event and to each of the four commands, whose next step names FunctionName")
		l.next("2")
	}},
	{"request-names-a-secret", "a request can't choose the secret that is read", func(l *lab) {
		l.migrated()
		other := l.secrets.Set("stolen", l.secret("another"))
		e := l.serve()
		o := e.invoke(fmt.Sprintf(`{"command":"info","secretArn":%q}`, other)).report()
		l.check(o.Code == report.BadRequest && l.secrets.Reads("stolen") == 0, "%s, %d reads", o.Code, l.secrets.Reads("stolen"))
		l.contains(o.Message, "secretArn")
		l.contains(o.Next, "MASTER_SECRET_ARN")
		e.stop()
		l.saw("BAD_REQUEST names the field and MASTER_SECRET_ARN; the secret was not read")
	}},
}

// inspector starts the function that only reads.
func (l *lab) inspector() *sandbox {
	l.env["SLIPWAY_READ_ONLY"] = "true"
	s := l.lambda()
	delete(l.env, "SLIPWAY_READ_ONLY")
	return s
}
