package database

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"

	"slipway/infra/environment"
)

// New makes the database of an environment in the stack and returns how to reach it.
func New(stack awscdk.Stack, c environment.Config) Access {
	key := NewKey(stack, "Key", c.Name)
	network := NewNetwork(stack, "Network", NetworkProps{
		CIDR:              c.Database.New.VpcCIDR,
		AvailabilityZones: c.Database.AvailabilityZones,
		Zones:             zones(c.Database),
	})
	NewFlowLog(stack, "FlowLog", network.VpcID, c.LogDays)
	group := NewSecurityGroup(stack, "SecurityGroup", SecurityGroupProps{
		Vpc:     network.Vpc,
		Port:    c.Database.Port,
		Clients: c.Clients,
	})
	cluster := NewCluster(stack, "Cluster", ClusterProps{
		Config:  c.Database,
		Network: network,
		Group:   group,
		Key:     key,
	})
	if c.Database.New.Removal == environment.RemovalRetain {
		// A cluster that stays holds on to its subnets, its group and its password.
		awscdk.RemovalPolicies_Of(stack).Retain(nil)
	}
	return Access{
		VpcID:           network.VpcID,
		SubnetIDs:       network.SubnetIDs,
		SecurityGroupID: *group.SecurityGroupId(),
		Port:            c.Database.Port,
		SecretArn:       *cluster.Secret().SecretArn(),
		KmsKeyArn:       *key.KeyArn(),
		Host:            *cluster.ClusterEndpoint().Hostname(),
		Name:            c.Database.Name,
		Cluster:         *cluster.ClusterIdentifier(),
	}
}
