//go:build faults

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"slipway/lambda/workbench/replacement"
)

var situationReplacementFaults = []fault{
	{"situation-replaced-cluster",
		"an edit that has CloudFormation replace the cluster is refused with the property and what goes with it, " +
			"until cdk.json allows it",
		func(t *testbed) {
			before, after := t.deployable("app", "10.0.0.0/16"), t.deployable("shop", "10.0.0.0/16")
			found := replacement.Compare(before, after)
			t.check(len(found) == 2 && found[0].Level == replacement.Refused && found[1].Level == replacement.Refused,
				"%v", found)
			t.contains(found[0].Message, "cluster Cluster", `DatabaseName "app" → "shop"`)
			t.contains(found[1].Message, "instance Writer", "refers to Cluster")
			after.Environments["prod"] = replacement.Environment{Replace: true}
			for _, f := range replacement.Compare(before, after) {
				t.check(f.Level == replacement.Allowed, "%v", f)
			}
			t.saw("refused: %s; allowed with replace", strings.TrimPrefix(found[0].Message, "slipway-prod-database: "))
		}},
	{"situation-replaced-network",
		"another range of the VPC is told as the end of VPC and subnets",
		func(t *testbed) {
			found := replacement.Compare(t.deployable("app", "10.0.0.0/16"), t.deployable("app", "10.1.0.0/16"))
			t.check(len(found) == 2, "%v", found)
			t.contains(found[0].Message, "subnet Subnet", "VpcId refers to Vpc")
			t.contains(found[1].Message, "VPC Vpc", `CidrBlock "10.0.0.0/16" → "10.1.0.0/16"`)
			t.saw("refused: subnet and VPC")
		}},
	{"situation-renamed-environment",
		"an environment under another name is told as another database, new and empty",
		func(t *testbed) {
			before, after := t.deployable("app", "10.0.0.0/16"), t.deployable("app", "10.0.0.0/16")
			after.Environments = map[string]replacement.Environment{"production": {}}
			found := replacement.Compare(before, after)
			t.check(len(found) == 1 && found[0].Level == replacement.Refused, "%v", found)
			t.contains(found[0].Message, "production is new", "prod is gone",
				"slipway-prod-database keeps cluster Cluster")
			t.saw("refused: another name is another database")
		}},
}

var attackReplacementFaults = []fault{
	{"attack-consent-by-a-link",
		"a branch's cdk.json that is a link allows no replacement, nor does a key that is only like the real one",
		func(t *testbed) {
			consent := filepath.Join(t.dir, "consent.json")
			text := `{"context": {"environments": {"prod": {"Replace": ["database"], "REPLACE": ["database"]}}}}`
			t.must(os.WriteFile(consent, []byte(text), 0o644))
			branch := filepath.Join(t.dir, "branch")
			t.must(os.MkdirAll(branch, 0o755))
			t.must(os.Symlink(consent, filepath.Join(branch, replacement.File)))
			_, err := replacement.ReadEnvironments(branch)
			t.check(err != nil, "the link was followed")
			t.contains(err.Error(), "not a plain file")
			t.must(os.Remove(filepath.Join(branch, replacement.File)))
			t.must(os.WriteFile(filepath.Join(branch, replacement.File), []byte(text), 0o644))
			all, err := replacement.ReadEnvironments(branch)
			t.must(err)
			t.check(!all["prod"].Replace, "%v", all)
			t.saw("the link is refused, the other spellings count for nothing")
		}},
}

// deployable is a project with the environment prod, whose database has that
// name and lies in a VPC of that range.
func (t *testbed) deployable(name, cidr string) replacement.Project {
	template, err := replacement.Parse(fmt.Appendf(nil, `{"Resources": {
		"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": %q}},
		"Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}}},
		"Cluster": {"Type": "AWS::RDS::DBCluster", "Properties": {"DatabaseName": %q}},
		"Writer": {"Type": "AWS::RDS::DBInstance", "Properties": {"DBClusterIdentifier": {"Ref": "Cluster"}}}}}`, cidr, name))
	t.must(err)
	return replacement.Project{
		Environments: map[string]replacement.Environment{"prod": {}},
		Stacks: map[string]replacement.Stack{
			"slipway-prod-database": {Where: "aws://1/r", Template: template}, "slipway-prod": {Where: "aws://1/r"},
		},
	}
}
