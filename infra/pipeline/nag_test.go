package pipeline_test

//lint:file-ignore SA1019 the type that is to replace this one does not exist in Go yet

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// acknowledged are the findings of cdk-nag's AwsSolutions that stay in the
// pipeline's stacks, each with its reason. path is a pattern of the construct's.
var acknowledged = []struct{ rule, path, reason string }{
	{`AwsSolutions-S1`, `/(Artifacts/Bucket|CrossRegionCodePipelineReplicationBucket)/Resource$`,
		"Artifacts of builds, kept for 30 days and reached by the pipeline's roles only. Who read one is in " +
			"CloudTrail's data events, where an account has them on."},
	{`AwsSolutions-IAM5\[Action::(s3|kms):[A-Za-z]+\*\]`, `^/slipway-pipeline/(Line|Review/Line)/`,
		"The CDK's grants on the artifacts' bucket and key name groups of actions."},
	{`AwsSolutions-IAM5\[Resource::<(Review)?ArtifactsBucket\w+\.Arn>/\*\]`, `^/slipway-pipeline/(Line|Review/Line)/`,
		"Artifacts have names that CodePipeline makes up."},
	{`AwsSolutions-IAM5\[Resource::<ReviewArtifactsBucket\w+\.Arn>/\*/\w+/\*\]`,
		`^/slipway-pipeline/Review/(Synth|Rehearse|Judge)Role/DefaultPolicy/Resource$`,
		"Artifacts have names that CodePipeline makes up, below the artifact's own name, which is what is told " +
			"apart here."},
	{`AwsSolutions-IAM5\[Resource::arn:aws:s3:::slipway-pipeline-support-\w+/\*\]`,
		`^/slipway-pipeline/Line/Pipeline/Role/DefaultPolicy/Resource$`,
		"The CDK's bucket for artifacts in the other region."},
	{`AwsSolutions-IAM5\[Resource::\*\]`, `^/slipway-pipeline/Line/Pipeline/Role/DefaultPolicy/Resource$`,
		"The CDK can't name the key of that bucket, which lies in another region; the key's own policy names the role."},
	{`AwsSolutions-IAM5\[Resource::arn:aws:logs:[^\]]*:log-group:/aws/codebuild/.*`,
		`^/slipway-pipeline/Line/.*Role/DefaultPolicy/Resource$`,
		"The CDK grants a build its own log group as well, which is never used: logs go to one with an end."},
	{`AwsSolutions-IAM5\[Resource::arn:aws:codebuild:[^\]]*:report-group/.*`,
		`^/slipway-pipeline/Line/.*Role/DefaultPolicy/Resource$`,
		"The CDK grants a build the test reports of its project."},
	{`AwsSolutions-IAM5\[Resource::\*\]`, `^/slipway-pipeline/Line/Assets/(File|Docker)Role/DefaultPolicy/Resource$`,
		"The CDK's publishing role may start builds: CodePipeline assumes it for that."},
	{`AwsSolutions-IAM5\[Resource::(\*|arn:\*:iam::111122223333:role/\*)\]`,
		`^/slipway-pipeline/Line/UpdatePipeline/SelfMutation/Role/DefaultPolicy/Resource$`,
		"The CDK's self-update takes the bootstrap's roles, known by their tag, and looks at stacks."},
	{`AwsSolutions-IAM5\[Resource::arn:<AWS::Partition>:iam::444455556666:role/slipway-prod-Reader\*\]`,
		`^/slipway-pipeline/Line/Pipeline/prod/Pending-prod/`,
		"The end of the role's name is made up when the environment is deployed."},
}

func nag(scope constructs.Construct) {
	awscdk.Aspects_Of(scope).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{}), nil)
}

var (
	finding = regexp.MustCompile(`^(AwsSolutions-\w+)(\[[^\]]*\])?`)
	mine    = regexp.MustCompile(`^/(slipway-pipeline/[A-Z]|cross-region-stack)`)
)

// What is in a stage is judged with the environments' stacks, which are the same.
func TestNag(t *testing.T) {
	used := make([]bool, len(acknowledged))
	for _, assembly := range []cxapi.CloudAssembly{codeCommit(), connection()} {
		for _, stack := range *assembly.Stacks() {
			for _, message := range *stack.Messages() {
				if !mine.MatchString(*message.Id) {
					continue
				}
				said := fmt.Sprint(message.Entry.Data)
				known := false
				for i, a := range acknowledged {
					if regexp.MustCompile("^"+a.rule+"$").MatchString(finding.FindString(said)) &&
						regexp.MustCompile(a.path).MatchString(*message.Id) {
						known, used[i] = true, true
					}
				}
				if !known {
					t.Errorf("%s: %s", *message.Id, said)
				}
			}
		}
	}
	for i, a := range acknowledged {
		if !used[i] {
			t.Errorf("nothing is found any more that this acknowledges: %s at %s", a.rule, a.path)
		}
	}
}
