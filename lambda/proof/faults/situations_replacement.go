package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"slipway/lambda/workbench/replacement"
)

var situationReplacementFaults = []fault{
	{"situation-replaced-cluster",
		"an edit that has CloudFormation replace the cluster is refused with the property and what goes with it, until cdk.json allows it",
		func(l *lab) {
			before, after := l.deployable("app", "10.0.0.0/16"), l.deployable("shop", "10.0.0.0/16")
			found := replacement.Compare(before, after)
			l.check(len(found) == 2 && found[0].Level == replacement.Refused && found[1].Level == replacement.Refused, "%v", found)
			l.contains(found[0].Message, "cluster Cluster", `DatabaseName "app" → "shop"`)
			l.contains(found[1].Message, "instance Writer", "refers to Cluster")
			after.Environments["prod"] = replacement.Environment{Replace: true}
			for _, f := range replacement.Compare(before, after) {
				l.check(f.Level == replacement.Allowed, "%v", f)
			}
			l.saw("refused: %s; allowed with replace", strings.TrimPrefix(found[0].Message, "slipway-prod-database: "))
		}},
	{"situation-replaced-network",
		"another range of the VPC is told as the end of VPC and subnets",
		func(l *lab) {
			found := replacement.Compare(l.deployable("app", "10.0.0.0/16"), l.deployable("app", "10.1.0.0/16"))
			l.check(len(found) == 2, "%v", found)
			l.contains(found[0].Message, "subnet Subnet", "VpcId refers to Vpc")
			l.contains(found[1].Message, "VPC Vpc", `CidrBlock "10.0.0.0/16" → "10.1.0.0/16"`)
			l.saw("refused: subnet and VPC")
		}},
	{"situation-renamed-environment",
		"an environment under another name is told as another database, new and empty",
		func(l *lab) {
			before, after := l.deployable("app", "10.0.0.0/16"), l.deployable("app", "10.0.0.0/16")
			after.Environments = map[string]replacement.Environment{"production": {}}
			found := replacement.Compare(before, after)
			l.check(len(found) == 1 && found[0].Level == replacement.Refused, "%v", found)
			l.contains(found[0].Message, "production is new", "prod is gone", "slipway-prod-database keeps cluster Cluster")
			l.saw("refused: another name is another database")
		}},
}

var attackReplacementFaults = []fault{
	{"attack-consent-by-a-link",
		"a branch's cdk.json that is a link allows no replacement, nor does a key that is only like the real one",
		func(l *lab) {
			consent := filepath.Join(l.dir, "consent.json")
			text := `{"context": {"environments": {"prod": {"Replace": ["database"], "REPLACE": ["database"]}}}}`
			l.must(os.WriteFile(consent, []byte(text), 0o644))
			branch := filepath.Join(l.dir, "branch")
			l.must(os.MkdirAll(branch, 0o755))
			l.must(os.Symlink(consent, filepath.Join(branch, replacement.File)))
			_, err := replacement.ReadEnvironments(branch)
			l.check(err != nil, "the link was followed")
			l.contains(err.Error(), "not a plain file")
			l.must(os.Remove(filepath.Join(branch, replacement.File)))
			l.must(os.WriteFile(filepath.Join(branch, replacement.File), []byte(text), 0o644))
			all, err := replacement.ReadEnvironments(branch)
			l.must(err)
			l.check(!all["prod"].Replace, "%v", all)
			l.saw("the link is refused, the other spellings count for nothing")
		}},
}

// deployable is a project with the environment prod, whose database has that
// name and lies in a VPC of that range.
func (l *lab) deployable(name, cidr string) replacement.Project {
	template, err := replacement.Parse(fmt.Appendf(nil, `{"Resources": {
		"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": %q}},
		"Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}}},
		"Cluster": {"Type": "AWS::RDS::DBCluster", "Properties": {"DatabaseName": %q}},
		"Writer": {"Type": "AWS::RDS::DBInstance", "Properties": {"DBClusterIdentifier": {"Ref": "Cluster"}}}}}`, cidr, name))
	l.must(err)
	return replacement.Project{
		Environments: map[string]replacement.Environment{"prod": {}},
		Stacks: map[string]replacement.Stack{
			"slipway-prod-database": {Where: "aws://1/r", Template: template}, "slipway-prod": {Where: "aws://1/r"},
		},
	}
}
