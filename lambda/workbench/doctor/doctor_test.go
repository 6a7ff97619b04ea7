package doctor_test

import (
	"encoding/json"
	"strings"
	"testing"

	"slipway/lambda/proof/awstest"
	"slipway/lambda/report"
	"slipway/lambda/workbench/deployed"
	"slipway/lambda/workbench/doctor"
)

const secretARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop-AbCdEf"

// patient is an environment that is deployed and well; a test breaks it.
type patient struct {
	*awstest.AWS
	environment deployed.Environment
	info        report.Report
}

func newPatient(t *testing.T) *patient {
	a := awstest.Start(t)
	a.Use(t)
	p := &patient{AWS: a, environment: deployed.Environment{Name: "prod", Account: awstest.Account,
		Region: "eu-central-1"}}
	p.info = report.Report{Command: "info", Code: report.OK, Database: report.Database{
		Host: "db.example", Port: 5432, Name: "app", User: "me", ServerVersion: "17.7",
		TLS: "TLS 1.3", Verified: true, Rights: []string{"createrole"},
	}}
	a.Stacks["CDKToolkit"] = map[string]string{"BootstrapVersion": "30"}
	a.Stacks["slipway-prod-database"] = map[string]string{"Host": "db.example", "SecretArn": secretARN}
	a.Stacks["slipway-prod"] = map[string]string{"FunctionName": "f", "InspectorName": "i"}
	a.Protected = map[string]bool{"slipway-prod-database": true}
	a.Resources = map[string][]awstest.Resource{"slipway-prod": {
		{Type: "AWS::EC2::VPCEndpoint", ID: "vpce-1"}, {Type: "AWS::Logs::LogGroup", ID: "g-1"},
		{Type: "AWS::Logs::LogGroup", ID: "g-2"}, {Type: "AWS::IAM::Role", ID: "r"},
	}}
	a.Endpoints = map[string]string{"vpce-1": "available"}
	a.LogGroups = map[string]bool{"g-1": true, "g-2": true}
	a.Secrets = map[string]int{secretARN: 0}
	a.Denied = map[string]bool{}
	variables := map[string]string{"PGHOST": "db.example", "MASTER_SECRET_ARN": secretARN}
	a.Variables = map[string]map[string]string{"f": variables, "i": variables}
	a.Functions["f"] = func([]byte) (string, bool) { t.Error("the function that changes was called"); return "", true }
	a.Functions["i"] = func([]byte) (string, bool) {
		raw, _ := json.Marshal(p.info)
		if p.info.OK() {
			return string(raw), false
		}
		failure, _ := json.Marshal(map[string]string{"errorType": string(p.info.Code), "errorMessage": string(raw)})
		return string(failure), true
	}
	return p
}

func (p *patient) examine(t *testing.T) doctor.Diagnosis {
	t.Helper()
	return doctor.Examine(t.Context(), doctor.Options{Environment: p.environment})
}

// text is the diagnosis as people see it.
func text(t *testing.T, d doctor.Diagnosis) string {
	t.Helper()
	var b strings.Builder
	if err := d.WriteText(&b, false); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAHealthyEnvironment(t *testing.T) {
	p := newPatient(t)
	d := p.examine(t)
	for _, r := range d.Rows {
		if r.State != doctor.OK || r.Next != "" {
			t.Errorf("%+v", r)
		}
	}
	if len(d.Rows) != 16 || d.ExitCode() != 0 {
		t.Errorf("%d rows, exit code %d:\n%s", len(d.Rows), d.ExitCode(), text(t, d))
	}
	for _, operation := range []string{"UpdateTerminationProtection", "GetSecretValue", "DeleteStack"} {
		if p.Did("user/test", operation) {
			t.Errorf("%s was called", operation)
		}
	}
}

// Each is broken in one place: the row says so, with a next step, and no other
// row claims to be right that could not be looked at.
func TestWhatIsBrokenIsSaid(t *testing.T) {
	fail := func(code report.Code) func(*patient) {
		return func(p *patient) {
			p.info.Code, p.info.Message, p.info.Next = code, "it is so", "Do that."
			p.info.Database = report.Database{Host: "db.example", User: "me"}
			if code == report.SecretUnreadable {
				p.info.Database = report.Database{}
			}
		}
	}
	for name, c := range map[string]struct {
		injure func(*patient)
		part   string
		state  doctor.State
		found  string
		next   string
		code   int
	}{
		"another account": {
			func(p *patient) { p.environment.Account = "444455556666" },
			"credentials", doctor.Wrong, "111122223333, and cdk.json says 444455556666", "AWS_PROFILE", 1,
		},
		"no bootstrap": {
			func(p *patient) { delete(p.Stacks, "CDKToolkit") },
			"bootstrap", doctor.Wrong,
			"no stack CDKToolkit", "infra/cdk bootstrap aws://111122223333/eu-central-1", 1,
		},
		"no account in cdk.json": {
			func(p *patient) { p.environment.Account = ""; delete(p.Stacks, "CDKToolkit") },
			"bootstrap", doctor.Wrong, "no stack", "aws://111122223333/eu-central-1", 1,
		},
		"signed out": {
			func(p *patient) { p.Denied["GetCallerIdentity"] = true },
			"credentials", doctor.Wrong, "does not say whose", "aws sso login", 1,
		},
		"old bootstrap": {
			func(p *patient) { p.Stacks["CDKToolkit"]["BootstrapVersion"] = "5" },
			"bootstrap", doctor.Wrong, "version 5", "infra/cdk bootstrap", 1,
		},
		"no database": {
			func(p *patient) { delete(p.Stacks, "slipway-prod-database") },
			"stack slipway-prod-database", doctor.Wrong,
			"not there", "infra/cdk deploy slipway-prod-database", 1,
		},
		"not deployed": {
			func(p *patient) { delete(p.Stacks, "slipway-prod") },
			"stack slipway-prod", doctor.Wrong, "not there", "infra/cdk deploy slipway-prod", 1,
		},
		"first failed": {
			func(p *patient) { p.Status["slipway-prod-database"] = "ROLLBACK_COMPLETE" },
			"stack slipway-prod-database", doctor.Wrong,
			"ROLLBACK_COMPLETE", "--no-enable-termination-protection --stack-name slipway-prod-database --region " +
				"eu-central-1 and aws cloudformation delete-stack", 1,
		},
		"taken back": {
			func(p *patient) { p.Status["slipway-prod"] = "UPDATE_ROLLBACK_COMPLETE" },
			"stack slipway-prod", doctor.Warning, "UPDATE_ROLLBACK_COMPLETE", "describe-stack-events", 0,
		},
		"stuck": {
			func(p *patient) { p.Status["slipway-prod"] = "UPDATE_ROLLBACK_FAILED" },
			"stack slipway-prod", doctor.Wrong,
			"UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name slipway-prod", 1,
		},
		"in progress": {
			func(p *patient) { p.Status["slipway-prod"] = "UPDATE_IN_PROGRESS" },
			"stack slipway-prod", doctor.Warning, "UPDATE_IN_PROGRESS", "ask again later", 0,
		},
		"unprotected": {
			func(p *patient) { p.Protected = nil },
			"termination protection", doctor.Wrong,
			"off", "update-termination-protection --enable-termination-protection --stack-name slipway-prod-database",
			1,
		},
		"throwaway": {
			func(p *patient) { p.Protected = nil; p.environment.Throwaway = true },
			"termination protection", doctor.OK, "throwaway", "", 0,
		},
		"no function": {
			func(p *patient) { delete(p.Functions, "f") },
			"function", doctor.Wrong, "f is gone", "delete-stack --stack-name slipway-prod ", 1,
		},
		"failed function": {
			func(p *patient) { p.Idle["f"] = awstest.Idle{State: "Failed"} },
			"function", doctor.Wrong, "Failed: as the test has it", "Mend", 1,
		},
		"idle function": {
			func(p *patient) { p.Idle["i"] = awstest.Idle{State: "Inactive"} },
			"inspector", doctor.Warning, "idle for long", "Lambda bring it back", 0,
		},
		"moved": {
			func(p *patient) { p.Stacks["slipway-prod-database"]["Host"] = "new.example" },
			"address of the database", doctor.Wrong,
			"has the host db.example, and slipway-prod-database says new.example", "-c rerun=", 1,
		},
		"another secret": {
			func(p *patient) { p.Stacks["slipway-prod-database"]["SecretArn"] = "arn:other" },
			"address of the database (inspector)", doctor.Wrong, "the inspector has the secret", "-c rerun=", 1,
		},
		"no endpoint": {
			func(p *patient) { p.Endpoints = nil },
			"endpoint of Secrets Manager", doctor.Wrong, "vpce-1 is gone", "delete-stack", 1,
		},
		"bad endpoint": {
			func(p *patient) { p.Endpoints["vpce-1"] = "rejected" },
			"endpoint of Secrets Manager", doctor.Wrong, "rejected", "delete-stack", 1,
		},
		"no log group": {
			func(p *patient) { delete(p.LogGroups, "g-2") },
			"log groups", doctor.Wrong,
			"g-2: gone", "create-log-group --log-group-name g-2 --region eu-central-1", 1,
		},
		"secret deleted": {
			func(p *patient) { p.Secrets[secretARN] = 1780000000; fail(report.SecretUnreadable)(p) },
			"secret", doctor.Wrong, "is to be deleted", "restore-secret --secret-id " + secretARN, 1,
		},
		"secret gone": {
			func(p *patient) { p.Secrets = nil; fail(report.SecretUnreadable)(p) },
			"secret", doctor.Wrong, "is not there", "infra/RESTORE.md", 1,
		},
		"secret denied": {fail(report.SecretUnreadable), "secret", doctor.Wrong, "it is so", "Do that.", 1},
		"unreachable": {
			fail(report.DatabaseUnreachable),
			"connection", doctor.Wrong, "DATABASE_UNREACHABLE: it is so", "Do that.", 1,
		},
		"refused": {
			fail(report.AccessDenied),
			"connection", doctor.Wrong, "ACCESS_DENIED", "Do that.", 1,
		},
		"no TLS": {
			func(p *patient) { p.info.Database.TLS, p.info.Database.Verified = report.NoTLS, false },
			"connection", doctor.Wrong, "without TLS", "SLIPWAY_INSECURE_TLS", 1,
		},
		"unverified": {
			func(p *patient) { p.info.Database.Verified = false },
			"connection", doctor.Wrong, "not verified", "SLIPWAY_INSECURE_TLS", 1,
		},
		"older release": {
			func(p *patient) { p.info.Database.TLS = "" },
			"connection", doctor.Unchecked, "does not say whether by TLS", "next deployment", 3,
		},
		"failed script": {
			func(p *patient) { p.info.Problems = []report.Problem{{Script: "V3__x.sql", Reason: "failed"}} },
			"history", doctor.Wrong, "V3__x.sql failed", "make info ENVIRONMENT=prod", 1,
		},
		"warned": {
			func(p *patient) { p.info.Warnings = []string{"beware"} },
			"history", doctor.Warning, "beware", "make info", 0,
		},
		"no inspector": {
			func(p *patient) { delete(p.Stacks["slipway-prod"], "InspectorName") },
			"inspector's report", doctor.Unchecked, "InspectorName", "infra/cdk deploy", 3,
		},
		"logs denied": {
			func(p *patient) { p.Denied["DescribeLogGroups"] = true },
			"log groups", doctor.Unchecked, "may not call logs:DescribeLogGroups", "Allow", 3,
		},
		"ec2 denied": {
			func(p *patient) { p.Denied["DescribeVpcEndpoints"] = true },
			"endpoint of Secrets Manager", doctor.Unchecked,
			"may not call ec2:DescribeVpcEndpoints", "Allow", 3,
		},
		"lambda denied": {
			func(p *patient) { p.Denied["GetFunction"] = true },
			"function", doctor.Unchecked, "may not call lambda:GetFunction", "Allow", 3,
		},
		"stacks denied": {
			func(p *patient) { p.Denied["DescribeStacks"] = true },
			"stack slipway-prod", doctor.Unchecked, "may not call cloudformation:DescribeStacks", "Allow", 3,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t)
			c.injure(p)
			d := p.examine(t)
			if d.ExitCode() != c.code {
				t.Errorf("exit code %d, not %d", d.ExitCode(), c.code)
			}
			seen := false
			for _, r := range d.Rows {
				if r.Part == c.part && r.State == c.state && strings.Contains(r.Found, c.found) &&
					strings.Contains(r.Next,
						c.next) {
					seen = true
				}
				if r.State == doctor.Wrong && r.Next == "" {
					t.Errorf("no next step: %+v", r)
				}
			}
			if !seen {
				t.Errorf("no row of %q that says %q and %q", c.part, c.found, c.next)
			}
			if t.Failed() {
				t.Log(text(t, d))
			}
		})
	}
}

// What could not be reached is not called right.
func TestNothingIsSaidOfWhatWasNotSeen(t *testing.T) {
	p := newPatient(t)
	p.info = report.Report{Command: "info", Code: report.DatabaseUnreachable, Message: "no route", Next: "x",
		Database: report.Database{User: "me"}}
	for _, r := range p.examine(t).Rows {
		if r.State == doctor.OK && (r.Part == "database" || r.Part == "history" || r.Part == "role" ||
			r.Part == "connection") {
			t.Errorf("%+v", r)
		}
	}
	delete(p.Stacks, "slipway-prod")
	for _, r := range p.examine(t).Rows {
		if r.State == doctor.OK && r.Part != "credentials" && r.Part != "bootstrap" &&
			!strings.Contains(r.Part+r.Found, "database") {
			t.Errorf("%+v", r)
		}
	}
}
