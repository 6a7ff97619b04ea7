package migration

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/customresources"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/environment"
	"slipway/infra/logs"
)

// NewProvider puts the CDK's framework between CloudFormation and the function:
// it answers CloudFormation, from outside the VPC, whatever becomes of the
// function, so that the function needs no way to S3.
func NewProvider(scope constructs.Construct, id string, c environment.Config,
	function awslambda.IFunction) customresources.Provider {
	here := constructs.NewConstruct(scope, jsii.String(id))
	group := logs.NewGroup(here, "Logs", c.LogDays)
	provider := customresources.NewProvider(here, jsii.String("Provider"), &customresources.ProviderProps{
		OnEventHandler:       function,
		FrameworkOnEventRole: newLambdaRole(here, "Role", group),
		LogGroup:             group,
	})
	// The framework's own description holds the construct's path, which is another
	// one inside the pipeline's stage: the two forms of a stack must be equal.
	framework := provider.Node().FindChild(jsii.String(
		"framework-onEvent")).Node().DefaultChild().(awslambda.CfnFunction)
	framework.SetDescription(jsii.String(fmt.Sprintf("Answers CloudFormation for the function of slipway-%s", c.Name)))
	return provider
}
