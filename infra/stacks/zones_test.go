package stacks_test

import "testing"

// A throwaway environment pays for one zone of the endpoint; its cluster spans
// two all the same, as Aurora wants it.
func TestThrowawayIsInOneZone(t *testing.T) {
	migration, database := template(t, "slipway-dev"), template(t, "slipway-dev-database")
	first := `[{"Fn::GetStackOutput":{"OutputName":"SubnetId1","StackName":"slipway-dev-database"}}]`
	equal(t, "the endpoint", properties(t, migration, "AWS::EC2::VPCEndpoint", "")["SubnetIds"], first)
	for _, function := range []string{"Function", "InspectorFunction"} {
		network := properties(t, migration, "AWS::Lambda::Function", function)["VpcConfig"].(map[string]any)
		equal(t, function, network["SubnetIds"], first)
	}
	if n := len(properties(t, database, "AWS::RDS::DBSubnetGroup", "")["SubnetIds"].([]any)); n != 2 {
		t.Errorf("the cluster is in %d subnets, not 2", n)
	}
	if n := len(properties(t, template(t, "slipway-prod"), "AWS::EC2::VPCEndpoint", "")["SubnetIds"].([]any)); n != 3 {
		t.Errorf("prod's endpoint is in %d subnets, not 3", n)
	}
}
