package pipeline

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipelineactions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/logs"
)

// A review runs what a branch brings, its CDK app and its SQL, and then says
// what came of it. So that a branch can't speak for itself, three builds do it,
// with these names: two that run what it brings, and may do nothing but leave an
// artifact; one that may comment and approve, and takes all of that for data.
// The build specs stand in the stack, as the deployed branch has it, and the
// workbench is built from the pull request's destination.
const (
	synthBuild    = "Synth"
	rehearseBuild = "Rehearse"
	judgeBuild    = "Judge"
)

// review is what its builds have in common.
type review struct {
	*builds
	source source
	scope  constructs.Construct
	access *access
}

// newReview makes the pipeline that judges pull requests.
func newReview(stack awscdk.Stack, b *builds, s source) awscodepipeline.IPipeline {
	here := constructs.NewConstruct(stack, jsii.String("Review"))
	own := *b
	own.logs = logs.NewGroup(here, "Builds", b.props.Config.LogDays)
	r := &review{builds: &own, source: s, scope: here}
	r.access = newAccess(here, &own, s)

	code := awscodepipeline.Artifact_Artifact(jsii.String(sourceAction), nil)
	made := awscodepipeline.Artifact_Artifact(jsii.String(synthBuild), nil)
	tried := awscodepipeline.Artifact_Artifact(jsii.String(rehearseBuild), nil)
	line := awscodepipeline.NewPipeline(here, jsii.String("Line"), &awscodepipeline.PipelineProps{
		PipelineType:   awscodepipeline.PipelineType_V2,
		ArtifactBucket: r.access.bucket,
		// One pull request must not push another one out.
		ExecutionMode: awscodepipeline.ExecutionMode_PARALLEL,
	})
	variables := r.variables(line)
	action := func(name string, output string, extra ...awscodepipeline.Artifact) awscodepipeline.IAction {
		return awscodepipelineactions.NewCodeBuildAction(&awscodepipelineactions.CodeBuildActionProps{
			ActionName:  jsii.String(name),
			Project:     r.project(name),
			Input:       code,
			ExtraInputs: &extra,
			Outputs: &[]awscodepipeline.Artifact{awscodepipeline.Artifact_Artifact(jsii.String(output),
				nil)},
			EnvironmentVariables: variables,
		})
	}
	origin := r.sourceAction(code)
	line.AddStage(&awscodepipeline.StageOptions{StageName: jsii.String("Source"),
		Actions: &[]awscodepipeline.IAction{origin}})
	line.AddStage(&awscodepipeline.StageOptions{StageName: jsii.String("Try"), Actions: &[]awscodepipeline.IAction{
		action(synthBuild, synthBuild), action(rehearseBuild, rehearseBuild)}})
	line.AddStage(&awscodepipeline.StageOptions{StageName: jsii.String("Judge"), Actions: &[]awscodepipeline.IAction{
		action(judgeBuild, judgeBuild, made, tried)}})
	r.start(line, origin)
	return line
}

// project of one of the builds. None of them has a cache: what a branch's code
// leaves there would be run by the next build.
func (r *review) project(name string) awscodebuild.IProject {
	return awscodebuild.NewPipelineProject(r.scope, jsii.String(name), &awscodebuild.PipelineProjectProps{
		Description:                 jsii.String("Review of a pull request: " + name),
		BuildSpec:                   r.spec(name),
		Environment:                 r.tools(),
		EnvironmentVariables:        r.settings(name),
		Role:                        r.access.role(name),
		EncryptionKey:               r.access.key,
		Logging:                     r.logging(r.logs),
		GrantReportGroupPermissions: jsii.Bool(false),
		Timeout:                     awscdk.Duration_Minutes(jsii.Number(30)),
	})
}

// sourceAction gets the destination's commit from CodeCommit (start names it),
// from a connection the branch's.
func (r *review) sourceAction(code awscodepipeline.Artifact) awscodepipeline.IAction {
	c := r.source.config
	if r.source.repository != nil {
		return awscodepipelineactions.NewCodeCommitSourceAction(&awscodepipelineactions.CodeCommitSourceActionProps{
			ActionName: jsii.String(sourceAction), Repository: r.source.repository, Branch: jsii.String(c.Branch),
			Output:               code,
			CodeBuildCloneOutput: jsii.Bool(true), Trigger: awscodepipelineactions.CodeCommitTrigger_NONE,
		})
	}
	owner, name := ownerAndName(c.Repository)
	return awscodepipelineactions.NewCodeStarConnectionsSourceAction(
		&awscodepipelineactions.CodeStarConnectionsSourceActionProps{
			ActionName: jsii.String(sourceAction), ConnectionArn: jsii.String(c.Connection), Owner: jsii.String(owner),
			Repo:   jsii.String(name),
			Branch: jsii.String(c.Branch), Output: code, CodeBuildCloneOutput: jsii.Bool(true),
			TriggerOnPush: jsii.Bool(false),
		})
}
