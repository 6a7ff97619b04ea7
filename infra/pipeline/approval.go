package pipeline

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/pipelines"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/environment"
)

// before are the steps that come before an environment is deployed: for one
// that wants approval a build that shows what would happen, then the approval.
func (b *builds) before(c environment.Config, source source, made pipelines.FileSet) *[]pipelines.Step {
	if !c.Approval {
		return nil
	}
	pending := b.pending(c, source, made)
	approval := pipelines.NewManualApprovalStep(jsii.String("Approve-"+c.Name), &pipelines.ManualApprovalStepProps{
		Comment: jsii.String(fmt.Sprintf("%s: %s. All of it is in the log of Pending-%s.", c.Name,
			*pending.ExportedVariable(jsii.String("PENDING")), c.Name)),
	})
	// Steps before a stage run side by side unless one waits for the other.
	approval.AddStepDependency(pending)
	return &[]pipelines.Step{pending, approval}
}

// pendingCommands print what a deployment would change, and the scripts that it
// would run: the database itself is in subnets that no build reaches.
func pendingCommands(c environment.Config) []string {
	return []string{
		fmt.Sprintf("infra/cdk diff --no-color --no-notices --no-lookups --app %s --method template %s", assembly,
			stackNames(c)),
		fmt.Sprintf(`go run ./lambda/workbench pending --environment %s --assembly %s --lookup-role "$LOOKUP_ROLE" --summary pending.txt`, c.Name, assembly),
		`export PENDING="$(cat pending.txt)"`,
	}
}

func stackNames(c environment.Config) string {
	if c.Database.Exists {
		return "slipway-" + c.Name
	}
	return "slipway-" + c.Name + "-database slipway-" + c.Name
}

func (b *builds) pending(c environment.Config, source source, made pipelines.FileSet) pipelines.CodeBuildStep {
	rights := []awsiam.PolicyStatement{
		assume(b.lookupRole(c), "arn:"+*awscdk.Aws_PARTITION()+":iam::"+c.Account+":role/slipway-"+c.Name+"-Reader*"),
	}
	if more := source.useConnection(); more != nil {
		rights = append(rights, *more...)
	}
	return pipelines.NewCodeBuildStep(jsii.String("Pending-"+c.Name), &pipelines.CodeBuildStepProps{
		Input:                source.files,
		AdditionalInputs:     &map[string]pipelines.IFileSetProducer{assembly: made},
		Commands:             jsii.Strings(pendingCommands(c)...),
		Env:                  &map[string]*string{"LOOKUP_ROLE": jsii.String(b.lookupRole(c))},
		BuildEnvironment:     b.tools(),
		Timeout:              awscdk.Duration_Minutes(jsii.Number(30)),
		PartialBuildSpec:     spec(map[string]any{"install": map[string]any{"runtime-versions": runtimes}}),
		RolePolicyStatements: &rights,
	})
}
