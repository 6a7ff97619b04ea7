package deployed_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"slipway/lambda/proof/awstest"
	"slipway/lambda/report"
	"slipway/lambda/workbench/deployed"
)

const reader = "arn:aws:iam::" + awstest.Account + ":role/slipway-prod-Reader0-X"

// prod is deployed, with a function that answers so.
func prod(t *testing.T, answer awstest.Function) *awstest.AWS {
	t.Helper()
	a := awstest.Start(t)
	a.Use(t)
	a.Stacks["slipway-prod"] = map[string]string{"FunctionName": "f-1", "InspectorName": "i-1", "ReaderArn": reader}
	a.Functions["f-1"], a.Functions["i-1"] = answer, answer
	return a
}

func ok([]byte) (string, bool) { return `{"command":"info","code":"OK","scripts":[]}`, false }

var environment = deployed.Environment{Name: "prod", Account: awstest.Account, Region: "eu-central-1"}

func TestFind(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cdk.json")
	if _, err := deployed.Find(file, "prod"); err == nil || !strings.Contains(err.Error(), "cdk.json") {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(file,
		[]byte(`{"context": {"environments": {"dev": {}, "prod": {"account": "111122223333", "region": "eu-central-1", "memory": 1, "placeholders": {"tenant": "acme"}, "flyway": {"outOfOrder": "true", "table": "h"}}}, "other": true}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	environment := environment
	environment.Settings = map[string]string{"FLYWAY_PLACEHOLDERS_TENANT": "acme", "FLYWAY_OUT_OF_ORDER": "true",
		"FLYWAY_TABLE": "h"}
	if got, err := deployed.Find(file, "prod"); err != nil || !reflect.DeepEqual(got, environment) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := deployed.Find(file, "dev"); err != nil || got.Region != "" || got.Stack() != "slipway-dev" {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err := deployed.Find(file, "prd")
	if !errors.Is(err, deployed.ErrUnknown) || !strings.HasSuffix(err.Error(), `"prd"; `+file+" has dev, prod") {
		t.Errorf("got %v", err)
	}
}

func TestAskSendsTheCommand(t *testing.T) {
	var sent string
	a := prod(t, func(payload []byte) (string, bool) { sent = string(payload); return ok(payload) })
	client, err := deployed.Connect(t.Context(), environment, "")
	if err != nil {
		t.Fatal(err)
	}
	r, err := client.Ask(t.Context(), deployed.Request{Command: "info"})
	if err != nil || !r.OK() || sent != `{"command":"info"}` {
		t.Errorf("got %+v, %v; sent %s", r, err, sent)
	}
	if !a.Did("user/test", "Invoke") {
		t.Errorf("who called: %v", a.Calls())
	}
}

// The pipeline sees the stack in one role and calls the function in another.
func TestRoles(t *testing.T) {
	a := prod(t, ok)
	client, err := deployed.Connect(t.Context(), environment, "arn:aws:iam::"+awstest.Account+":role/lookup")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Ask(t.Context(), deployed.Request{Command: "info"}); err != nil {
		t.Fatal(err)
	}
	if !a.Did("assumed-role/lookup/slipway", "DescribeStacks") ||
		!a.Did("assumed-role/slipway-prod-Reader0-X/slipway", "Invoke") {
		t.Errorf("who called: %v", a.Calls())
	}
}

// The role comes with a deployment that is made with an approval configured.
func TestNoRoleYet(t *testing.T) {
	a := prod(t, ok)
	delete(a.Stacks["slipway-prod"], "ReaderArn")
	if _, err := deployed.Connect(t.Context(), environment, "arn:aws:iam::"+awstest.Account+
		":role/lookup"); !errors.Is(err, deployed.ErrNoReader) {
		t.Errorf("got %v", err)
	}
	if _, err := deployed.Connect(t.Context(), environment, ""); err != nil {
		t.Errorf("in the profile's own rights: %v", err)
	}
}

func TestNotDeployed(t *testing.T) {
	a := prod(t, ok)
	for _, c := range []struct {
		name        string
		stacks      map[string]map[string]string
		environment deployed.Environment
		want        string
	}{
		{"no stack", nil, environment, "there is no stack slipway-prod in eu-central-1"},
		{"no function", map[string]map[string]string{"slipway-prod": {"TopicArn": "x"}}, environment,
			"names no function in its outputs"},
		{"another account", nil, deployed.Environment{Name: "prod", Account: "999999999999", Region: "us-east-1"},
			"in us-east-1; cdk.json says account 999999999999, these credentials are of 111122223333"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a.Stacks = maps.Clone(c.stacks)
			_, err := deployed.Connect(t.Context(), c.environment, "")
			if !errors.Is(err, deployed.ErrNotDeployed) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// A first deployment that failed leaves a stack that no pipeline can update.
func TestFirstDeploymentFailed(t *testing.T) {
	a := prod(t, ok)
	a.Status["slipway-prod"] = "ROLLBACK_COMPLETE"
	_, err := deployed.Connect(t.Context(), environment, "")
	if !errors.Is(err, deployed.ErrFirstFailed) || !errors.Is(err, deployed.ErrNotDeployed) ||
		!strings.Contains(err.Error(), "delete-stack --stack-name slipway-prod --region eu-central-1") {
		t.Errorf("got %v", err)
	}
}

// No rights to look is no proof that nothing is there.
func TestWhatElseFailsIsNotTakenForNotDeployed(t *testing.T) {
	prod(t, ok)
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	_, err := deployed.Connect(t.Context(), environment, "")
	if err == nil || errors.Is(err, deployed.ErrNotDeployed) {
		t.Errorf("got %v", err)
	}
}

func TestNoRegion(t *testing.T) {
	prod(t, ok)
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	_, err := deployed.Connect(t.Context(), deployed.Environment{Name: "dev"}, "")
	if err == nil || !strings.Contains(err.Error(), "set AWS_REGION") {
		t.Errorf("got %v", err)
	}
}

// A run that failed is an answer; a function that did not answer is none.
func TestFailures(t *testing.T) {
	failed, _ := json.Marshal(report.Report{Command: "validate", Code: report.ValidationFailed, Message: "edited"})
	message, _ := json.Marshal(string(failed))
	for _, c := range []struct {
		name, answer string
		failed       bool
		code         report.Code
		want         string
	}{
		{"report", `{"errorType":"VALIDATION_FAILED","errorMessage":` + string(message) + `}`, true,
			report.ValidationFailed, ""},
		{"out of time", `{"errorMessage":"2026-01-01 Task timed out after 3.00 seconds"}`, true, "",
			"timed out after 3.00 seconds; its log has more"},
		{"crash", `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 1 Error: exit status 1"}`, true, "",
			"Runtime.ExitError"},
		{"no JSON", `<html>`, true, "", "<html>"},
		{"another function", `{"hello":"world"}`, false, "", `no report: {"hello":"world"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			prod(t, func([]byte) (string, bool) { return c.answer, c.failed })
			client, err := deployed.Connect(t.Context(), environment, "")
			if err != nil {
				t.Fatal(err)
			}
			r, err := client.Ask(t.Context(), deployed.Request{Command: "validate"})
			switch {
			case c.want == "" && (err != nil || r.Code != c.code):
				t.Errorf("got %+v, %v", r, err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// A migration could take long, and must not be asked for twice.
func TestAFunctionThatFailsIsNotCalledAgain(t *testing.T) {
	calls := 0
	prod(t, func([]byte) (string, bool) { calls++; return `{"errorMessage":"x"}`, true })
	client, err := deployed.Connect(t.Context(), environment, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Ask(t.Context(), deployed.Request{Command: "repair"}); err == nil || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func TestSettings(t *testing.T) {
	folder := t.TempDir()
	template := `{"Resources": {"Framework": {"Type": "AWS::Lambda::Function", "Properties": {"Environment": {"Variables": {"X": "y"}}}},
		"Function": {"Type": "AWS::Lambda::Function", "Properties": {"Environment": {"Variables": {"MASTER_SECRET_ARN": {"Ref": "S"}, "FLYWAY_OUT_OF_ORDER": "true",
			"FLYWAY_PLACEHOLDERS_X": {"Ref": "Y"}, "SLIPWAY_BASELINE_VERSION": "3", "PGPORT": "5432"}}}},
		"Inspector": {"Type": "AWS::Lambda::Function", "Properties": {"Environment": {"Variables": {"MASTER_SECRET_ARN": {"Ref": "S"}, "SLIPWAY_READ_ONLY": "true"}}}}}}`
	if err := os.WriteFile(filepath.Join(folder, "slipway-prod.template.json"), []byte(template), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := deployed.Settings(folder, environment)
	if want := map[string]string{"FLYWAY_OUT_OF_ORDER": "true", "SLIPWAY_BASELINE_VERSION": "3"}; err != nil ||
		!maps.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := deployed.Settings(folder, deployed.Environment{Name: "dev"}); err == nil {
		t.Error("no template, and no error")
	}
}
