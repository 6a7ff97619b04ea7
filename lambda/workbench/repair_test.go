package main

import (
	"encoding/json"
	"testing"

	"slipway/lambda/plan"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// repairs answers as the function that changes the database, and notes what it was asked.
func (s *site) repairs() *[]string {
	asked := &[]string{}
	s.aws.Functions["f"] = func(payload []byte) (string, bool) {
		*asked = append(*asked, string(payload))
		return `{"command":"repair","code":"OK"}`, false
	}
	return asked
}

// The scripts here count, not those of the deployed function, and what is about to
// change is printed before.
func TestRepairOfADeployedEnvironmentGoesByTheScriptsHere(t *testing.T) {
	s := newSite(t)
	asked := s.repairs()
	s.script("V1__a.sql", "-- (c)\nSELECT 1;", "SELECT 1;")
	s.script("V2__b.sql", "SELECT 2;", "SELECT 2;")
	s.script("R__v.sql", "-- (c)\nSELECT 3;", "SELECT 3;")
	was := script.Checksum([]byte("SELECT 1;"))
	now := script.Checksum([]byte("-- (c)\nSELECT 1;"))

	out, _ := s.workbench(0, "repair", "--environment", "prod", "--dry-run")
	s.wantAll(out, "shop on db:5432 as me", "version 1, V1__a.sql: checksum",
		"1 row of the history would be changed; nothing was changed")
	if len(*asked) > 0 {
		t.Errorf("a dry run asks for %s", *asked)
	}
	out, errs := s.workbench(0, "repair", "--environment", "prod")
	s.wantAll(errs, "Database  shop on db:5432 as me", "to be changed: version 1, V1__a.sql: checksum")
	s.wantAll(out, "repair done")
	var request struct {
		Command   string
		Checksums map[string]plan.NewChecksum
	}
	if len(*asked) != 1 || json.Unmarshal([]byte((*asked)[0]), &request) != nil || len(request.Checksums) != 1 ||
		request.Checksums["V1__a.sql"] != (plan.NewChecksum{Was: was, Now: now}) {
		t.Errorf("asked for %s", *asked)
	}

	// Nothing is edited: still the deployed function's own scripts must not count.
	s.script("V1__a.sql", "SELECT 1;", "")
	s.workbench(0, "repair", "--environment", "prod", "--rows", "1,7")
	if len(*asked) != 2 || (*asked)[1] != `{"command":"repair","rows":"1,7","checksums":{}}` {
		t.Errorf("asked for %s", *asked)
	}
}

// The settings of the environment count: its encoding decides a checksum.
func TestRepairReadsScriptsAsTheEnvironmentDoes(t *testing.T) {
	s := newSite(t)
	s.write("cdk.json",
		`{"context": {"environments": {"prod": {"flyway": {"encoding": "ISO-8859-1"}, "placeholders": {"tenant": "acme"}}}}}`)
	asked := s.repairs()
	s.script("V1__a.sql", "SELECT 'gr\xf6\xdfe';", "SELECT 'größe';")
	s.workbench(0, "repair", "--environment", "prod")
	if len(*asked) != 1 || (*asked)[0] != `{"command":"repair","checksums":{}}` {
		t.Errorf("asked for %s", *asked)
	}
}

func TestRepairOfADeployedEnvironmentIsRefused(t *testing.T) {
	s := newSite(t)
	asked := s.repairs()
	s.script("V1__a.sql", "SELECT 1;", "SELECT 1;")
	s.script("V2__b.sql", "", "SELECT 2;")
	s.script("V3__c.sql", "SELECT 3;", "SELECT 3;")
	out, _ := s.workbench(report.ValidationFailed.Exit(), "repair", "--environment", "prod")
	s.wantAll(out, "VALIDATION_FAILED", "V2__b.sql: was applied, and the scripts here do not have it",
		"nothing was changed", "make repair ENVIRONMENT=prod ROWS=2")
	out, _ = s.workbench(0, "repair", "--environment", "prod", "--rows", "2", "--dry-run")
	s.wantAll(out, "V2__b.sql: marked as deleted")
	s.script("V2__b.sql", "SELECT 2;", "")
	s.script("V2_c.sql", "SELECT 2;", "")
	_, errs := s.workbench(report.BadRelease.Exit(), "repair", "--environment", "prod")
	s.wantAll(errs, "V2_c.sql")
	_, errs = s.workbench(2, "repair", "--dry-run")
	s.wantAll(errs, "--dry-run needs --environment")
	if len(*asked) > 0 {
		t.Errorf("asked for %s", *asked)
	}
}

// A database that can't be read is not one to change.
func TestNothingIsChangedWhereTheHistoryCantBeRead(t *testing.T) {
	for _, arguments := range [][]string{{"repair"}, {"revert", "--to", "1"}} {
		s := newSite(t)
		asked := s.repairs()
		s.script("V1__a.sql", "SELECT 1;", "SELECT 1;")
		s.aws.Functions["i"] = func([]byte) (string, bool) {
			return `{"command":"info","code":"DATABASE_UNREACHABLE","message":"no answer"}`, false
		}
		out, _ := s.workbench(report.DatabaseUnreachable.Exit(), append(arguments, "--environment", "prod")...)
		s.wantAll(out, "DATABASE_UNREACHABLE", "no answer")
		if len(*asked) > 0 {
			t.Errorf("asked for %s", *asked)
		}
	}
}

// A function from before this repair says that it does not know the field.
func TestRepairByAnOlderFunction(t *testing.T) {
	s := newSite(t)
	s.script("V1__a.sql", "-- (c)\nSELECT 1;", "SELECT 1;")
	s.aws.Functions["f"] = func([]byte) (string, bool) {
		return `{"command":"repair","code":"BAD_REQUEST","message":"the request: unknown field \"checksums\""}`, false
	}
	_, errs := s.workbench(1, "repair", "--environment", "prod")
	s.wantAll(errs, "older than this checkout")
}

// Which database a revert is about to change is printed before, from what only reads.
func TestRevertSaysWhichDatabase(t *testing.T) {
	s := newSite(t)
	s.repairs()
	_, errs := s.workbench(0, "revert", "--environment", "prod", "--to", "1")
	s.wantAll(errs, "Database  shop on db:5432 as me")
	var order []string
	for _, call := range s.aws.Calls() {
		if call.Operation == "Invoke" {
			order = append(order, call.Who)
		}
	}
	if len(order) != 2 {
		t.Errorf("called %v", order)
	}
	delete(s.aws.Stacks["slipway-prod"], "InspectorName")
	_, errs = s.workbench(0, "revert", "--environment", "prod", "--to", "1")
	s.wantAll(errs, "which database this changes is not known")
}
