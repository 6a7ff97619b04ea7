package migration

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/database"
	"slipway/infra/environment"
)

// FunctionProps: the function, and what it runs with.
type FunctionProps struct {
	Config   environment.Config
	Database database.Access
	Network  Network
	Image    awslambda.DockerImageCode
	Role     awsiam.IRole
	Logs     awslogs.ILogGroup
}

// NewFunction makes the function that changes the database.
func NewFunction(scope constructs.Construct, id string, p FunctionProps) awslambda.Function {
	settings := variables(p.Config, p.Database, p.Network.SecretsURL)
	settings["SLIPWAY_LOG_GROUP"] = *p.Logs.LogGroupName()
	return p.newFunction(scope, id, &awslambda.DockerImageFunctionProps{
		Description: jsii.String(fmt.Sprintf("Runs the scripts of slipway-%s on its database", p.Config.Name)),
		MemorySize:  jsii.Number(p.Config.Memory),
		Timeout:     awscdk.Duration_Seconds(jsii.Number(p.Config.Timeout.Seconds())),
		Environment: pointers(settings),
		Tracing:     awslambda.Tracing_ACTIVE,
	})
}

// newFunction makes a function of the image in the database's subnets.
func (p FunctionProps) newFunction(scope constructs.Construct, id string,
	props *awslambda.DockerImageFunctionProps) awslambda.Function {
	props.Code = p.Image
	props.Architecture = architecture(p.Config.Architecture)
	props.Role = p.Role
	props.LogGroup = p.Logs
	function := awslambda.NewDockerImageFunction(scope, jsii.String(id), props)
	// Written here, not by the CDK's vpc property: that wants to know of the
	// subnets what a configuration by ids does not tell (zones, route tables).
	resource := function.Node().DefaultChild().(awslambda.CfnFunction)
	resource.SetVpcConfig(&awslambda.CfnFunction_VpcConfigProperty{
		SubnetIds:        jsii.Strings(p.Database.SubnetIDs...),
		SecurityGroupIds: jsii.Strings(p.Network.SecurityGroupID),
	})
	return function
}

func architecture(name string) awslambda.Architecture {
	if name == environment.ARM64 {
		return awslambda.Architecture_ARM_64()
	}
	return awslambda.Architecture_X86_64()
}

func pointers(m map[string]string) *map[string]*string {
	out := map[string]*string{}
	for k, v := range m {
		out[k] = jsii.String(v)
	}
	return &out
}
