package migration

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/database"
	"slipway/infra/securitygroup"
)

// SecretsEndpoint is an interface endpoint for Secrets Manager in the database's VPC.
type SecretsEndpoint struct {
	Endpoint        awsec2.CfnVPCEndpoint
	SecurityGroupID string // lets nobody in by itself
	URL             string
}

// NewSecretsEndpoint makes an endpoint that lets these roles read one secret.
//
// It has no private DNS: that would bend Secrets Manager's usual address for
// everyone in the VPC to an endpoint which lets only the functions in, and AWS
// refuses a second endpoint with it. The functions are told the URL instead.
func NewSecretsEndpoint(scope constructs.Construct, id string, db database.Access, roleArns []string) SecretsEndpoint {
	here := constructs.NewConstruct(scope, jsii.String(id))
	group := awsec2.NewCfnSecurityGroup(here, jsii.String("Group"), &awsec2.CfnSecurityGroupProps{
		VpcId:               jsii.String(db.VpcID),
		GroupDescription:    jsii.String("Endpoint of Secrets Manager for the migration function"),
		SecurityGroupEgress: []any{securitygroup.Nowhere()},
	})
	policy := awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
		awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Principals: &[]awsiam.IPrincipal{awsiam.NewAnyPrincipal()},
			Actions:    jsii.Strings("secretsmanager:GetSecretValue"),
			Resources:  jsii.Strings(db.SecretArn),
			Conditions: &map[string]any{"ArnEquals": map[string]any{"aws:PrincipalArn": roleArns}},
		}),
	}})
	subnets := []any{}
	for _, subnet := range db.SubnetIDs {
		subnets = append(subnets, subnet)
	}
	endpoint := awsec2.NewCfnVPCEndpoint(here, jsii.String("Endpoint"), &awsec2.CfnVPCEndpointProps{
		VpcEndpointType:   jsii.String("Interface"),
		ServiceName:       awsec2.InterfaceVpcEndpointAwsService_SECRETS_MANAGER().Name(),
		VpcId:             jsii.String(db.VpcID),
		SubnetIds:         &subnets,
		SecurityGroupIds:  &[]any{group.AttrGroupId()},
		PrivateDnsEnabled: jsii.Bool(false),
		PolicyDocument:    policy,
	})
	// An entry is "<hosted zone>:<name>"; the first name is that of all zones.
	entry := awscdk.Fn_Select(jsii.Number(0), endpoint.AttrDnsEntries())
	name := awscdk.Fn_Select(jsii.Number(1), awscdk.Fn_Split(jsii.String(":"), entry, nil))
	return SecretsEndpoint{
		Endpoint:        endpoint,
		SecurityGroupID: *group.AttrGroupId(),
		URL:             "https://" + *name,
	}
}
