package migration

import (
	"crypto/sha256"
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// reread changes the text of each resource in scope that may hold an output of
// the database's stack: CloudFormation reads those anew only for a resource
// whose own text has changed. After a cluster was replaced or restored, the
// function would keep the old address otherwise, and its role the old secret.
func reread(scope constructs.Construct, rerun string) {
	if rerun == "" {
		return
	}
	mark := fmt.Sprintf("%x", sha256.Sum256([]byte(rerun)))[:12]
	tagged := jsii.Strings("AWS::Lambda::Function", "AWS::EC2::SecurityGroup", "AWS::EC2::VPCEndpoint")
	awscdk.Tags_Of(scope).Add(jsii.String("slipway-rerun"), jsii.String(mark),
		&awscdk.TagProps{IncludeResourceTypes: tagged})
	for _, node := range *scope.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		// These have no tags.
		switch resource := node.(type) {
		case awsiam.CfnPolicy:
			resource.AddPropertyOverride(jsii.String("PolicyDocument.Statement.0.Sid"), "Rerun"+mark)
		case awsec2.CfnSecurityGroupIngress:
			resource.SetDescription(jsii.String(*resource.Description() + ", rerun " + mark))
		}
	}
}
