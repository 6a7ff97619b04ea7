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

// checkCommands judge the scripts that came since. What a pull request was
// merged with is not judged again: a script that was meant to be deleted, for
// one, could never pass.
var checkCommands = []string{
	`AGAINST="$(cat "$CHECKED/commit" 2>/dev/null || true)"`,
	`{ [ -n "$AGAINST" ] && git merge-base --is-ancestor "$AGAINST" HEAD 2>/dev/null; } || AGAINST="$(git rev-parse --quiet --verify HEAD^ || git rev-parse HEAD)"`,
	`go run ./lambda/workbench check --against "$AGAINST" --without edited-script,renamed-script,deleted-script`,
	`mkdir -p "$CHECKED" && git rev-parse HEAD >"$CHECKED/commit"`,
}

// testCommand runs Slipway's own tests, which no script of a user's changes.
const testCommand = `make test`

// templateCommands make the templates and then deploy all scripts to an empty
// database, with the settings that the templates have.
var templateCommands = []string{
	`infra/cdk synth --quiet`,
	`go run ./lambda/workbench history --assembly ` + assembly,
}

func synthCommands(tests bool) []string {
	if tests {
		return slices.Concat(checkCommands, []string{testCommand}, templateCommands)
	}
	return slices.Concat(checkCommands, templateCommands)
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
		Commands:               jsii.Strings(synthCommands(b.props.Config.Test)...),
		PrimaryOutputDirectory: jsii.String(assembly),
		BuildEnvironment:       b.tools(),
		Env:                    &map[string]*string{"CHECKED": jsii.String(checked)},
		RolePolicyStatements:   source.useConnection(),
		Timeout:                awscdk.Duration_Hours(jsii.Number(1)),
		Cache: awscodebuild.Cache_Bucket(b.artifacts,
			&awscodebuild.BucketCacheOptions{Prefix: jsii.String("cache")}),
		PartialBuildSpec: spec(map[string]any{"install": map[string]any{"runtime-versions": runtimes}},
			map[string]any{"cache": map[string]any{"paths": folders}}),
	})
}
