package pipeline

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// pullRequest are the variables of a review: where each comes from in
// CodeCommit's event, and what holds when the pipeline is started without one:
// the branch is then judged against itself, and nothing is posted.
var pullRequest = []struct{ name, path, without string }{
	{"SOURCE_COMMIT", "$.detail.sourceCommit", "HEAD"},
	{"DESTINATION_COMMIT", "$.detail.destinationCommit", "HEAD"},
	{"PULL_REQUEST_ID", "$.detail.pullRequestId", "none"},
	{"REVISION_ID", "$.detail.revisionId", "none"},
}

// variables of the builds' environments. With a connection the clone is the
// branch's, and git knows the destination by its name: the whole one, which no
// tag has.
func (r *review) variables(line awscodepipeline.Pipeline) *map[string]*awscodebuild.BuildEnvironmentVariable {
	out := map[string]*awscodebuild.BuildEnvironmentVariable{}
	if r.source.repository == nil {
		out["SOURCE_COMMIT"] = &awscodebuild.BuildEnvironmentVariable{Value: jsii.String("HEAD")}
		out["DESTINATION_COMMIT"] = &awscodebuild.BuildEnvironmentVariable{Value: jsii.String("refs/remotes/origin/" +
			r.source.config.Branch)}
		return &out
	}
	for _, v := range pullRequest {
		variable := awscodepipeline.NewVariable(&awscodepipeline.VariableProps{VariableName: jsii.String(v.name),
			DefaultValue: jsii.String(v.without)})
		line.AddVariable(variable)
		out[v.name] = &awscodebuild.BuildEnvironmentVariable{Value: variable.Reference()}
	}
	return &out
}

// start starts the pipeline when a pull request for the branch is opened or
// gets commits.
func (r *review) start(line awscodepipeline.Pipeline, origin awscodepipeline.IAction) {
	if r.source.repository == nil {
		line.AddTrigger(&awscodepipeline.TriggerProps{
			ProviderType: awscodepipeline.ProviderType_CODE_STAR_SOURCE_CONNECTION,
			GitConfiguration: &awscodepipeline.GitConfiguration{
				SourceAction: origin,
				PullRequestFilter: &[]*awscodepipeline.GitPullRequestFilter{{
					BranchesIncludes: jsii.Strings(r.source.config.Branch),
					Events: &[]awscodepipeline.GitPullRequestEvent{awscodepipeline.GitPullRequestEvent_OPEN,
						awscodepipeline.GitPullRequestEvent_UPDATED},
				}},
			},
		})
		return
	}
	role := awsiam.NewRole(r.scope, jsii.String("StartRole"),
		&awsiam.RoleProps{AssumedBy: awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)})
	role.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("codepipeline:StartPipelineExecution"), Resources: &[]*string{line.PipelineArn()},
	}))
	// The CDK's own target can't hand variables on.
	awsevents.NewCfnRule(r.scope, jsii.String("Start"), &awsevents.CfnRuleProps{
		Description: jsii.String("A pull request was opened or got commits"),
		EventPattern: map[string]any{
			"source":      []any{"aws.codecommit"},
			"detail-type": []any{"CodeCommit Pull Request State Change"},
			"resources":   []any{r.source.repository.RepositoryArn()},
			"detail": map[string]any{
				"event":                []any{"pullRequestCreated", "pullRequestSourceBranchUpdated"},
				"pullRequestStatus":    []any{"Open"},
				"destinationReference": []any{"refs/heads/" + r.source.config.Branch},
			},
		},
		Targets: []any{&awsevents.CfnRule_TargetProperty{
			Id: jsii.String("Review"), Arn: line.PipelineArn(), RoleArn: role.RoleArn(),
			InputTransformer: transformer(),
		}},
	})
}

// transformer makes the start's request of the event.
func transformer() *awsevents.CfnRule_InputTransformerProperty {
	type variable struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	paths := map[string]*string{}
	var variables []variable
	for _, v := range pullRequest {
		paths[v.name] = jsii.String(v.path)
		variables = append(variables, variable{v.name, "<" + v.name + ">"})
	}
	request := encode(map[string]any{
		"sourceRevisions": []any{map[string]string{"actionName": sourceAction, "revisionType": "COMMIT_ID",
			"revisionValue": "<DESTINATION_COMMIT>"}},
		"variables": variables,
	})
	return &awsevents.CfnRule_InputTransformerProperty{InputPathsMap: paths, InputTemplate: jsii.String(request)}
}
