package pipeline

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodecommit"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/environment"
)

// source is where the project lies. Builds get a full clone of it: the order of
// a release is the time of a commit, and a review compares two.
type source struct {
	files      pipelines.CodePipelineSource
	config     environment.Pipeline
	repository awscodecommit.IRepository // nil for a connection
}

// newRepository is the name of the repository that is made here.
const newRepository = "slipway"

func newSource(scope constructs.Construct, c environment.Pipeline) source {
	if c.Connection != "" {
		return source{config: c, files: pipelines.CodePipelineSource_Connection(jsii.String(c.Repository),
			jsii.String(c.Branch), &pipelines.ConnectionSourceOptions{
				ConnectionArn:        jsii.String(c.Connection),
				ActionName:           jsii.String(sourceAction),
				CodeBuildCloneOutput: jsii.Bool(true),
			})}
	}
	repository := codeCommit(scope, c.Repository)
	return source{config: c, repository: repository,
		files: pipelines.CodePipelineSource_CodeCommit(repository, jsii.String(c.Branch),
			&pipelines.CodeCommitSourceOptions{
				ActionName:           jsii.String(sourceAction),
				CodeBuildCloneOutput: jsii.Bool(true),
			})}
}

// useConnection lets a build or an action use the connection. The service has
// two names, and its actions one under each: which of them counts depends on the
// name in the connection's ARN, and the CDK grants the old one only. See
// https://docs.aws.amazon.com/dtconsole/latest/userguide/rename.html.
func (s source) useConnection() *[]awsiam.PolicyStatement {
	if s.config.Connection == "" {
		return nil
	}
	return &[]awsiam.PolicyStatement{awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("codestar-connections:UseConnection", "codeconnections:UseConnection"),
		Resources: jsii.Strings(s.config.Connection),
	})}
}

// allowConnection does so for the roles that the CDK makes for source actions.
func allowConnection(stack awscdk.Stack, s source) {
	statements := s.useConnection()
	if statements == nil {
		return
	}
	for _, c := range *stack.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		if role, ok := c.(awsiam.Role); ok && strings.HasSuffix(*c.Node().Path(), "/"+sourceAction+"/"+sourceAction+
			"/CodePipelineActionRole") {
			role.AddToPolicy((*statements)[0])
		}
	}
}

// codeCommit finds the repository of that name, and makes one for "". That one
// outlives the stack: it holds the scripts. Where the stack could not be made it
// does not, so that the next attempt finds its name free.
func codeCommit(scope constructs.Construct, name string) awscodecommit.IRepository {
	if name != "" {
		return awscodecommit.Repository_FromRepositoryName(scope, jsii.String("Repository"), jsii.String(name))
	}
	made := awscodecommit.NewRepository(scope, jsii.String("Repository"), &awscodecommit.RepositoryProps{
		RepositoryName: jsii.String(newRepository),
		Description:    jsii.String("Database migrations, and what deploys them"),
	})
	made.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE)
	awscdk.NewCfnOutput(awscdk.Stack_Of(scope), jsii.String("RepositoryUrl"), &awscdk.CfnOutputProps{
		Value: made.RepositoryCloneUrlHttp(), Description: jsii.String("Push the project here"),
	})
	return made
}

// ownerAndName of a connection's repository. The owner may have groups in it.
func ownerAndName(repository string) (owner, name string) {
	slash := strings.LastIndex(repository, "/")
	return repository[:slash], repository[slash+1:]
}

const sourceAction = "Source"
