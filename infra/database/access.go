package database

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/environment"
)

// Access is how to reach a database, wherever it comes from. Strings may be
// tokens; an empty one is not known here ("the secret has it").
type Access struct {
	VpcID           string
	SubnetIDs       []string // for what uses the database, each in another zone
	SecurityGroupID string   // of the database
	Port            int
	SecretArn       string
	KmsKeyArn       string // "": the secret is encrypted with AWS's own key
	Host, Name      string
	Cluster         string // RDS's identifier
}

// FromConfig is the access to a database that others made.
func FromConfig(c environment.Database) Access {
	at := c.Existing
	return Access{
		VpcID:           at.VpcID,
		SubnetIDs:       at.SubnetIDs,
		SecurityGroupID: at.SecurityGroupID,
		Port:            c.Port,
		SecretArn:       at.SecretArn,
		KmsKeyArn:       at.KmsKeyArn,
		Host:            at.Host,
		Name:            c.Name,
		Cluster:         at.Cluster,
	}
}

// Output puts the access to a database made here into the outputs of its stack,
// for [FromOutputs] and for a person who looks for the database.
//
// Plain outputs, no exports: CloudFormation refuses to change an export that is
// in use, so that a cluster that has to be replaced would block the stack.
func (a Access) Output(stack awscdk.Stack) {
	output := func(name, value string) {
		awscdk.NewCfnOutput(stack, jsii.String(name), &awscdk.CfnOutputProps{Value: jsii.String(value)})
	}
	output("VpcId", a.VpcID)
	for i := range a.SubnetIDs {
		output(nth("SubnetId", i), a.SubnetIDs[i])
	}
	output("SecurityGroupId", a.SecurityGroupID)
	output("SecretArn", a.SecretArn)
	output("KmsKeyArn", a.KmsKeyArn)
	output("Host", a.Host)
	output("ClusterId", a.Cluster)
}

// FromOutputs is the access that the stack of that name has in its outputs.
// CloudFormation reads them whenever a stack that uses them is made or updated,
// not when they change.
func FromOutputs(stackName string, c environment.Database) Access {
	read := func(name string) string {
		return *awscdk.Fn_GetStackOutput(jsii.String(stackName), jsii.String(name), nil, nil)
	}
	a := Access{
		VpcID:           read("VpcId"),
		SecurityGroupID: read("SecurityGroupId"),
		Port:            c.Port,
		SecretArn:       read("SecretArn"),
		KmsKeyArn:       read("KmsKeyArn"),
		Host:            read("Host"),
		Name:            c.Name,
		Cluster:         read("ClusterId"),
	}
	for i := range zones(c) {
		a.SubnetIDs = append(a.SubnetIDs, read(nth("SubnetId", i)))
	}
	return a
}

// zones is the number of zones that a database made here spans.
func zones(c environment.Database) int { return max(2, len(c.AvailabilityZones)) }

func nth(name string, i int) string { return fmt.Sprintf("%s%d", name, i+1) }
