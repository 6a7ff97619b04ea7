package migration

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/database"
	"slipway/infra/environment"
	"slipway/infra/securitygroup"
)

const https = 443

// Network is the functions' way to the database and to Secrets Manager.
type Network struct {
	SecurityGroupID string // of the functions
	SecretsURL      string // "" for Secrets Manager's usual address
	// Ready are the parts without which a function that runs reaches nothing.
	Ready []constructs.IDependable
}

// NewNetwork makes the functions' security group, which lets out what goes to
// the database's port and to Secrets Manager and nothing else, and opens those
// two to it. roleArns are the functions'.
func NewNetwork(scope constructs.Construct, id string, c environment.Config, db database.Access,
	roleArns ...string) Network {
	here := constructs.NewConstruct(scope, jsii.String(id))
	n := Network{}
	secrets := securitygroup.ToInternet(https, "Secrets Manager by the way to the internet")
	secretsGroup := c.SecretsEndpoint
	switch c.SecretsEndpoint {
	case environment.EndpointNone:
		secretsGroup = ""
	case environment.EndpointCreate:
		endpoint := NewSecretsEndpoint(here, "SecretsEndpoint", db, roleArns)
		secretsGroup = endpoint.SecurityGroupID
		n.SecretsURL = endpoint.URL
		n.Ready = append(n.Ready, endpoint.Endpoint)
	}
	if secretsGroup != "" {
		secrets = securitygroup.To(secretsGroup, https, "Secrets Manager")
	}
	group := awsec2.NewCfnSecurityGroup(here, jsii.String("Group"), &awsec2.CfnSecurityGroupProps{
		VpcId:               jsii.String(db.VpcID),
		GroupDescription:    jsii.String("Migration function"),
		SecurityGroupEgress: []any{securitygroup.To(db.SecurityGroupID, db.Port, "Database"), secrets},
	})
	n.SecurityGroupID = *group.AttrGroupId()
	n.Ready = append(n.Ready, securitygroup.Open(here, "ToDatabase", db.SecurityGroupID, n.SecurityGroupID, db.Port,
		"Migration function"))
	if secretsGroup != "" {
		n.Ready = append(n.Ready, securitygroup.Open(here, "ToSecrets", secretsGroup, n.SecurityGroupID, https,
			"Migration function"))
	}
	return n
}
