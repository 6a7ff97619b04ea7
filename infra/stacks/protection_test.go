package stacks_test

import "testing"

// A stack's deletion takes the instance before AWS refuses to delete the
// cluster: what is protected keeps both.
func TestProtectedClusterKeepsItsInstance(t *testing.T) {
	for stack, want := range map[string]string{"slipway-prod-database": `"Retain"`,
		"slipway-dev-database": `"Delete"`} {
		made := template(t, stack)
		id, _ := only(t, made, "AWS::RDS::DBInstance", "")
		instance := made["Resources"].(map[string]any)[id].(map[string]any)
		equal(t, stack, instance["DeletionPolicy"], want)
		if instance["UpdateReplacePolicy"] == "Retain" {
			t.Errorf("%s: a replaced instance would stay in the cluster", stack)
		}
	}
}

// Flow logs are delivered to a group by its name: its ARN ends in ":*", which
// the service takes, and never delivers to.
func TestFlowLogNamesItsGroup(t *testing.T) {
	made := template(t, "slipway-prod-database")
	group, _ := only(t, made, "AWS::Logs::LogGroup", "FlowLog")
	log := properties(t, made, "AWS::EC2::FlowLog", "")
	equal(t, "group", log["LogGroupName"], `{"Ref":"`+group+`"}`)
	equal(t, "no destination beside it", log["LogDestination"], `null`)
}
