package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// clusterTemplate is the stack of prod's database, with that name of the database.
func clusterTemplate(name string) string {
	return fmt.Sprintf(`{"Resources": {
		"Cluster": {"Type": "AWS::RDS::DBCluster", "DeletionPolicy": "Snapshot", "Properties": {"DatabaseName": %q}},
		"Writer": {"Type": "AWS::RDS::DBInstance", "Properties": {"DBClusterIdentifier": {"Ref": "Cluster"}}}}}`, name)
}

// What is deployed is compared with what would be: by make plan, and by the step
// before an approval, whose summary begins with it.
func TestPendingComparesWithTheDeployedTemplates(t *testing.T) {
	const replaced = `slipway-prod-database: the cluster Cluster (AWS::RDS::DBCluster) would be replaced: DatabaseName "app" → "shop"`
	const given = `{"context": {"environments": {"prod": {"account": "111122223333", "region": "eu-central-1"%s}}}}`
	pending := []string{"pending", "--environment", "prod", "--assembly", "cdk.out", "--summary", "summary.txt"}
	for name, c := range map[string]struct {
		more     string // keys of prod
		deployed string // name of the database that is deployed; "" for no such stack
		status   string
		next     string // name that would be; "" for no such stack
		code     int
		want     []string
		summary  string
	}{
		"the same": {"", "app", "", "app", 0, []string{"no cluster, instance, key, secret, VPC or subnet would be " +
			"replaced"},
			"1 script is pending"},
		"replaced": {"", "app", "", "shop", 1,
			[]string{"refused: " + replaced, `environments.prod.replace = ["database"]`, "1 pending"},
			"REPLACES OR DELETES 2 of the database: " + replaced + "; 1 script is pending"},
		"after a rollback": {"", "app", "UPDATE_ROLLBACK_COMPLETE", "shop", 1, []string{"refused: " + replaced},
			"REPLACES"},
		"meant": {`, "replace": ["database"]`, "app", "", "shop", 0, []string{"allowed: " + replaced, "1 pending"},
			"REPLACES OR DELETES 2 of the database: " + replaced + "; 1 script is pending"},
		"nothing left to replace": {`, "replace": ["database"]`, "app", "", "app", 0, []string{"warning: replace has"},
			"1 script"},
		"never deployed": {"", "", "", "shop", 1, []string{"refused: slipway-prod-database: a database is made, new " +
			"and empty"}, "REPLACES"},
		"its first deployment failed": {"", "app", "ROLLBACK_COMPLETE", "shop", 1,
			[]string{"a database is made, new and empty"}, "REPLACES"},
		"others' database": {`, "database": {"vpcId": "vpc-1"}`, "app", "", "", 0,
			[]string{"slipway-prod-database is deployed, and this deployment does not touch it"}, "1 script"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.write("cdk.json", fmt.Sprintf(given, c.more))
			s.script("V1__a.sql", "SELECT 1;", "SELECT 1;")
			s.script("V2__b.sql", "SELECT 2;", "")
			if c.deployed != "" {
				s.aws.Stacks["slipway-prod-database"] = map[string]string{}
				s.aws.Templates["slipway-prod-database"] = clusterTemplate(c.deployed)
				s.aws.Status["slipway-prod-database"] = c.status
			}
			next := ""
			if c.next != "" {
				next = clusterTemplate(c.next)
			}
			s.assemble(functionTemplate, next)
			out, _ := s.workbench(c.code, pending...)
			s.wantAll(out, c.want...)
			if raw, _ := os.ReadFile("summary.txt"); !strings.HasPrefix(string(raw), c.summary) {
				t.Errorf("summary %q", raw)
			}
		})
	}
}

// The lookup role is who looks at the templates.
func TestTemplatesAreReadInTheLookupRole(t *testing.T) {
	s := newSite(t)
	s.script("V1__a.sql", "SELECT 1;", "SELECT 1;")
	s.aws.Stacks["slipway-prod"]["ReaderArn"] = "arn:aws:iam::111122223333:role/reader"
	s.assemble(functionTemplate, "")
	s.workbench(0, "pending", "--environment", "prod", "--assembly", "cdk.out", "--lookup-role",
		"arn:aws:iam::111122223333:role/lookup")
	if !s.aws.Did("assumed-role/lookup/slipway", "GetTemplate") || s.aws.Did("user/test", "GetTemplate") {
		t.Errorf("%v", s.aws.Calls())
	}
}

// make plan runs the project's app itself.
func TestPlanMakesTheTemplates(t *testing.T) {
	s := newSite(t)
	s.script("V1__a.sql", "SELECT 1;", "")
	s.aws.Stacks["slipway-prod-database"] = map[string]string{}
	s.aws.Templates["slipway-prod-database"] = clusterTemplate("app")
	s.assemble(functionTemplate, clusterTemplate("shop"))
	if err := os.Rename("cdk.out", "made"); err != nil {
		t.Fatal(err)
	}
	s.write("cdk.json", `{"app": "cp -R made \"$CDK_OUTDIR\" && test \"$CDK_CONTEXT_JSON\" != {}", "context": {"environments": {"prod":
		{"account": "111122223333", "region": "eu-central-1"}}}}`)
	t.Setenv("TMPDIR", t.TempDir())
	out, _ := s.workbench(1, "plan", "--environment", "prod")
	s.wantAll(out, "refused: slipway-prod-database: the cluster Cluster", "1 pending")
	if left, _ := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "slipway-plan-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	s.write("cdk.json", `{"app": "echo a bad key; exit 3", "context": {"environments": {"prod": {}}}}`)
	_, errs := s.workbench(1, "plan", "--environment", "prod")
	s.wantAll(errs, "what would be deployed is not known", "a bad key")
	_, errs = s.workbench(2, "plan", "--environment", "prd")
	s.wantAll(errs, "no such environment")
}
