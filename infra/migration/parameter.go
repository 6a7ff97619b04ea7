package migration

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// VersionParameter is the name of the parameter that tells which version an
// environment's schema has at least.
func VersionParameter(environment string) string {
	return "/slipway/" + environment + "/schema-version"
}

// NewVersionParameter makes that parameter, for applications that are deployed
// from elsewhere. It changes once the release has been applied, and not before.
//
// Its value is the release's version, not the database's: when CloudFormation
// rolls back, the database is not asked and may be ahead. "At least" then holds.
func NewVersionParameter(scope constructs.Construct, id, environment, version string, schema constructs.IDependable) {
	parameter := awsssm.NewStringParameter(scope, jsii.String(id), &awsssm.StringParameterProps{
		ParameterName: jsii.String(VersionParameter(environment)),
		StringValue:   jsii.String(version),
		Description:   jsii.String("Version that the schema has at least"),
	})
	parameter.Node().AddDependency(schema)
}
