//go:build faults

package faults

import (
	"fmt"
	"strings"

	"slipway/lambda/report"
)

var attackInspectorFaults = []fault{
	{"inspector-and-callbacks", "info and validate of the function that only reads run no callback of the release, " +
		"and say what is undecided", func(t *testbed) {
		t.migrated()
		for _, event := range []string{"afterConnect", "beforeInfo", "beforeValidate"} {
			t.script(event+".sql", "SET default_transaction_read_only = off;\nCREATE TABLE IF NOT EXISTS planted "+
				"(id int);")
		}
		sandbox := t.inspector()
		before := t.look()
		for _, command := range []string{"info", "validate"} {
			o := sandbox.invoke(fmt.Sprintf(`{"command":%q}`, command), t.limit).report()
			t.check(o.Code == report.OK && o.FlywayVersion == "", "%s: %s, Flyway %q: %s", command, o.Code,
				o.FlywayVersion, o.Message)
			t.contains(strings.Join(o.Undecided, "\n"), "the callback afterConnect.sql", "was not run")
		}
		t.unchanged(before)
		t.nothingLeft(sandbox.pid())
		t.saw("Flyway not started, afterConnect.sql named as not run, no table made")
	}},
	{"inspector-asked-to-change", "the function that only reads refuses migrate, repair, baseline, revert and " +
		"CloudFormation's events", func(t *testbed) {
		t.migrated()
		t.two()
		sandbox := t.inspector()
		before := t.look()
		for _, event := range []string{`{"command":"migrate"}`, `{"command":"repair"}`,
			`{"command":"baseline","target":"1"}`, `{"command":"revert","to":"0"}`} {
			o := sandbox.invoke(event, t.limit).report()
			t.check(o.Code == report.BadRequest, "%s: %s", event, o.Code)
			t.contains(o.Message, "only reads")
			t.contains(o.Next, "FunctionName")
		}
		t.failedWith(sandbox.invoke(create, t.limit), "BAD_REQUEST", "only reads")
		t.unchanged(before)
		t.nothingLeft(sandbox.pid())
		t.must(sandbox.cmd.Process.Kill())
		<-sandbox.ended
		t.saw("to the event and to each of the four commands, whose next step names FunctionName")
		t.next("2")
	}},
	{"request-names-a-secret", "a request can't choose the secret that is read", func(t *testbed) {
		t.migrated()
		other := t.secrets.Set("stolen", t.secret("another"))
		e := t.serve()
		o := e.invoke(fmt.Sprintf(`{"command":"info","secretArn":%q}`, other)).report()
		t.check(o.Code == report.BadRequest && t.secrets.Reads("stolen") == 0, "%s, %d reads", o.Code,
			t.secrets.Reads("stolen"))
		t.contains(o.Message, "secretArn")
		t.contains(o.Next, "MASTER_SECRET_ARN")
		e.stop()
		t.saw("BAD_REQUEST names the field and MASTER_SECRET_ARN; the secret was not read")
	}},
}

// inspector starts the function that only reads.
func (t *testbed) inspector() *sandbox {
	t.env["SLIPWAY_READ_ONLY"] = "true"
	s := t.lambda()
	delete(t.env, "SLIPWAY_READ_ONLY")
	return s
}
