package database

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/logs"
)

// NewFlowLog records who connected to whom in the VPC, and keeps it for so many days.
func NewFlowLog(scope constructs.Construct, id, vpcID string, days int) {
	here := constructs.NewConstruct(scope, jsii.String(id))
	group := logs.NewGroup(here, "Logs", days)
	role := awsiam.NewRole(here, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("vpc-flow-logs.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": awscdk.Aws_ACCOUNT_ID()}},
		}),
	})
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"),
		Resources: &[]*string{group.LogGroupArn()},
	}))
	log := awsec2.NewCfnFlowLog(here, jsii.String("FlowLog"), &awsec2.CfnFlowLogProps{
		ResourceId:               jsii.String(vpcID),
		ResourceType:             jsii.String("VPC"),
		TrafficType:              jsii.String("ALL"),
		LogDestinationType:       jsii.String("cloud-watch-logs"),
		LogGroupName:             group.LogGroupName(), // the ARN ends in :*, and nothing would arrive
		DeliverLogsPermissionArn: role.RoleArn(),
	})
	// The stream needs the role's rights as soon as there is traffic.
	log.Node().AddDependency(role)
}
