package pipeline

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/jsii-runtime-go"

	"maps"
)

// assembly is the folder of what the CDK's app makes.
const assembly = "cdk.out"

// checked is where the cache keeps the commit whose scripts were checked last:
// what came since is to be judged, be it one commit or several.
const checked = cacheFolder + "/checked"

// synthCommands test the project and make the templates. What a pull request
// was merged with is not judged again: a script that was meant to be deleted,
// for one, could never pass.
var synthCommands = []string{
	`AGAINST="$(cat "$CHECKED/commit" 2>/dev/null || true)"`,
	`{ [ -n "$AGAINST" ] && git merge-base --is-ancestor "$AGAINST" HEAD 2>/dev/null; } || AGAINST="$(git rev-parse --quiet --verify HEAD^ || git rev-parse HEAD)"`,
	`go run ./lambda/workbench check --against "$AGAINST" --without edited-script,renamed-script,deleted-script`,
	`mkdir -p "$CHECKED" && git rev-parse HEAD >"$CHECKED/commit"`,
	`make test`,
	`infra/cdk synth --quiet`,
}

var installCommands = []string{`go version`, `node --version`, `infra/cdk --version`}

// synth is the build that every push goes through first.
func (b *builds) synth(source source) pipelines.CodeBuildStep {
	var folders []string
	for _, folder := range slices.Sorted(maps.Values(caches)) {
		folders = append(folders, folder+"/**/*")
	}
	folders = append(folders, checked+"/**/*")
	return pipelines.NewCodeBuildStep(jsii.String("Synth"), &pipelines.CodeBuildStepProps{
		Input:                  source.files,
		InstallCommands:        jsii.Strings(installCommands...),
		Commands:               jsii.Strings(synthCommands...),
		PrimaryOutputDirectory: jsii.String(assembly),
		BuildEnvironment:       b.tools(),
		Env:                    &map[string]*string{"CHECKED": jsii.String(checked)},
		RolePolicyStatements:   source.useConnection(),
		Timeout:                awscdk.Duration_Hours(jsii.Number(1)),
		Cache:                  awscodebuild.Cache_Bucket(b.artifacts, &awscodebuild.BucketCacheOptions{Prefix: jsii.String("cache")}),
		PartialBuildSpec: spec(map[string]any{"install": map[string]any{"runtime-versions": runtimes}},
			map[string]any{"cache": map[string]any{"paths": folders}}),
	})
}
