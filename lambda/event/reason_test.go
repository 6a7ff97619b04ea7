package event

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
)

const group = "slipway-prod-Logs6819BB44-AbCdEfGhIjKl"

// deployed invokes the handler as Lambda does, for the database "arn host".
func deployed(t *testing.T, r Runner, event string) (string, *messages.InvokeResponse_Error) {
	t.Helper()
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "4a5b-1"})
	body, err := Handler{Runner: r, Log: slog.New(slog.DiscardHandler), LogGroup: group,
		Database: "arn host"}.Invoke(ctx, []byte(event))
	if err != nil {
		f := err.(messages.InvokeResponse_Error)
		return "", &f
	}
	return string(body), nil
}

// response is what the framework sends to CloudFormation of a failure, with the
// longest ids that there are.
func response(t *testing.T, reason string) int {
	t.Helper()
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(map[string]string{
		"Status": "FAILED", "StackId": strings.Repeat("s", 200), "RequestId": strings.Repeat("r", 36),
		"LogicalResourceId": "Schema", "PhysicalResourceId": strings.Repeat("p", 64),
		"Reason": "Error: " + reason + "\n\nLogs: /aws/lambda/" + strings.Repeat("f", 64) + "\n" +
			strings.Repeat("\n    at invokeUserFunction (/var/task/framework.js:2:6)", 8),
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

// What is escaped is counted as it is sent: an ESC is six bytes of JSON.
func TestReasonsAreMeasuredAsJSON(t *testing.T) {
	for _, letter := range []string{"x", `"`, `\`, "\x1b", "\x00", "\x7f", "\u2028", "<", "ü", "€", "😀", "\t", "\r\n",
		"\u0085", "\u202e", "\ufeff", "\xff", "\xed\xa0\x80", `\"`, "a\x1b[31m"} {
		r := migrated()
		r.err = &report.Failure{Code: report.MigrationFailed, Message: strings.Repeat(letter, 5000),
			NextStep: "Do something.", Script: "V1__" + strings.Repeat(letter, 100) + ".sql"}
		_, function := deployed(t, r, cfn("Create", ""))
		if n := response(t, function.Message); n > 4096 {
			t.Errorf("%q: %d bytes", letter, n)
		}
		if !strings.Contains(function.Message, "Do something.") ||
			!strings.HasSuffix(function.Message, " Log: "+group+", request 4a5b-1.") {
			t.Errorf("%q: %s", letter, function.Message)
		}
	}
}

// panics is a runner with a defect around the run.
type panics string

func (p panics) Run(context.Context, migrator.Request) (*report.Report, error) { panic(string(p)) }

// Every failure is short enough, names the log of the run, and has its code.
func TestEveryFailureNamesItsLog(t *testing.T) {
	const long = 5000
	update := orders(`,"Order":"2","Database":"`+strings.Repeat(`\"`, long)+`"`, `,"Order":"1"`)
	problems, blockers := migrated(), migrated()
	many := slices.Repeat([]report.Problem{{Script: "V1__a.sql", Line: 1, Reason: strings.Repeat(`"`, 300)}}, long)
	for i := range many {
		many[i].Reason += strconv.Itoa(i)
	}
	problems.err = &report.Failure{Code: report.BadRelease, Message: "m", Problems: many}
	sessions := slices.Repeat([]report.Blocker{{User: `"app"`, Query: "UPDATE on \x1b"}}, long)
	blockers.err = &report.Failure{Code: report.Locked, Message: "m", Blockers: sessions}
	for _, c := range []struct {
		name   string
		runner Runner
		event  string
		code   report.Code
	}{
		{"no ids", migrated(), `{"RequestType":"Create"}`, report.BadRequest},
		{"no type", migrated(), `{` + stack + `}`, report.BadRequest},
		{"another type", migrated(), cfn(strings.Repeat(`\u001b`, long), ""), report.BadRequest},
		{"no event", migrated(), cfn("Create", `,"PhysicalResourceId":7`), report.BadRequest},
		{"another database", migrated(), cfn("Update", update), report.BadRequest},
		{"a defect", panics(strings.Repeat(`"`, long)), cfn("Create", ""), report.Internal},
		{"many problems", problems, cfn("Create", ""), report.BadRelease},
		{"many blockers", blockers, cfn("Create", ""), report.Locked},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, function := deployed(t, c.runner, c.event)
			if function == nil || function.Type != string(c.code) ||
				!strings.HasPrefix(function.Message, function.Type) {
				t.Fatalf("got %+v", function)
			}
			if n := response(t, function.Message); n > 4096 {
				t.Errorf("%d bytes", n)
			}
			if !strings.HasSuffix(function.Message, " Log: "+group+", request 4a5b-1.") {
				t.Error(function.Message)
			}
		})
	}
}

// A request that met a defect gets a report, as after every other failure.
func TestADefectInADirectRequest(t *testing.T) {
	_, function := deployed(t, panics("x"), `{"command":"info"}`)
	var rep report.Report
	if err := json.Unmarshal([]byte(function.Message), &rep); err != nil || rep.Code != report.Internal {
		t.Errorf("%v in %s", err, function.Message)
	}
}

// An answer fits, too, however much a run had to warn of.
func TestAnswersAreMeasuredAsJSON(t *testing.T) {
	for _, letter := range []string{"x", `"`, `\`, "\x1b", "<", "\u2028", "😀", "\xff", "\xed\xa0\x80"} {
		r := migrated()
		for range 5000 {
			r.rep.Warnings = append(r.rep.Warnings, strings.Repeat(letter, 20))
		}
		body, function := deployed(t, r, cfn("Create", ""))
		if function != nil || len(body) > maxAnswer || !strings.Contains(body, "2 applied in 40 ms, V11__a.sql") {
			t.Errorf("%q: %d bytes, %v", letter, len(body), function)
		}
	}
}

// Where it is not known who calls, as behind the local endpoint, no log is named.
func TestReasonWithoutALog(t *testing.T) {
	r := migrated()
	r.err = &report.Failure{Code: report.Internal, Message: "x"}
	if _, function := invoke(t, r, cfn("Create", "")); strings.Contains(function.Message, "Log:") {
		t.Error(function.Message)
	}
}

func TestAnotherDatabaseIsRefused(t *testing.T) {
	database := func(id string) string {
		return `,"PhysicalResourceId":"x","ResourceProperties":{"Order":"2","Database":` + id +
			`},"OldResourceProperties":{"Order":"1"}`
	}
	for _, c := range []struct {
		name, event string
		runs        bool
		fails       bool
	}{
		{"the same", cfn("Update", database(`"arn host"`)), true, false},
		{"none", cfn("Update", database(`""`)), true, false},
		{"no text", cfn("Update", database(`7`)), true, false},
		{"another host", cfn("Update", database(`"arn new-host"`)), false, true},
		{"another secret", cfn("Create", database(`"other host"`)), false, true},
		{"a name besides", cfn("Create", database(`"arn host shop"`)), false, true},
		// A rollback and a removal never fail.
		{"another one, rolled back",
			cfn("Update", `,"PhysicalResourceId":"x","ResourceProperties":{"Order":"1","Database":"other"},"OldResourceProperties":{"Order":"2"}`), false, false},
		{"another one, removed", cfn("Delete", database(`"other"`)), false, false},
	} {
		r := migrated()
		_, function := deployed(t, r, c.event)
		if ran := len(r.reqs) > 0; ran != c.runs || (function != nil) != c.fails {
			t.Errorf("%s: ran %t, %v", c.name, ran, function)
		}
		if c.fails && (function.Type != "BAD_REQUEST" ||
			!strings.Contains(function.Message, "the function is set to arn host") ||
			!strings.Contains(function.Message, "-c rerun=")) {
			t.Errorf("%s: %+v", c.name, function)
		}
	}
}
