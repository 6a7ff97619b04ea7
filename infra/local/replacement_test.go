//go:build deploy

package main

import "strings"

// replacement asks, before anything is deployed, what an edit of cdk.json would
// do to the database that is: compared are the templates of the CDK's app here
// with those that CloudFormation has.
func replacement(s *site) {
	plan := func(database map[string]any, replace ...any) (out string, refused bool) {
		s.Helper()
		s.configure("local", map[string]any{"throwaway": true, "replace": append([]any{}, replace...),
			"database": database})
		out, err := s.g.Workbench(s.Context(), "plan", "--environment", "local")
		return out, err != nil
	}
	want := func(out string, refused, expected bool, parts ...string) {
		s.Helper()
		if refused != expected {
			s.Errorf("refused is %v, not %v:\n%s", refused, expected, out)
		}
		for _, part := range parts {
			if !strings.Contains(out, part) {
				s.Errorf("no %q in\n%s", part, out)
			}
		}
	}
	cluster := "slipway-local-database: the cluster ClusterEB0386A7 (AWS::RDS::DBCluster) would be replaced: "

	out, refused := plan(map[string]any{})
	want(out, refused, false, "no cluster, instance, key, secret, VPC or subnet would be replaced or deleted",
		"3 applied, 0 pending")
	out, refused = plan(map[string]any{"name": "shop"})
	want(out, refused, true, "refused: "+cluster+`DatabaseName "app" → "shop"`,
		`environments.local.replace = ["database"]`)
	out, refused = plan(map[string]any{"vpcCidr": "10.1.0.0/16"})
	want(out, refused, true, `(AWS::EC2::VPC) would be replaced: CidrBlock "10.0.0.0/16" → "10.1.0.0/16"`,
		"(AWS::EC2::Subnet) would be replaced")
	out, refused = plan(map[string]any{"name": "shop"}, "database")
	want(out, refused, false, "allowed: "+cluster)
	// What has no stack replaces nothing.
	s.configure("second", nil)
	s.wantPrinted("plan --environment second", "nothing of second is deployed to compare with")
	s.configure("local", nil)
}
