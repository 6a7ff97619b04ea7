package pipeline_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/environment"
)

type action = map[string]any

// actions of a pipeline by stage, in order.
func actions(t *testing.T, template map[string]any, prefix string) (names []string, stages map[string][]action) {
	t.Helper()
	stages = map[string][]action{}
	for _, s := range resource(t, template, "AWS::CodePipeline::Pipeline", prefix)["Stages"].([]any) {
		s := s.(map[string]any)
		name := s["Name"].(string)
		names = append(names, name)
		for _, a := range s["Actions"].([]any) {
			stages[name] = append(stages[name], a.(action))
		}
	}
	return names, stages
}

func TestStagesInTheOrderOfTheConfiguration(t *testing.T) {
	names, stages := actions(t, template(t, codeCommit(), "slipway-pipeline"), "Line")
	equal(t, "stages", names, `["Source","Build","UpdatePipeline","Assets","dev","prod"]`)
	deploys := func(stage string) (out []string) {
		for _, a := range stages[stage] {
			if c := a["Configuration"].(action); c["ActionMode"] == "CHANGE_SET_EXECUTE" {
				out = append(out, text([]any{c["StackName"], a["Region"], a["RoleArn"]}))
			}
		}
		return out
	}
	const role = `{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":iam::111122223333:role/cdk-hnb659fds-deploy-role-111122223333-eu-central-1"]]}`
	equal(t, "dev", deploys("dev"), text([]string{`["slipway-dev-database",null,` + role + `]`, `["slipway-dev",null,` +
		role + `]`}))
	equal(t, "prod", deploys("prod"), text([]string{`["slipway-prod","us-east-1",` + strings.NewReplacer("111122223333",
		"444455556666", "eu-central-1", "us-east-1").Replace(role) + `]`}))
}

func TestOtherOrder(t *testing.T) {
	assembly := synthesized(project(map[string]any{"environments": []any{"prod", "dev"}, "review": false}), nil)
	made := template(t, assembly, "slipway-pipeline")
	names, _ := actions(t, made, "Line")
	equal(t, "stages", names, `["Source","Build","UpdatePipeline","Assets","prod","dev"]`)
	for id := range made["Resources"].(map[string]any) {
		if strings.HasPrefix(id, "Review") {
			t.Errorf("a review was made that is not wanted: %s", id)
		}
	}
}

// Deployed from a laptop or by the pipeline, a stack is the same to the last byte.
func TestBothFormsOfAnEnvironmentAreEqual(t *testing.T) {
	compared := 0
	for _, name := range []string{"dev", "prod"} {
		nested := codeCommit().GetNestedAssembly(jsii.String("assembly-slipway-pipeline-" + name))
		for _, stack := range *nested.Stacks() {
			got, want := text(plain(t, stack.Template())), text(template(t, codeCommit(), *stack.StackName()))
			if got != want {
				t.Errorf("%s is another one in the pipeline:\n%s\n%s", *stack.StackName(), got, want)
			}
			compared++
		}
	}
	if compared != 3 {
		t.Errorf("%d stacks compared, not 3", compared)
	}
}

// The approval comes after the step that shows what it is about, and names it.
func TestApproval(t *testing.T) {
	_, stages := actions(t, template(t, codeCommit(), "slipway-pipeline"), "Line")
	var order []any
	for _, a := range stages["prod"] {
		order = append(order, []any{a["Name"], a["RunOrder"]})
	}
	equal(t, "prod", order, `[["Pending-prod",1],["Approve-prod",2],["slipway-prod.Prepare",3],["slipway-prod.Deploy",4]]`)
	equal(t, "text", stages["prod"][1]["Configuration"],
		`{"CustomData":"prod: #{prod@Pending-prod.PENDING}. All of it is in the log of Pending-prod."}`)
	for _, a := range stages["dev"] {
		if a["ActionTypeId"].(action)["Category"] == "Approval" {
			t.Error("dev wants no approval")
		}
	}
}

// The role that is asked for the history is there where somebody approves.
func TestReader(t *testing.T) {
	role := resource(t, template(t, codeCommit(), "slipway-prod"), "AWS::IAM::Role", "Reader")
	equal(t, "trust", role["AssumeRolePolicyDocument"].(action)["Statement"],
		`[{"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:PrincipalArn":{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":iam::111122223333:role/slipway-pipeline-*"]]}}},`+
			`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"}}]`)
	policy := resource(t, template(t, codeCommit(), "slipway-prod"), "AWS::IAM::Policy", "Reader")
	equal(t, "rights", policy["PolicyDocument"].(action)["Statement"],
		`[{"Action":["lambda:GetFunction","lambda:InvokeFunction"],"Effect":"Allow","Resource":{"Fn::GetAtt":["InspectorFunction9C623BA6","Arn"]}}]`)
	for id := range template(t, codeCommit(), "slipway-dev")["Resources"].(action) {
		if strings.HasPrefix(id, "Reader") {
			t.Errorf("nobody approves dev, and it has %s", id)
		}
	}
}

// The order of a release is the time of a commit: no source may be shallow.
func TestSourcesAreWholeClones(t *testing.T) {
	for kind, assembly := range map[string]cxapi.CloudAssembly{"CodeCommit": codeCommit(),
		"CodeStarSourceConnection": connection()} {
		for _, line := range []string{"Line", "ReviewLine"} {
			_, stages := actions(t, template(t, assembly, "slipway-pipeline"), line)
			source := stages["Source"][0]
			equal(t, kind+" "+line, []any{source["ActionTypeId"].(action)["Provider"],
				source["Configuration"].(action)["OutputArtifactFormat"]}, `["`+kind+`","CODEBUILD_CLONE_REF"]`)
		}
	}
}

func TestSources(t *testing.T) {
	made := template(t, codeCommit(), "slipway-pipeline")
	repository := made["Resources"].(action)["Repository22E53BBD"].(action)
	equal(t, "repository", []any{repository["Type"], repository["Properties"].(action)["RepositoryName"],
		repository["DeletionPolicy"]}, `["AWS::CodeCommit::Repository","slipway","RetainExceptOnCreate"]`)

	_, stages := actions(t, template(t, connection(), "slipway-pipeline"), "Line")
	equal(t, "connection", stages["Source"][0]["Configuration"],
		`{"BranchName":"main","ConnectionArn":"arn:aws:codeconnections:eu-central-1:111122223333:connection/0a1b2c3d-0000-0000-0000-000000000000",`+
			`"FullRepositoryId":"acme/group/shop","OutputArtifactFormat":"CODEBUILD_CLONE_REF"}`)

	existing := template(t, synthesized(project(map[string]any{"repository": "shop", "review": false}), nil),
		"slipway-pipeline")
	_, stages = actions(t, existing, "Line")
	equal(t, "existing repository", stages["Source"][0]["Configuration"].(action)["RepositoryName"], `"shop"`)
	for id, r := range existing["Resources"].(action) {
		if r.(action)["Type"] == "AWS::CodeCommit::Repository" {
			t.Errorf("%s is made, though shop exists", id)
		}
	}
}

// Docker needs privileges, and only the build of the image needs Docker. All
// logs have an end.
func TestProjects(t *testing.T) {
	count := 0
	made := template(t, codeCommit(), "slipway-pipeline")
	for id, r := range made["Resources"].(action) {
		if r.(action)["Type"] != "AWS::CodeBuild::Project" {
			continue
		}
		count++
		p := r.(action)["Properties"].(action)
		e := p["Environment"].(action)
		if docker := strings.Contains(id, "DockerAsset"); e["PrivilegedMode"] != docker {
			t.Errorf("%s: privileged %v", id, e["PrivilegedMode"])
		}
		equal(t, id, e["Image"], `"aws/codebuild/amazonlinux-x86_64-standard:5.0"`)
		group := p["LogsConfig"].(action)["CloudWatchLogs"].(action)["GroupName"].(action)["Ref"].(string)
		equal(t, id+": "+group, made["Resources"].(action)[group].(action)["Properties"].(action)["RetentionInDays"],
			`90`)
		if cached := p["Cache"].(action)["Type"] != "NO_CACHE"; cached && strings.HasPrefix(id, "Review") {
			t.Errorf("%s has a cache, in which a branch's code can leave something", id)
		}
	}
	if count != 8 {
		t.Errorf("%d projects, not 8", count)
	}
}

func TestArm(t *testing.T) {
	p := project(map[string]any{"review": false})
	for i := range p.Environments {
		p.Environments[i].Architecture = environment.ARM64
	}
	made := template(t, synthesized(p, nil), "slipway-pipeline")
	for id, r := range made["Resources"].(action) {
		if r.(action)["Type"] == "AWS::CodeBuild::Project" {
			e := r.(action)["Properties"].(action)["Environment"].(action)
			equal(t, id, []any{e["Type"], e["Image"]},
				`["ARM_CONTAINER","aws/codebuild/amazonlinux-aarch64-standard:3.0"]`)
		}
	}
}

func TestBuckets(t *testing.T) {
	made := template(t, codeCommit(), "slipway-pipeline")
	for _, prefix := range []string{"Artifacts", "ReviewArtifacts"} {
		bucket := resource(t, made, "AWS::S3::Bucket", prefix)
		equal(t, prefix, bucket["PublicAccessBlockConfiguration"],
			`{"BlockPublicAcls":true,"BlockPublicPolicy":true,"IgnorePublicAcls":true,"RestrictPublicBuckets":true}`)
		rule := bucket["BucketEncryption"].(action)["ServerSideEncryptionConfiguration"].([]any)[0].(action)
		equal(t, prefix, rule["ServerSideEncryptionByDefault"].(action)["SSEAlgorithm"], `"aws:kms"`)
		equal(t, prefix, resource(t, made, "AWS::KMS::Key", prefix)["EnableKeyRotation"], `true`)
		equal(t, prefix, bucket["LifecycleConfiguration"].(action)["Rules"].([]any)[0].(action)["ExpirationInDays"],
			`30`)
		policy := text(resource(t, made, "AWS::S3::BucketPolicy",
			prefix)["PolicyDocument"].(action)["Statement"].([]any)[0])
		if !strings.Contains(policy, `"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny"`) {
			t.Errorf("%s: plain HTTP is not denied: %s", prefix, policy)
		}
	}
}

// A text that a person can read, by way of what an empty account has: a rule of
// CodeStar Notifications needs a role that is not there the first time.
func TestNotifications(t *testing.T) {
	made := template(t, codeCommit(), "slipway-pipeline")
	const line, review = `{"Ref":"LinePipeline1D405AA4"}`, `{"Ref":"ReviewLine05C63712"}`
	for prefix, want := range map[string]struct{ pattern, text string }{
		"TopicFailed": {
			`{"account":["111122223333"],"detail":{"pipeline":[` + line + `,` + review +
				`],"state":["FAILED"]},"detail-type":["CodePipeline Action Execution State Change"],"source":["aws.codepipeline"]}`,
			"The pipeline P failed in the stage S, action A.\nReason: R\nLog: " +
				"https://log.example.com/1\nhttps://eu-central-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/P/view?region=eu-central-1",
		},
		"TopicWaiting": {
			`{"account":["111122223333"],"detail":{"pipeline":[` + line +
				`],"state":["STARTED"],"type":{"category":["Approval"]}},"detail-type":["CodePipeline Action Execution State Change"],"source":["aws.codepipeline"]}`,
			"The pipeline P waits for a person: stage S, action A.\nWhat would run there is in the approval " +
				"itself.\nhttps://eu-central-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/P/view?region=eu-central-1",
		},
	} {
		rule := resource(t, made, "AWS::Events::Rule", prefix)
		equal(t, prefix, rule["EventPattern"], want.pattern)
		target := rule["Targets"].([]any)[0].(action)
		equal(t, prefix, target["Arn"], `{"Ref":"TopicBFC7AF6E"}`)
		if got := sent(t, target["InputTransformer"].(action)); got != want.text {
			t.Errorf("%s sends\n%s\nnot\n%s", prefix, got, want.text)
		}
	}
	equal(t, "email address", resource(t, made, "AWS::SNS::Subscription", "")["Endpoint"], `"ops@example.com"`)
	if policy := text(resource(t, made, "AWS::SNS::TopicPolicy", "")); !strings.Contains(policy,
		`"Principal":{"Service":"events.amazonaws.com"}`) {
		t.Errorf("the rules may not publish: %s", policy)
	}
	for id, r := range made["Resources"].(action) {
		if kind := r.(action)["Type"].(string); strings.HasPrefix(kind, "AWS::CodeStarNotifications::") {
			t.Errorf("%s is a %s", id, kind)
		}
	}
}

// sent is what EventBridge makes of an event of CodePipeline.
func sent(t *testing.T, transformer action) string {
	t.Helper()
	event := action{"region": "eu-central-1", "detail": action{"pipeline": "P", "stage": "S", "action": "A",
		"execution-result": action{"external-execution-summary": "R",
			"external-execution-url": "https://log.example.com/1"}}}
	template := transformer["InputTemplate"].(string)
	for name, path := range transformer["InputPathsMap"].(action) {
		var value any = event
		for part := range strings.SplitSeq(strings.TrimPrefix(path.(string), "$."), ".") {
			value = value.(action)[part]
		}
		template = strings.ReplaceAll(template, "<"+name+">", value.(string))
	}
	var lines []string
	for quoted := range strings.SplitSeq(template, "\n") {
		var line string
		if err := json.Unmarshal([]byte(quoted), &line); err != nil {
			t.Fatalf("%v in %s", err, template)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// Whoever clones with a connection may use it under both names of the service.
func TestConnectionUnderBothNames(t *testing.T) {
	made := template(t, connection(), "slipway-pipeline")
	const arn = "arn:aws:codeconnections:eu-central-1:111122223333:connection/0a1b2c3d-0000-0000-0000-000000000000"
	count := 0
	for id, r := range made["Resources"].(action) {
		if r.(action)["Type"] != "AWS::IAM::Policy" {
			continue
		}
		may := map[string]bool{}
		for _, s := range r.(action)["Properties"].(action)["PolicyDocument"].(action)["Statement"].([]any) {
			if statement := text(s); strings.Contains(statement, arn) {
				may["old"] = may["old"] || strings.Contains(statement, `"codestar-connections:UseConnection"`)
				may["new"] = may["new"] || strings.Contains(statement, `"codeconnections:UseConnection"`)
			}
		}
		if len(may) == 0 {
			continue
		}
		count++
		if !may["old"] || !may["new"] {
			t.Errorf("%s may use the connection under one name only: %v", id, may)
		}
	}
	// Two source actions; Synth and Pending-prod; three builds of a review.
	if count != 7 {
		t.Errorf("%d roles may use the connection, not 7", count)
	}
}

// assetSpec is the build spec of the image's build.
func assetSpec(t *testing.T, assembly cxapi.CloudAssembly) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(*assembly.Directory(), "buildspec-*-DockerAsset.yaml"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	spec, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(spec)
}

// The image's build logs in to Docker Hub with the fields that the keys' table
// names.
func TestDockerHubsFields(t *testing.T) {
	const want = `"secretsManagerSecretId":"arn:aws:secretsmanager:eu-central-1:111122223333:secret:hub-AbCdEf","secretsUsernameField":"username","secretsPasswordField":"password"`
	if spec := assetSpec(t, connection()); !strings.Contains(strings.ReplaceAll(spec, `\`, ``), want) {
		t.Errorf("no %s in\n%s", want, spec)
	}
}

// A mirror in ECR wants a login, which the CDK does not make.
func TestMirrorInECR(t *testing.T) {
	p := project(map[string]any{"review": false})
	p.Images.Flyway = "999988887777.dkr.ecr.us-east-1.amazonaws.com/mirror/flyway:12.4.0"
	p.Images.Go = "golang:1.26"
	assembly := synthesized(p, nil)
	const login = "aws ecr get-login-password --region us-east-1 | docker login --username AWS --password-stdin " +
		"999988887777.dkr.ecr.us-east-1.amazonaws.com; fi"
	if spec := assetSpec(t, assembly); strings.Count(spec, login) != 1 ||
		strings.Index(spec, login) > strings.Index(spec, "cdk-assets --path") {
		t.Errorf("no login in\n%s", spec)
	}
	policy := text(resource(t, template(t, assembly, "slipway-pipeline"), "AWS::IAM::Policy", "LineAssetsDockerRole"))
	for _, want := range []string{`"ecr:BatchGetImage"`, `"ecr:BatchImportUpstreamImage"`,
		`:ecr:us-east-1:999988887777:repository/mirror/flyway"`, `"ecr:GetAuthorizationToken"`} {
		if !strings.Contains(policy, want) {
			t.Errorf("the image's build has no %s: %s", want, policy)
		}
	}
	if strings.Contains(policy, "ecr:CreateRepository") {
		t.Errorf("the image's build may make repositories in another account: %s", policy)
	}
}

// A pull-through cache in the pipeline's own account makes its repository at the
// first pull, by the rights of whoever pulls.
func TestCacheInTheOwnAccount(t *testing.T) {
	p := project(map[string]any{"review": false})
	p.Images.Flyway = p.Pipeline.Account + ".dkr.ecr.eu-central-1.amazonaws.com/docker-hub/flyway/flyway:12.4.0"
	policy := text(resource(t, template(t, synthesized(p, nil), "slipway-pipeline"), "AWS::IAM::Policy",
		"LineAssetsDockerRole"))
	const want = `"ecr:CreateRepository","ecr:GetDownloadUrlForLayer"],"Effect":"Allow","Resource":{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":ecr:eu-central-1:111122223333:repository/docker-hub/flyway/flyway"]]}}`
	if !strings.Contains(policy, want) {
		t.Errorf("the image's build can't make it: %s", policy)
	}
}

// Docker Hub's password is read where assets are published, one of which is the
// image, and nowhere else.
func TestDockerHub(t *testing.T) {
	made := template(t, connection(), "slipway-pipeline")
	for id, r := range made["Resources"].(action) {
		reads := strings.Contains(text(r.(action)["Properties"]), `"secretsmanager:GetSecretValue"`)
		if reads && !strings.HasPrefix(id, "LineAssets") {
			t.Errorf("%s may read the secret", id)
		} else if strings.HasPrefix(id, "LineAssetsDockerRole") && r.(action)["Type"] == "AWS::IAM::Policy" && !reads {
			t.Errorf("%s may not read the secret", id)
		}
	}
}
