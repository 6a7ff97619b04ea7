package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

// newReader makes the role in which the pipeline asks the function for the
// history before somebody approves a deployment. Builds of the stack
// slipway-pipeline in that account can take it, and it can call the function:
// IAM can't tell a request for info from one for repair.
//
// Its name begins with the stack's, and the pipeline knows it by that.
func newReader(stack awscdk.Stack, function awslambda.IFunction, account string) awsiam.Role {
	role := awsiam.NewRole(stack, jsii.String("Reader"), &awsiam.RoleProps{
		Description: jsii.String("Pipeline: asks the function for the history"),
		AssumedBy: awsiam.NewAccountPrincipal(jsii.String(account)).WithConditions(&map[string]any{"ArnLike": map[string]any{
			"aws:PrincipalArn": "arn:" + *awscdk.Aws_PARTITION() + ":iam::" + account + ":role/slipway-pipeline-*",
		}}),
	})
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("lambda:InvokeFunction"), Resources: &[]*string{function.FunctionArn()},
	}))
	return role
}
