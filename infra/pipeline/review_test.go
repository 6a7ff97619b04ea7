package pipeline_test

import (
	"encoding/json"
	"strings"
	"testing"
)

const (
	reviewBucket = `{"Fn::GetAtt":["ReviewArtifactsBucketB5EEFDB6","Arn"]}`
	reviewKey    = `{"Fn::GetAtt":["ReviewArtifactsKeyEFFCB0B4","Arn"]}`
	reviewLogs   = `{"Fn::GetAtt":["ReviewBuilds283BA68F","Arn"]}`
)

func objects(artifact string) string {
	return `{"Fn::Join":["",[` + reviewBucket + `,"/*/` + artifact + `/*"]]}`
}

func lookup(account, region string) string {
	return `{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":iam::` + account + `:role/cdk-hnb659fds-lookup-role-` +
		account + `-` + region + `"]]}`
}

// Every statement of the review's roles. Another one is a decision: the first
// two run what a branch brings.
func TestWhatReviewsMayDo(t *testing.T) {
	made := template(t, codeCommit(), "slipway-pipeline")
	const pull = `{"Action":"codecommit:GitPull","Effect":"Allow","Resource":{"Fn::GetAtt":["Repository22E53BBD","Arn"]}}`
	common := func(reads, build string) string {
		return `{"Action":["s3:GetObject","s3:GetObjectVersion"],"Effect":"Allow","Resource":` + reads + `},` +
			`{"Action":"s3:PutObject","Effect":"Allow","Resource":` + objects(build) + `},` +
			`{"Action":["s3:GetBucketAcl","s3:GetBucketLocation"],"Effect":"Allow","Resource":` + reviewBucket + `},` +
			`{"Action":["kms:Decrypt","kms:DescribeKey","kms:GenerateDataKey"],"Effect":"Allow","Resource":` +
			reviewKey + `},` +
			`{"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Effect":"Allow","Resource":` + reviewLogs + `},` +
			pull
	}
	for role, want := range map[string]string{
		"ReviewSynthRole":    `[` + common(objects("Source"), "Synth") + `]`,
		"ReviewRehearseRole": `[` + common(objects("Source"), "Rehearse") + `]`,
		"ReviewJudgeRole": `[` + common(`[`+objects("Rehearse")+`,`+objects("Source")+`,`+objects("Synth")+`]`,
			"Judge") +
			`,{"Action":"sts:AssumeRole","Effect":"Allow","Resource":[{"Fn::GetAtt":["ReviewCommentRole531738EB","Arn"]},` + lookup("111122223333", "eu-central-1") + `,` + lookup("444455556666", "us-east-1") + `]}]`,
		"ReviewCommentRole": `[{"Action":["codecommit:GetCommentsForPullRequest","codecommit:GetPullRequest","codecommit:PostCommentForPullRequest","codecommit:UpdateComment","codecommit:UpdatePullRequestApprovalState"],` +
			`"Effect":"Allow","Resource":{"Fn::GetAtt":["Repository22E53BBD","Arn"]}}]`,
	} {
		equal(t, role, resource(t, made, "AWS::IAM::Policy", role)["PolicyDocument"].(action)["Statement"], want)
		r := resource(t, made, "AWS::IAM::Role", role)
		if r["ManagedPolicyArns"] != nil || r["Policies"] != nil {
			t.Errorf("%s has more: %s", role, text(r))
		}
	}
	equal(t, "who may comment",
		resource(t, made, "AWS::IAM::Role", "ReviewCommentRole")["AssumeRolePolicyDocument"].(action)["Statement"],
		`[{"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:RoleSessionName":"slipway-review"}},"Effect":"Allow","Principal":{"AWS":{"Fn::GetAtt":["ReviewJudgeRole685C5275","Arn"]}}}]`)
	for name, role := range map[string]string{"Synth": "ReviewSynthRole", "Rehearse": "ReviewRehearseRole",
		"Judge": "ReviewJudgeRole"} {
		if got := text(resource(t, made, "AWS::CodeBuild::Project", "Review"+
			name)["ServiceRole"]); !strings.Contains(got, role) {
			t.Errorf("%s runs in the role %s", name, got)
		}
	}
}

// Artifacts are told apart by their names, which CodePipeline cuts at ten letters.
func TestArtifactsOfReviews(t *testing.T) {
	_, stages := actions(t, template(t, codeCommit(), "slipway-pipeline"), "ReviewLine")
	var outputs []any
	for _, stage := range []string{"Source", "Try", "Judge"} {
		for _, a := range stages[stage] {
			outputs = append(outputs, a["OutputArtifacts"].([]any)[0].(action)["Name"])
		}
	}
	equal(t, "artifacts", outputs, `["Source","Synth","Rehearse","Judge"]`)
	equal(t, "what the judge reads", stages["Judge"][0]["InputArtifacts"],
		`[{"Name":"Source"},{"Name":"Synth"},{"Name":"Rehearse"}]`)
}

func TestPullRequestsStartReviews(t *testing.T) {
	made := template(t, codeCommit(), "slipway-pipeline")
	rule := resource(t, made, "AWS::Events::Rule", "ReviewStart")
	equal(t, "events", rule["EventPattern"],
		`{"detail":{"destinationReference":["refs/heads/master"],"event":["pullRequestCreated","pullRequestSourceBranchUpdated"],"pullRequestStatus":["Open"]},`+
			`"detail-type":["CodeCommit Pull Request State Change"],"resources":[{"Fn::GetAtt":["Repository22E53BBD","Arn"]}],"source":["aws.codecommit"]}`)
	transformer := rule["Targets"].([]any)[0].(action)["InputTransformer"].(action)
	equal(t, "paths", transformer["InputPathsMap"],
		`{"DESTINATION_COMMIT":"$.detail.destinationCommit","PULL_REQUEST_ID":"$.detail.pullRequestId","REVISION_ID":"$.detail.revisionId","SOURCE_COMMIT":"$.detail.sourceCommit"}`)
	// As EventBridge fills it in.
	filled := transformer["InputTemplate"].(string)
	for name := range transformer["InputPathsMap"].(action) {
		filled = strings.ReplaceAll(filled, "<"+name+">", "a-"+name)
	}
	var request any
	if err := json.Unmarshal([]byte(filled), &request); err != nil {
		t.Fatalf("%v in %s", err, filled)
	}
	equal(t, "request", request,
		`{"sourceRevisions":[{"actionName":"Source","revisionType":"COMMIT_ID","revisionValue":"a-DESTINATION_COMMIT"}],"variables":[{"name":"SOURCE_COMMIT","value":"a-SOURCE_COMMIT"},`+
			`{"name":"DESTINATION_COMMIT","value":"a-DESTINATION_COMMIT"},{"name":"PULL_REQUEST_ID","value":"a-PULL_REQUEST_ID"},{"name":"REVISION_ID","value":"a-REVISION_ID"}]}`)
	line := resource(t, made, "AWS::CodePipeline::Pipeline", "ReviewLine")
	equal(t, "mode", line["ExecutionMode"], `"PARALLEL"`)
	equal(t, "a commit starts no review",
		resource(t, made, "AWS::CodePipeline::Pipeline",
			"ReviewLine")["Stages"].([]any)[0].(action)["Actions"].([]any)[0].(action)["Configuration"].(action)["PollForSourceChanges"], `false`)
}

// With a connection the review is an artifact; the branch's clone may be pulled
// and not pushed to.
func TestReviewWithAConnection(t *testing.T) {
	made := template(t, connection(), "slipway-pipeline")
	line := resource(t, made, "AWS::CodePipeline::Pipeline", "ReviewLine")
	equal(t, "trigger", line["Triggers"], `[{"GitConfiguration":{"PullRequest":[{"Branches":{"Includes":["main"]},"Events":["OPEN","UPDATED"]}],"SourceActionName":"Source"},"ProviderType":"CodeStarSourceConnection"}]`)
	_, stages := actions(t, made, "ReviewLine")
	equal(t, "a push starts none", stages["Source"][0]["Configuration"].(action)["DetectChanges"], `false`)
	equal(t, "commits", stages["Judge"][0]["Configuration"].(action)["EnvironmentVariables"], text(`[{"name":"DESTINATION_COMMIT","type":"PLAINTEXT","value":"refs/remotes/origin/main"},{"name":"SOURCE_COMMIT","type":"PLAINTEXT","value":"HEAD"}]`))
	statements := text(resource(t, made, "AWS::IAM::Policy", "ReviewSynthRole")["PolicyDocument"].(action)["Statement"])
	for _, service := range []string{"codestar-connections", "codeconnections"} {
		want := `{"Action":"` + service + `:UseConnection","Condition":{"StringEquals":{"` + service + `:FullRepositoryId":"acme/group/shop","` + service + `:ProviderAction":"GitPull"}},"Effect":"Allow",` +
			`"Resource":"arn:aws:codeconnections:eu-central-1:111122223333:connection/0a1b2c3d-0000-0000-0000-000000000000"}`
		if !strings.Contains(statements, want) {
			t.Errorf("no %s in %s", want, statements)
		}
	}
	spec := resource(t, made, "AWS::CodeBuild::Project", "ReviewJudge")["Source"].(action)["BuildSpec"].(string)
	if strings.Contains(spec, `workbench\" comment`) || !strings.Contains(spec, `workbench\" review`) {
		t.Errorf("the judge's spec: %s", spec)
	}
	for id := range made["Resources"].(action) {
		if strings.HasPrefix(id, "ReviewComment") || strings.HasPrefix(id, "ReviewStart") {
			t.Errorf("%s is of no use", id)
		}
	}
}
