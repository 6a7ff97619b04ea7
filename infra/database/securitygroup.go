package database

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/securitygroup"
)

// SecurityGroupProps: who besides the migration may reach the database.
type SecurityGroupProps struct {
	Vpc     awsec2.IVpc
	Port    int
	Clients []string // security groups
}

// NewSecurityGroup makes the database's security group: open to the clients and
// to the database itself, on its port. Scripts that use dblink connect from the
// cluster to the cluster's own address, and that is the one way out it has.
func NewSecurityGroup(scope constructs.Construct, id string, p SecurityGroupProps) awsec2.SecurityGroup {
	here := constructs.NewConstruct(scope, jsii.String(id))
	group := awsec2.NewSecurityGroup(here, jsii.String("Group"), &awsec2.SecurityGroupProps{
		Vpc:              p.Vpc,
		Description:      jsii.String("Database"),
		AllowAllOutbound: jsii.Bool(false),
	})
	self := *group.SecurityGroupId()
	securitygroup.Open(here, "FromItself", self, self, p.Port, "dblink from the cluster to itself")
	awsec2.NewCfnSecurityGroupEgress(here, jsii.String("ToItself"), &awsec2.CfnSecurityGroupEgressProps{
		GroupId:                    jsii.String(self),
		DestinationSecurityGroupId: jsii.String(self),
		IpProtocol:                 jsii.String("tcp"),
		FromPort:                   jsii.Number(p.Port),
		ToPort:                     jsii.Number(p.Port),
		Description:                jsii.String("dblink from the cluster to itself"),
	})
	securitygroup.OpenToClients(here, self, p.Clients, p.Port)
	return group
}
