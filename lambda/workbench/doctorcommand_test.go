package main

import (
	"encoding/json"
	"strings"
	"testing"

	"slipway/lambda/workbench/doctor"
	"slipway/lambda/workbench/replacement"
)

// Without the CDK's app the comparison says that it was not made.
func TestDoctor(t *testing.T) {
	s := newSite(t)
	s.aws.Stacks["CDKToolkit"] = map[string]string{"BootstrapVersion": "30"}
	_, errs := s.workbench(2, "doctor")
	s.wantAll(errs, "name the environment")
	_, errs = s.workbench(2, "doctor", "--environment", "prd")
	s.wantAll(errs, `no such environment: "prd"; cdk.json has dev, prod`)
	out, _ := s.workbench(1, "doctor", "--environment", "prod")
	s.wantAll(out, "stack slipway-prod-database  it is not there", "→ infra/cdk deploy slipway-prod-database",
		"project here", "cdk.json names no app", "prod: ")
	out, _ = s.workbench(1, "doctor", "--environment", "prod", "--json")
	var d doctor.Diagnosis
	if err := json.Unmarshal([]byte(out), &d); err != nil || d.Environment != "prod" || d.ExitCode() != 1 {
		t.Errorf("%v: %s", err, out)
	}
	s.write("cdk.json", `{"toolkitStackName": "Tools", "context": {"environments": {"prod": {}}}}`)
	out, _ = s.workbench(1, "doctor", "--environment", "prod")
	s.wantAll(out, "there is no stack Tools")
}

func TestDoctorSaysWhatTheComparisonFound(t *testing.T) {
	finding := func(level replacement.Level) []replacement.Finding {
		return []replacement.Finding{{Environment: "prod", Level: level, Message: "the cluster would be replaced"}}
	}
	for _, c := range []struct {
		p     planned
		state doctor.State
		found string
		next  string
	}{
		{planned{environment: "prod", compared: []string{"s"}}, doctor.OK, "replace nothing of the database (s)", ""},
		{planned{environment: "prod"}, doctor.Unchecked, "nothing is deployed", ""},
		{planned{environment: "prod", compared: []string{"s"}, findings: finding(replacement.Refused)}, doctor.Wrong,
			"cluster", "Take the edit back"},
		{planned{environment: "prod", compared: []string{"s"}, findings: finding(replacement.Allowed)},
			doctor.Warning, "cluster", "make plan ENVIRONMENT=prod"},
		{planned{environment: "prod", compared: []string{"s"}, findings: finding(replacement.Warning)},
			doctor.Warning, "cluster", "make plan"},
	} {
		row := rowOf(doctor.Row{State: doctor.Unchecked}, c.p)
		if row.State != c.state || !strings.Contains(row.Found, c.found) || !strings.Contains(row.Next, c.next) {
			t.Errorf("%+v: %+v", c.p, row)
		}
	}
}
