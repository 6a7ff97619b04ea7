package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
	"slipway/lambda/untrusted"
)

// runner answers each request with the same report and remembers it.
type runner struct {
	rep  report.Report
	err  error
	reqs []migrator.Request
}

func (r *runner) Run(_ context.Context, req migrator.Request) (*report.Report, error) {
	r.reqs = append(r.reqs, req)
	rep := r.rep
	rep.Command = req.Command
	if r.err != nil {
		rep.Fail(report.AsFailure(r.err))
	}
	return &rep, r.err
}

func migrated() *runner {
	return &runner{rep: report.Report{
		Code: report.OK, SchemaVersionAfter: "12", Release: "0123456789ab", DurationMs: 40, Pending: []report.Script{},
		Applied: []report.Script{{Version: "11", Script: "V11__a.sql"}, {Version: "12", Script: "V12__b.sql"}},
	}}
}

// invoke returns the answer as JSON, or the function error.
func invoke(t *testing.T, r Runner, event string) (map[string]any, *messages.InvokeResponse_Error) {
	t.Helper()
	body, err := Handler{Runner: r, Log: slog.New(slog.DiscardHandler)}.Invoke(t.Context(), []byte(event))
	if err != nil {
		var function messages.InvokeResponse_Error
		if !errors.As(err, &function) {
			t.Fatalf("an error without a type: %v", err)
		}
		if body != nil {
			t.Errorf("an answer besides the error: %s", body)
		}
		return nil, &function
	}
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return answer, nil
}

const stack = `"StackId":"arn:aws:cloudformation:eu-west-1:1:stack/s/1","LogicalResourceId":"Migration","RequestId":"r","ResponseURL":"https://x","ResourceType":"Custom::FlywayMigration"`

func cfn(kind, more string) string {
	return `{"RequestType":"` + kind + `",` + stack + more + `}`
}

func orders(now, before string) string {
	return `,"PhysicalResourceId":"slipway-x","ResourceProperties":{"Release":"0123456789ab"` + now +
		`},"OldResourceProperties":{"Release":"ba9876543210"` + before + `}`
}

func TestCreateMigratesAndAnswersAttributes(t *testing.T) {
	r := migrated()
	answer, function := invoke(t, r, cfn("Create", `,"ResourceProperties":{"Order":"10"}`))
	if function != nil {
		t.Fatal(function)
	}
	if len(r.reqs) != 1 || !reflect.DeepEqual(r.reqs[0], migrator.Request{Command: "migrate", WaitForLock: true}) {
		t.Errorf("asked for %+v", r.reqs)
	}
	want := map[string]any{"SchemaVersion": "12", "Applied": "2", "Pending": "0", "Release": "0123456789ab",
		"Message": "2 applied in 40 ms, V11__a.sql, V12__b.sql"}
	if got := fmt.Sprint(answer["Data"]); got != fmt.Sprint(want) {
		t.Errorf("got  %s\nwant %s", got, fmt.Sprint(want))
	}
	if id, _ := answer["PhysicalResourceId"].(string); !strings.HasPrefix(id, "slipway-") || len(id) != len("slipway-")+
		24 {
		t.Errorf("id %q", id)
	}
}

func TestPhysicalIDIsMadeOnceAndEchoedEverAfter(t *testing.T) {
	id := func(event string) string {
		answer, function := invoke(t, migrated(), event)
		if function != nil {
			t.Fatal(function)
		}
		return answer["PhysicalResourceId"].(string)
	}
	first := id(cfn("Create", ""))
	if again := id(cfn("Create", `,"ResourceProperties":{"Release":"other"}`)); again != first {
		t.Errorf("a repeated Create answers %s after %s", again, first)
	}
	if other := id(strings.Replace(cfn("Create", ""), "Migration", "Other", 1)); other == first {
		t.Error("two resources have one id")
	}
	for _, kind := range []string{"Update", "Delete"} {
		if got := id(cfn(kind, `,"PhysicalResourceId":"anything [at] all"`)); got != "anything [at] all" {
			t.Errorf("%s answers %q", kind, got)
		}
	}
}

func TestWhichUpdatesMigrate(t *testing.T) {
	for name, c := range map[string]struct {
		event string
		runs  bool
	}{
		"newer release":        {orders(`,"Order":"11"`, `,"Order":"10"`), true},
		"same release":         {orders(`,"Order":"10"`, `,"Order":"10"`), true},
		"older release":        {orders(`,"Order":"9"`, `,"Order":"10"`), false},
		"older by length":      {orders(`,"Order":"999999999"`, `,"Order":"1000000000"`), false},
		"older, as numbers":    {orders(`,"Order":1600000000`, `,"Order":1700000000`), false},
		"newer, as numbers":    {orders(`,"Order":1700000000`, `,"Order":1600000000`), true},
		"no order before":      {orders(`,"Order":"9"`, ``), true},
		"no order now":         {orders(``, `,"Order":"10"`), true},
		"order that is none":   {orders(`,"Order":"yesterday"`, `,"Order":"10"`), true},
		"no former properties": {`,"PhysicalResourceId":"x","ResourceProperties":{"Order":"1"}`, true},
		"rerun only":           {orders(`,"Order":"10","Rerun":"after the restore"`, `,"Order":"10"`), true},
	} {
		t.Run(name, func(t *testing.T) {
			r := migrated()
			answer, function := invoke(t, r, cfn("Update", c.event))
			if function != nil {
				t.Fatal(function)
			}
			if ran := len(r.reqs) > 0; ran != c.runs {
				t.Errorf("ran: %t", ran)
			}
			if c.runs {
				return
			}
			got := answer["Data"].(map[string]any)
			if got["SchemaVersion"] != "unchanged" || got["Applied"] != "0" || got["Pending"] != "0" ||
				got["Release"] != "0123456789ab" || !strings.Contains(got["Message"].(string), "rolled back") {
				t.Errorf("answers %v", got)
			}
		})
	}
}

// A former order that is a time of the future would make every later release
// count as a rollback. It proves nothing, and the report says so.
func TestFormerOrderOfTheFuture(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for former, runs := range map[int64]bool{
		now.Unix():                                false,
		now.Add(4 * time.Minute).Unix():           false, // clocks differ
		now.Add(6 * time.Minute).Unix():           true,
		now.Add(50 * 365 * 24 * time.Hour).Unix(): true,
		now.UnixMilli():                           true, // milliseconds
	} {
		for _, failure := range []error{nil, &report.Failure{Code: report.Locked, Message: "m", NextStep: "n"}} {
			r := migrated()
			r.err = failure
			var shown *report.Report
			h := Handler{Runner: r, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
				Show: func(rep *report.Report) { shown = rep }}
			body, err := h.Invoke(t.Context(), []byte(cfn("Update", orders(fmt.Sprintf(`,"Order":%d`, now.Unix()-60),
				fmt.Sprintf(`,"Order":"%d"`, former)))))
			if ran := len(r.reqs) > 0; ran != runs || (err != nil) != (runs && failure != nil) {
				t.Errorf("former order %d: ran %t, %v", former, ran, err)
			}
			if !runs {
				continue
			}
			if len(shown.Warnings) != 1 || !strings.Contains(shown.Warnings[0], fmt.Sprint(former)) ||
				!strings.Contains(shown.Warnings[0], "future") {
				t.Errorf("warnings: %q", shown.Warnings)
			}
			if failure == nil && !strings.Contains(string(body), "in the future") {
				t.Errorf("the answer does not say so: %s", body)
			}
		}
	}
}

func TestRollbackAndDeleteNeverFail(t *testing.T) {
	r := &runner{err: errors.New("the database is gone")}
	for _, event := range []string{
		cfn("Delete", `,"PhysicalResourceId":"x","ResourceProperties":{}`),
		cfn("Delete", ""),
		cfn("Delete", `,"ResourceProperties":null,"OldResourceProperties":null`),
		cfn("Update", orders(`,"Order":"1"`, `,"Order":"2"`)),
	} {
		answer, function := invoke(t, r, event)
		if function != nil || answer["PhysicalResourceId"] == "" {
			t.Errorf("%s: %v", event, function)
		}
	}
	if len(r.reqs) > 0 {
		t.Errorf("the database was asked: %v", r.reqs)
	}
}

// An attribute that an output reads and an answer lacks fails the deployment.
func TestAllAttributesAreAlwaysThere(t *testing.T) {
	for _, event := range []string{cfn("Create", ""), cfn("Update", orders(`,"Order":"1"`, `,"Order":"2"`)),
		cfn("Delete", "")} {
		answer, _ := invoke(t, &runner{rep: report.Report{Code: report.OK}}, event)
		for _, name := range []string{"SchemaVersion", "Applied", "Pending", "Release", "Message"} {
			if text, ok := answer["Data"].(map[string]any)[name].(string); !ok || text == "" && name != "Release" {
				t.Errorf("%s: %s is %q", event, name, text)
			}
		}
	}
}

func TestFailedRunIsAFunctionErrorOfOneLine(t *testing.T) {
	r := migrated()
	r.err = &report.Failure{Code: report.MigrationFailed, Message: "syntax error\nPosition: 8", Script: "V13__c.sql",
		Line: 3, SQLState: "42601", NextStep: "Correct it."}
	_, function := invoke(t, r, cfn("Update", orders("", "")))
	want := "MIGRATION_FAILED in V13__c.sql line 3 (SQLSTATE 42601): syntax error Position: 8. Applied before it: 2 " +
		"(schema version 12). Next: Correct it."
	if function == nil || function.Type != "MIGRATION_FAILED" || function.Message != want {
		t.Errorf("got %+v", function)
	}
}

func TestAnswersKeepWithinCloudFormationsLimit(t *testing.T) {
	for _, letter := range []string{"x", "ü", "€", "😀", `"`, "<", "\u2028", "\x01"} {
		r := migrated()
		for i := range 400 {
			r.rep.Applied = append(r.rep.Applied,
				report.Script{Script: fmt.Sprintf("V%d__%s.sql", i, strings.Repeat(letter, i%50))})
		}
		r.rep.Warnings = []string{strings.Repeat(letter, 5000)}
		body, err := Handler{Runner: r, Log: slog.New(slog.DiscardHandler)}.Invoke(t.Context(),
			[]byte(cfn("Create", "")))
		if err != nil {
			t.Fatal(err)
		}
		var back answer
		if len(body) > maxAnswer || !utf8.Valid(body) || json.Unmarshal(body, &back) != nil ||
			strings.Contains(back.Data.Message, "\ufffd") {
			t.Errorf("%q: %d bytes: %s", letter, len(body), body)
		}
		if back.Data.Applied != "402" || back.Data.SchemaVersion != "12" || len(back.Data.Message) < 300 {
			t.Errorf("%q: too much was cut: %+v", letter, back.Data)
		}

		r.err = &report.Failure{Code: report.Internal, Message: strings.Repeat(letter, 9000), NextStep: "Do something.",
			Script: "V1__" + strings.Repeat(letter, 100) + ".sql"}
		_, function := invoke(t, r, cfn("Create", ""))
		if len(function.Message) > maxReason || !utf8.ValidString(function.Message) ||
			!strings.Contains(function.Message, "Do something.") {
			t.Errorf("%q: reason of %d bytes: %s", letter, len(function.Message), function.Message)
		}
	}
}

func TestOddEventsAreRefusedByName(t *testing.T) {
	for event, want := range map[string]string{
		`{` + stack + `}`:                             "no RequestType",
		`{"RequestType":"",` + stack + `}`:            "no RequestType",
		cfn("create", ""):                             `unknown RequestType "create"`,
		cfn("Destroy", ""):                            `unknown RequestType "Destroy"`,
		`{"RequestType":"Create"}`:                    "no StackId",
		`{"RequestType":"Delete","StackId":"s"}`:      "no LogicalResourceId",
		`{"RequestType":["Create"],` + stack + `}`:    "the event",
		cfn("Create", `,"ResourceProperties":"text"`): "the event",
		`{"ResourceProperties":{}}`:                   "no StackId",
	} {
		r := migrated()
		_, function := invoke(t, r, event)
		if function == nil || function.Type != "BAD_REQUEST" || !strings.Contains(function.Message, want) ||
			len(r.reqs) > 0 {
			t.Errorf("%s: %+v, want %q", event, function, want)
		}
	}
}

// Names and warnings of others reach events, consoles and mails.
func TestAnswersShowWhatOthersWrote(t *testing.T) {
	const evil = "x\x1b[2J\u202ey\u200b\nz\xff"
	r := migrated()
	r.rep.Applied[0].Script, r.rep.Warnings = evil, []string{evil}
	answer, _ := invoke(t, r, `{"RequestType":"Create","StackId":"s","LogicalResourceId":"l"}`)
	if message := answer["Data"].(map[string]any)["Message"].(string); !untrusted.AllShows(message) {
		t.Errorf("%q", message)
	}
	r.err = report.Failf(report.MigrationFailed, "%s", evil).Next(evil)
	if _, function := invoke(t, r,
		`{"RequestType":"Create","StackId":"s","LogicalResourceId":"l"}`); !untrusted.AllShows(function.Message) {
		t.Errorf("%q", function.Message)
	}
}
