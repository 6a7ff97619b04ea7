package migration

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/database"
)

// networkInterfaces is what Lambda needs to put a function into a VPC. None of
// it can be limited to single resources where they are made on demand.
var networkInterfaces = []string{
	"ec2:AssignPrivateIpAddresses",
	"ec2:CreateNetworkInterface",
	"ec2:DeleteNetworkInterface",
	"ec2:DescribeNetworkInterfaces",
	"ec2:DescribeSubnets",
	"ec2:UnassignPrivateIpAddresses",
}

// NewRole makes a function's role: read the one secret, write the one log
// group, and let Lambda, but not the function's own code, attach it to the VPC.
func NewRole(scope constructs.Construct, id string, db database.Access, logs awslogs.ILogGroup) awsiam.Role {
	role := newLambdaRole(scope, id, logs)
	allow(role, []string{"secretsmanager:GetSecretValue"}, db.SecretArn, nil)
	if db.KmsKeyArn != "" {
		allow(role, []string{"kms:Decrypt"}, db.KmsKeyArn, map[string]any{"StringEquals": map[string]any{
			"kms:ViaService": fmt.Sprintf("secretsmanager.%s.%s", *awscdk.Aws_REGION(),
				*awscdk.Aws_URL_SUFFIX()),
			"kms:EncryptionContext:SecretARN": db.SecretArn,
		}})
	}
	allow(role, networkInterfaces, "*", nil)
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Effect:    awsiam.Effect_DENY,
		Actions:   jsii.Strings(networkInterfaces...),
		Resources: jsii.Strings("*"),
		// The key is there only in requests that a function's code makes.
		Conditions: &map[string]any{"ArnLike": map[string]any{
			"lambda:SourceFunctionArn": fmt.Sprintf("arn:%s:lambda:*:*:function:*", *awscdk.Aws_PARTITION()),
		}},
	}))
	return role
}

// newLambdaRole is the least that any function has: its log group. The managed
// policy of that purpose would give it all others too.
func newLambdaRole(scope constructs.Construct, id string, logs awslogs.ILogGroup) awsiam.Role {
	role := awsiam.NewRole(scope, jsii.String(id), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
	})
	allow(role, []string{"logs:CreateLogStream", "logs:PutLogEvents"}, *logs.LogGroupArn(), nil)
	return role
}

func allow(role awsiam.Role, actions []string, resource string, conditions map[string]any) {
	p := &awsiam.PolicyStatementProps{Actions: jsii.Strings(actions...), Resources: jsii.Strings(resource)}
	if conditions != nil {
		p.Conditions = &conditions
	}
	role.AddToPolicy(awsiam.NewPolicyStatement(p))
}
