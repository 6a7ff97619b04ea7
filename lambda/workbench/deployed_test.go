package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/lambda/proof/awstest"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// site is a project in a folder of its own, whose environment prod is deployed
// in a stand-in, with a history.
type site struct {
	*testing.T
	aws     *awstest.AWS
	applied []report.Script
}

func newSite(t *testing.T) *site {
	t.Helper()
	t.Chdir(t.TempDir())
	s := &site{T: t, aws: awstest.Start(t)}
	s.aws.Use(t)
	s.write("cdk.json", `{"context": {"environments": {"dev": {}, "prod": {"account": "111122223333", "region": "eu-central-1"}}}}`)
	s.aws.Stacks["slipway-prod"] = map[string]string{"FunctionName": "f", "InspectorName": "i"}
	s.aws.Templates["slipway-prod"] = functionTemplate
	s.aws.Functions["i"] = func([]byte) (string, bool) {
		raw, _ := json.Marshal(report.Report{Command: "info", Code: report.OK, Scripts: s.applied,
			Database: report.Database{Host: "db", Port: 5432, Name: "shop", User: "me"}})
		return string(raw), false
	}
	return s
}

func (s *site) write(name, text string) {
	s.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		s.Fatal(err)
	}
}

// functionTemplate is the stack of prod's migration, as far as it counts here.
const functionTemplate = `{"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Environment": {
	"Variables": {"MASTER_SECRET_ARN": "x", "FLYWAY_PLACEHOLDERS_TENANT": "acme"}}}}}}`

// assemble writes cdk.out with the templates of prod's stacks, as the CDK does;
// "" for none.
func (s *site) assemble(migration, database string) {
	s.Helper()
	artifacts := map[string]any{}
	for name, template := range map[string]string{"slipway-prod": migration, "slipway-prod-database": database} {
		if template == "" {
			continue
		}
		s.write("cdk.out/"+name+".template.json", template)
		artifacts[name] = map[string]any{
			"type": "aws:cloudformation:stack", "environment": "aws://111122223333/eu-central-1",
			"properties": map[string]any{"templateFile": name + ".template.json", "stackName": name},
		}
	}
	raw, err := json.Marshal(map[string]any{"artifacts": artifacts})
	if err != nil {
		s.Fatal(err)
	}
	s.write("cdk.out/manifest.json", string(raw))
}

// script writes a script; with a text in the history, that one was applied.
func (s *site) script(name, now, applied string) {
	s.Helper()
	if now != "" {
		s.write("sql/postgresql/"+name, now)
	}
	if applied == "" {
		return
	}
	parsed, err := script.ParseName(name)
	if err != nil {
		s.Fatal(err)
	}
	sum, on := script.Checksum([]byte(applied)), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s.applied = append(s.applied, report.Script{Version: parsed.Version.String(), Description: parsed.Description,
		Type: "SQL", Script: name, State: "Success", InstalledOn: &on, Checksum: &sum})
}

// workbench runs a command and wants this exit code.
func (s *site) workbench(want int, arguments ...string) (out, errs string) {
	s.Helper()
	var o, e strings.Builder
	env := map[string]string{"HOME": s.TempDir(), "NO_COLOR": ""}
	if code := execute(s.Context(), arguments, env, &o, &e); code != want {
		s.Fatalf("%v ended with %d, not %d:\n%s%s", arguments, code, want, o.String(), e.String())
	}
	return o.String(), e.String()
}

func (s *site) wantAll(text string, parts ...string) {
	s.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			s.Errorf("no %q in:\n%s", part, text)
		}
	}
}

func TestInfoOfADeployedEnvironment(t *testing.T) {
	s := newSite(t)
	s.script("V1__a.sql", "SELECT 1;", "SELECT 1;")
	out, _ := s.workbench(0, "info", "--environment", "prod")
	s.wantAll(out, "shop on db:5432 as me", "Success", "1 applied, 0 pending")
	out, _ = s.workbench(0, "info", "--environment", "prod", "--json")
	if !json.Valid([]byte(out)) {
		t.Errorf("no JSON: %s", out)
	}
}

func TestAWrongEnvironmentIsSaid(t *testing.T) {
	s := newSite(t)
	for _, command := range []string{"info", "validate", "repair", "pending"} {
		_, errs := s.workbench(2, command, "--environment", "prd")
		s.wantAll(errs, `no such environment: "prd"; cdk.json has dev, prod`)
		if command == "pending" {
			continue // for which that is an answer
		}
		_, errs = s.workbench(1, command, "--environment", "dev")
		s.wantAll(errs, "not deployed: there is no stack slipway-dev in eu-central-1")
	}
	_, errs := s.workbench(2, "pending")
	s.wantAll(errs, "name the environment")
}

// The exit code is that of the run.
func TestAFailedRunOfADeployedEnvironment(t *testing.T) {
	s := newSite(t)
	s.script("V1__a.sql", "SELECT 1;", "SELECT 1;")
	s.aws.Functions["f"] = func([]byte) (string, bool) {
		raw, _ := json.Marshal(report.Report{Command: "repair", Code: report.Locked, Message: "held by another run",
			Next: "Wait."})
		answer, _ := json.Marshal(map[string]string{"errorType": "LOCKED", "errorMessage": string(raw)})
		return string(answer), true
	}
	out, _ := s.workbench(report.Locked.Exit(), "repair", "--environment", "prod")
	s.wantAll(out, "LOCKED", "held by another run", "Wait.")
}

func TestPending(t *testing.T) {
	s := newSite(t)
	s.script("V1__a.sql", "SELECT 1;", "SELECT 1;")
	s.script("R__same.sql", "SELECT '${tenant}';", "SELECT 'acme';")
	s.script("R__view.sql", "SELECT 2;", "SELECT 1;")
	s.script("V2__b.sql", "SELECT 2;", "")
	s.assemble(functionTemplate, "")
	out, _ := s.workbench(0, "pending", "--environment", "prod", "--assembly", "cdk.out", "--summary", "summary.txt")
	s.wantAll(out, "2 pending", "shop on db:5432")
	if raw, _ := os.ReadFile("summary.txt"); string(raw) != "2 scripts are pending: V2__b.sql, R__view.sql\n" {
		t.Errorf("summary %q", raw)
	}
	// Without what would be deployed, the placeholder has no value, and the script may run again.
	out, _ = s.workbench(0, "pending", "--environment", "prod", "--summary", "summary.txt")
	s.wantAll(out, "undecided: only Flyway can tell the checksum of R__same.sql", "Undecided",
		"1 of the applied undecided")
	if raw, _ := os.ReadFile("summary.txt"); string(raw) != "2 scripts are pending: V2__b.sql, R__view.sql; "+
		"undecided: only Flyway can tell the checksum of R__same.sql\n" {
		t.Errorf("summary %q", raw)
	}
}

// A long list of names does not hide from the approval what is undecided.
func TestPendingSaysWhatIsUndecided(t *testing.T) {
	s := newSite(t)
	s.script("R__same.sql", "SELECT '${flyway:filename}';", "SELECT 'x';")
	for i := range 100 {
		s.script(fmt.Sprintf("V%d__a_long_name_for_a_script.sql", i+1), "SELECT 1;", "")
	}
	s.workbench(0, "pending", "--environment", "prod", "--summary", "summary.txt")
	raw, _ := os.ReadFile("summary.txt")
	s.wantAll(string(raw), "100 scripts are pending: V1__",
		"; undecided: only Flyway can tell the checksum of R__same.sql")
	if len(raw) > maxOutcome+1 {
		t.Errorf("%d bytes", len(raw))
	}
}

// A stack from before there was a function that only reads: the approval says
// that it knows nothing, and nobody asks the function that changes the database.
func TestPendingWithoutAnInspector(t *testing.T) {
	s := newSite(t)
	s.script("V1__a.sql", "SELECT 1;", "")
	s.aws.Stacks["slipway-prod"] = map[string]string{"FunctionName": "f",
		"ReaderArn": "arn:aws:iam::111122223333:role/reader"}
	s.aws.Functions["f"] = s.aws.Functions["i"]
	for _, role := range []string{"", "arn:aws:iam::111122223333:role/lookup"} {
		_, errs := s.workbench(0, "pending", "--environment", "prod", "--lookup-role", role, "--summary", "summary.txt")
		s.wantAll(errs, "no InspectorName", "next deployment")
		if raw, _ := os.ReadFile("summary.txt"); string(raw) != "which scripts are pending is not known before this "+
			"deployment\n" {
			t.Errorf("summary %q", raw)
		}
	}
	for _, command := range []string{"info", "validate"} {
		_, errs := s.workbench(1, command, "--environment", "prod")
		s.wantAll(errs, "no InspectorName", "next deployment")
	}
	_, errs := s.workbench(1, "revert", "--environment", "prod", "--to", "1", "--dry-run")
	s.wantAll(errs, "no InspectorName")
	for _, call := range s.aws.Calls() {
		if call.Operation == "Invoke" {
			t.Errorf("%s called the function", call.Who)
		}
	}
}

func TestEverythingIsPendingWhereNothingIsDeployed(t *testing.T) {
	s := newSite(t)
	delete(s.aws.Stacks, "slipway-prod")
	s.script("V1__a.sql", "SELECT 1;", "")
	_, errs := s.workbench(0, "pending", "--environment", "prod", "--summary", "summary.txt")
	s.wantAll(errs, "everything is pending")
	if raw, _ := os.ReadFile("summary.txt"); string(raw) != "1 script is pending: V1__a.sql\n" {
		t.Errorf("summary %q", raw)
	}
}

// An environment that was deployed before the pipeline came has no role for it:
// that must not keep the deployment away that brings one.
func TestPendingWithoutARole(t *testing.T) {
	s := newSite(t)
	s.script("V1__a.sql", "SELECT 1;", "")
	_, errs := s.workbench(0, "pending", "--environment", "prod", "--lookup-role",
		"arn:aws:iam::111122223333:role/lookup", "--summary", "summary.txt")
	s.wantAll(errs, "no ReaderArn")
	if raw, _ := os.ReadFile("summary.txt"); !strings.Contains(string(raw), "not known") {
		t.Errorf("summary %q", raw)
	}
}

// What migrate would refuse is known before anybody approves it.
func TestPendingForetellsARefusal(t *testing.T) {
	s := newSite(t)
	s.script("V1__a.sql", "SELECT 11;", "SELECT 1;")
	s.script("V3__c.sql", "SELECT 3;", "SELECT 3;")
	s.script("V2__b.sql", "SELECT 2;", "")
	out, _ := s.workbench(report.ValidationFailed.Exit(), "pending", "--environment", "prod", "--summary",
		"summary.txt")
	s.wantAll(out, "VALIDATION_FAILED", "V1__a.sql", "edited after it was applied", "V2__b.sql", "comes late")
	if raw, _ := os.ReadFile("summary.txt"); !strings.HasPrefix(string(raw), "VALIDATION_FAILED") {
		t.Errorf("summary %q", raw)
	}
}

// A function that can't read the history says nothing of what is pending.
func TestPendingWithoutAHistory(t *testing.T) {
	s := newSite(t)
	s.script("V1__a.sql", "SELECT 1;", "")
	s.aws.Functions["i"] = func([]byte) (string, bool) {
		return `{"command":"info","code":"DATABASE_UNREACHABLE","message":"no answer"}`, false
	}
	_, errs := s.workbench(1, "pending", "--environment", "prod")
	s.wantAll(errs, "the history can't be read", "no answer")
}

func TestComment(t *testing.T) {
	s := newSite(t)
	s.aws.Pulls["3"] = &awstest.PullRequest{Revision: "r"}
	pull := s.aws.Pulls["3"]
	s.write("review.md", "All is well.\n")
	s.write("approval", "approve\n")
	arguments := func(code, file string) []string {
		return []string{"comment", "--repository", "slipway", "--pull-request", "3", "--revision", "r", "--commits",
			"aa..bb", "--code", code, "--markdown", file, "--approval", "approval",
			"--role", "arn:aws:iam::111122223333:role/commenter"}
	}
	const author = "arn:aws:sts::111122223333:assumed-role/commenter/slipway-review"
	s.workbench(0, arguments("0", "review.md")...)
	if pull.Approvals[author] != "APPROVE" || len(pull.Comments) != 1 ||
		!strings.Contains(pull.Comments[0].Content, "All is well.") {
		t.Errorf("%+v", pull)
	}
	for _, code := range []string{"1", "70"} {
		s.workbench(0, arguments(code, "review.md")...)
		if pull.Approvals[author] != "REVOKE" {
			t.Errorf("code %s: %+v", code, pull)
		}
	}
	// Nothing blocks the merge, and still it is for a person to say.
	for _, says := range []string{"\"cdk.json\" is outside sql/postgresql/\n", "", "approve", "approve\napprove\n"} {
		s.write("approval", says)
		pull.Approvals[author] = "APPROVE"
		s.workbench(0, arguments("0", "review.md")...)
		if pull.Approvals[author] != "REVOKE" {
			t.Errorf("approved with %q", says)
		}
	}
	s.write("approval", "approve\n")
	// A review that left no text approves nothing, whatever its code.
	s.workbench(0, arguments("0", "none.md")...)
	if pull.Approvals[author] != "REVOKE" || len(pull.Comments) != 1 ||
		!strings.Contains(pull.Comments[0].Content, "could not be judged") {
		t.Errorf("%+v", pull)
	}
	s.workbench(2, "comment", "--pull-request", "3")
	s.workbench(0, "comment", "--pull-request", "none")
}

// The outcome becomes a part of an approval's comment, which is sent by mail.
func TestSummaryIsFitForAnApproval(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pending.txt")
	if err := writeSummary(file,
		"1 script is pending: V1__see_https://evil.example\x1b[2J\u202e\n#{Source.Secret}.sql"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if want := "1 script is pending: V1__see_https: //evil.example(U+001B)[2J(U+202E) # {Source.Secret}.sql\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
}
