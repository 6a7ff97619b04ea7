package pipeline

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/environment"
	"slipway/infra/logs"
)

// toolchain is the Go that builds use, whatever their image has: the go command
// fetches it and checks its sum.
const toolchain = "go1.26.8"

// runtimes that the build image selects. Go only starts [toolchain].
var runtimes = map[string]any{"golang": "1.x", "nodejs": "22.x", "python": "3.12"}

// cacheFolder is where everybody may pass: PostgreSQL runs as another user than
// root, and /root is closed to it.
const cacheFolder = "/var/cache/build"

// caches are folders that the next build of the project finds again.
var caches = map[string]string{
	"GOMODCACHE":       cacheFolder + "/modules",
	"GOCACHE":          cacheFolder + "/go",
	"npm_config_cache": cacheFolder + "/npm",
	"XDG_CACHE_HOME":   cacheFolder + "/downloads",
}

// builds are what all builds have in common.
type builds struct {
	stack        awscdk.Stack
	props        Props
	architecture string
	artifacts    awss3.Bucket
	logs         awslogs.ILogGroup
}

func newBuilds(stack awscdk.Stack, p Props) *builds {
	b := &builds{stack: stack, props: p, architecture: p.inOrder()[0].Architecture}
	b.artifacts, _ = newStore(stack, "Artifacts", "Artifacts of the pipeline")
	b.logs = logs.NewGroup(stack, "Builds", p.Config.LogDays)
	return b
}

// defaults of all builds: not privileged, logs with an end.
func (b *builds) defaults() *pipelines.CodeBuildOptions {
	return &pipelines.CodeBuildOptions{
		BuildEnvironment: &awscodebuild.BuildEnvironment{BuildImage: b.image(),
			ComputeType: awscodebuild.ComputeType_SMALL, Privileged: jsii.Bool(false)},
		Logging: b.logging(b.logs),
		PartialBuildSpec: spec(
			map[string]any{"install": map[string]any{"runtime-versions": map[string]any{"nodejs": runtimes["nodejs"]}}}),
		Timeout: awscdk.Duration_Hours(jsii.Number(1)),
	}
}

// assets are published by builds of a larger size: one of them makes the image.
// The CDK makes that one privileged, for Docker, and no other.
func (b *builds) assets() *pipelines.CodeBuildOptions {
	o := &pipelines.CodeBuildOptions{BuildEnvironment: &awscodebuild.BuildEnvironment{BuildImage: b.image(),
		ComputeType: awscodebuild.ComputeType_MEDIUM}}
	if all := mirrors(b.props.Images); len(all) > 0 {
		o.PartialBuildSpec = spec(map[string]any{"pre_build": map[string]any{"commands": logins(all)}})
		o.RolePolicy = pulls(all, b.props.Config.Account)
	}
	return o
}

// image is of the environments' architecture: making the function's image runs
// programs of it.
func (b *builds) image() awscodebuild.IBuildImage {
	if b.architecture == environment.ARM64 {
		return awscodebuild.LinuxArmBuildImage_AMAZON_LINUX_2023_STANDARD_3_0()
	}
	return awscodebuild.LinuxBuildImage_AMAZON_LINUX_2023_5()
}

func (b *builds) logging(group awslogs.ILogGroup) *awscodebuild.LoggingOptions {
	return &awscodebuild.LoggingOptions{CloudWatch: &awscodebuild.CloudWatchLoggingOptions{LogGroup: group}}
}

// tools is the environment of builds that use Go and Node.
func (b *builds) tools() *awscodebuild.BuildEnvironment {
	variables := map[string]*awscodebuild.BuildEnvironmentVariable{}
	for name, value := range toolVariables() {
		variables[name] = &awscodebuild.BuildEnvironmentVariable{Value: jsii.String(value)}
	}
	return &awscodebuild.BuildEnvironment{BuildImage: b.image(), ComputeType: awscodebuild.ComputeType_MEDIUM,
		EnvironmentVariables: &variables}
}

func toolVariables() map[string]string {
	v := map[string]string{"GOTOOLCHAIN": toolchain, "CDK_DISABLE_CLI_TELEMETRY": "1"}
	for name, folder := range caches {
		v[name] = folder
	}
	return v
}

func spec(phases map[string]any, more ...map[string]any) awscodebuild.BuildSpec {
	object := map[string]any{"version": "0.2", "phases": phases}
	for _, m := range more {
		for key, value := range m {
			object[key] = value
		}
	}
	return awscodebuild.BuildSpec_FromObject(&object)
}

// lookupRole is the role of the CDK's bootstrap that may read in an
// environment's account.
func (b *builds) lookupRole(c environment.Config) string {
	return "arn:" + *awscdk.Aws_PARTITION() + ":iam::" + c.Account + ":role/cdk-" +
		*b.stack.Synthesizer().BootstrapQualifier() + "-lookup-role-" + c.Account + "-" + c.Region
}

func assume(roles ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Actions: jsii.Strings("sts:AssumeRole"),
		Resources: jsii.Strings(roles...)})
}

// assetsVersion is the version of cdk-assets, which publishes files and images.
const assetsVersion = "4.7.3"
