package migration

import (
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecrassets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/environment"
)

// Image is the image of docker/Dockerfile, built from the project at root when
// it is deployed; a synthesis needs no Docker. Its hash is that of the files
// that .dockerignore lets in and of the build arguments.
func Image(root string, images environment.Images, architecture string) awslambda.DockerImageCode {
	root, _ = filepath.Abs(root)
	platform := awsecrassets.Platform_LINUX_AMD64()
	if architecture == environment.ARM64 {
		platform = awsecrassets.Platform_LINUX_ARM64()
	}
	return awslambda.DockerImageCode_FromImageAsset(jsii.String(root), &awslambda.AssetImageCodeProps{
		File:       jsii.String("docker/Dockerfile"),
		IgnoreMode: awscdk.IgnoreMode_DOCKER,
		BuildArgs:  buildArgs(images),
		Platform:   platform,
	})
}

// buildArgs leaves out what is not configured, so that the Dockerfile's own defaults hold.
func buildArgs(images environment.Images) *map[string]*string {
	args := map[string]*string{}
	for name, image := range map[string]string{"FLYWAY_IMAGE": images.Flyway, "GO_IMAGE": images.Go,
		"FLYWAY_SUMS": images.Sums} {
		if image != "" {
			args[name] = jsii.String(image)
		}
	}
	return &args
}
