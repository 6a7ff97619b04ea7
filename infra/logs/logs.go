// Package logs makes log groups whose content has an end.
package logs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// NewGroup makes a log group that keeps events for so many days (one of
// CloudWatch's steps) and goes with its stack. Without a group of ours AWS makes
// one on the first event, which keeps everything and stays for ever.
func NewGroup(scope constructs.Construct, id string, days int) awslogs.ILogGroup {
	group := awslogs.NewLogGroup(scope, jsii.String(id),
		&awslogs.LogGroupProps{RemovalPolicy: awscdk.RemovalPolicy_DESTROY})
	group.Node().DefaultChild().(awslogs.CfnLogGroup).SetRetentionInDays(jsii.Number(days))
	return group
}
