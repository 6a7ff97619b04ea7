package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

// newReader makes the role in which the pipeline asks the inspector for the
// history before somebody approves a deployment. Builds of the stack
// slipway-pipeline in that account can take it. It can call that function and
// see its state, no other one: IAM can't tell a request for info from one for repair.
//
// Its name begins with the stack's, and the pipeline knows it by that.
func newReader(stack awscdk.Stack, inspector awslambda.IFunction, account string) awsiam.Role {
	role := awsiam.NewRole(stack, jsii.String("Reader"), &awsiam.RoleProps{
		Description: jsii.String("Pipeline: asks the inspector for the history"),
		AssumedBy: awsiam.NewAccountPrincipal(jsii.String(account)).WithConditions(
			&map[string]any{"ArnLike": map[string]any{
				"aws:PrincipalArn": "arn:" + *awscdk.Aws_PARTITION() + ":iam::" + account + ":role/slipway-pipeline-*",
			}}),
	})
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("lambda:GetFunction", "lambda:InvokeFunction"),
		Resources: &[]*string{inspector.FunctionArn()},
	}))
	return role
}
