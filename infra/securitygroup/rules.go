// Package securitygroup writes the rules between security groups.
package securitygroup

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Open lets those who are in the group from reach the group's port by TCP.
//
// The rule is a resource of its own: it comes and goes with the stack that
// needs it, and touches nothing else of a group that belongs to others.
func Open(scope constructs.Construct, id, group, from string, port int, why string) awsec2.CfnSecurityGroupIngress {
	return awsec2.NewCfnSecurityGroupIngress(scope, jsii.String(id), &awsec2.CfnSecurityGroupIngressProps{
		GroupId:               jsii.String(group),
		SourceSecurityGroupId: jsii.String(from),
		IpProtocol:            jsii.String("tcp"),
		FromPort:              jsii.Number(port),
		ToPort:                jsii.Number(port),
		Description:           jsii.String(why),
	})
}

// OpenToClients opens a database's group to those of applications.
func OpenToClients(scope constructs.Construct, group string, clients []string, port int) {
	for _, client := range clients {
		Open(scope, "From-"+client, group, client, port, "Application")
	}
}

// To is a rule inside a group: a way out to another group's port.
func To(group string, port int, what string) *awsec2.CfnSecurityGroup_EgressProperty {
	return &awsec2.CfnSecurityGroup_EgressProperty{
		DestinationSecurityGroupId: jsii.String(group),
		IpProtocol:                 jsii.String("tcp"),
		FromPort:                   jsii.Number(port),
		ToPort:                     jsii.Number(port),
		Description:                jsii.String(what),
	}
}

// ToInternet is a way out to a port of any address.
func ToInternet(port int, what string) *awsec2.CfnSecurityGroup_EgressProperty {
	return &awsec2.CfnSecurityGroup_EgressProperty{
		CidrIp:      jsii.String("0.0.0.0/0"),
		IpProtocol:  jsii.String("tcp"),
		FromPort:    jsii.Number(port),
		ToPort:      jsii.Number(port),
		Description: jsii.String(what),
	}
}

// Nowhere is the rule of a group with no way out: a group without any rule gets
// one from AWS that lets everything out.
func Nowhere() *awsec2.CfnSecurityGroup_EgressProperty {
	return &awsec2.CfnSecurityGroup_EgressProperty{
		CidrIp:      jsii.String("127.0.0.1/32"),
		IpProtocol:  jsii.String("-1"),
		Description: jsii.String("No way out"),
	}
}
