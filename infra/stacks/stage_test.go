package stacks_test

import (
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
	"github.com/aws/jsii-runtime-go"
)

// Made at the app's root and in a stage of a pipeline, a stack is the same to
// the last byte: whichever deploys first, the other one finds nothing to change.
// A stack of an application that waits for the schema waits for both of them.
func TestInAStage(t *testing.T) {
	app := newApp()
	stage := awscdk.NewStage(awscdk.NewStack(app, jsii.String("pipeline"), nil), jsii.String("prod"), nil)
	inStage := add(stage, "prod")
	shop := awscdk.NewStack(stage, jsii.String("shop"), &awscdk.StackProps{
		Env: &awscdk.Environment{Account: jsii.String("111122223333"), Region: jsii.String("eu-central-1")},
	})
	shop.Node().AddDependency(inStage.Applied.Schema)
	assembly := stage.Synth(nil)

	for name, stack := range map[string]awscdk.Stack{"slipway-prod": inStage.Migration,
		"slipway-prod-database": inStage.Database} {
		artifact := assembly.GetStackArtifact(stack.ArtifactId())
		equal(t, "name of the stack", artifact.StackName(), `"`+name+`"`)
		if got, want := text(plain(t, artifact.Template())), text(template(t, name)); got != want {
			t.Errorf("%s is another one in a stage:\n%s\n%s", name, got, want)
		}
		equal(t, "environment", artifact.Environment().Name, text(all().artifact(name).Environment().Name))
	}
	equal(t, "order of deployment", order(assembly.GetStackArtifact(shop.ArtifactId())),
		`["slipway-prod-database","slipway-prod","prod-shop"]`)
}

// order lists the stacks that are deployed before this one, and it.
func order(stack cxapi.CloudFormationStackArtifact) []string {
	var out []string
	for _, d := range *stack.Dependencies() {
		if needed, ok := d.(cxapi.CloudFormationStackArtifact); ok {
			for _, name := range order(needed) {
				if len(out) == 0 || out[len(out)-1] != name {
					out = append(out, name)
				}
			}
		}
	}
	return append(out, *stack.StackName())
}
