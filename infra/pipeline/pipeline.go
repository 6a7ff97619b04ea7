package pipeline

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodepipeline"
	"github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/environment"
)

// Name of the stack.
const Name = "slipway-pipeline"

// Props of the pipeline.
type Props struct {
	Config       environment.Pipeline
	Environments []environment.Config // all; Config says which are deployed, and in which order
	Images       environment.Images
	CLI          string // version of the CDK's command line
	// AddStacks makes the stacks of an environment in its stage.
	AddStacks func(stage awscdk.Stage, c environment.Config)
}

// New makes the pipeline's stack in scope, an App.
func New(scope constructs.Construct, p Props) awscdk.Stack {
	stack := awscdk.NewStack(scope, jsii.String(Name), &awscdk.StackProps{
		StackName:   jsii.String(Name),
		Description: jsii.String("Slipway: deploys every environment on a push, and judges pull requests"),
		Env:         &awscdk.Environment{Account: jsii.String(p.Config.Account), Region: jsii.String(p.Config.Region)},
	})
	b := newBuilds(stack, p)
	source := newSource(stack, p.Config)
	synth := b.synth(source)
	line := pipelines.NewCodePipeline(stack, jsii.String("Line"), &pipelines.CodePipelineProps{
		Synth:        synth,
		PipelineType: awscodepipeline.PipelineType_V2,
		// A bucket with a key of its own: roles of other accounts read from it.
		ArtifactBucket:                   b.artifacts,
		CrossAccountKeys:                 jsii.Bool(true),
		EnableKeyRotation:                jsii.Bool(true),
		CliVersion:                       jsii.String(p.CLI),
		CdkAssetsCliVersion:              jsii.String(assetsVersion),
		CodeBuildDefaults:                b.defaults(),
		AssetPublishingCodeBuildDefaults: b.assets(),
		PublishAssetsInParallel:          jsii.Bool(false),
		DockerCredentials:                dockerHub(stack, p.Config.DockerHubSecret),
	})
	for _, c := range p.inOrder() {
		stage := awscdk.NewStage(stack, jsii.String(c.Name), &awscdk.StageProps{
			Env: &awscdk.Environment{Account: jsii.String(c.Account), Region: jsii.String(c.Region)},
		})
		p.AddStacks(stage, c)
		line.AddStage(stage, &pipelines.AddStageOpts{Pre: b.before(c, source, line.CloudAssemblyFileSet())})
	}
	line.BuildPipeline()
	expireCopies(line.Pipeline())
	all := []awscodepipeline.IPipeline{line.Pipeline()}
	if p.Config.Review {
		all = append(all, newReview(stack, b, source))
	}
	topic := newTopic(stack, "Topic", p.Config.Email)
	failed(all...).add(topic, topic)
	waiting(line.Pipeline()).add(topic, topic)
	allowConnection(stack, source)
	return stack
}

// inOrder are the environments that the pipeline deploys.
func (p Props) inOrder() []environment.Config {
	var out []environment.Config
	for _, name := range p.Config.Environments {
		for _, c := range p.Environments {
			if c.Name == name {
				out = append(out, c)
			}
		}
	}
	return out
}
