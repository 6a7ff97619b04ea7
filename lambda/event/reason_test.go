package event

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"slipway/lambda/report"
)

const group = "slipway-prod-Logs6819BB44-AbCdEfGhIjKl"

// deployed invokes the handler as Lambda does, for the database "arn host".
func deployed(t *testing.T, r Runner, event string) (string, *messages.InvokeResponse_Error) {
	t.Helper()
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "4a5b-1"})
	body, err := Handler{Runner: r, Log: slog.New(slog.DiscardHandler), LogGroup: group, Database: "arn host"}.Invoke(ctx, []byte(event))
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
		"Status": "FAILED", "StackId": strings.Repeat("s", 200), "RequestId": strings.Repeat("r", 36), "LogicalResourceId": "Schema", "PhysicalResourceId": strings.Repeat("p", 64),
		"Reason": "Error: " + reason + "\n\nLogs: /aws/lambda/" + strings.Repeat("f", 64) + "\n" + strings.Repeat("\n    at invokeUserFunction (/var/task/framework.js:2:6)", 8),
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

// What is escaped is counted as it is sent: an ESC is six bytes of JSON.
func TestReasonsAreMeasuredAsJSON(t *testing.T) {
	for _, letter := range []string{"x", `"`, `\`, "\x1b", "\x00", "\x7f", "\u2028", "<", "ü", "€", "😀", "\t"} {
		r := migrated()
		r.err = &report.Failure{Code: report.MigrationFailed, Message: strings.Repeat(letter, 5000), Next: "Do something.", Script: "V1__" + strings.Repeat(letter, 100) + ".sql"}
		_, function := deployed(t, r, cfn("Create", ""))
		if n := response(t, function.Message); n > 4096 {
			t.Errorf("%q: %d bytes", letter, n)
		}
		if !strings.Contains(function.Message, "Do something.") || !strings.HasSuffix(function.Message, " Log: "+group+", request 4a5b-1.") {
			t.Errorf("%q: %s", letter, function.Message)
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
		return `,"PhysicalResourceId":"x","ResourceProperties":{"Order":"2","Database":` + id + `},"OldResourceProperties":{"Order":"1"}`
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
		{"another one, rolled back", cfn("Update", `,"PhysicalResourceId":"x","ResourceProperties":{"Order":"1","Database":"other"},"OldResourceProperties":{"Order":"2"}`), false, false},
		{"another one, removed", cfn("Delete", database(`"other"`)), false, false},
	} {
		r := migrated()
		_, function := deployed(t, r, c.event)
		if ran := len(r.reqs) > 0; ran != c.runs || (function != nil) != c.fails {
			t.Errorf("%s: ran %t, %v", c.name, ran, function)
		}
		if c.fails && (function.Type != "BAD_REQUEST" || !strings.Contains(function.Message, "the function is set to arn host") || !strings.Contains(function.Message, "-c rerun=")) {
			t.Errorf("%s: %+v", c.name, function)
		}
	}
}
