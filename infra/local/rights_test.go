//go:build deploy

package main

import (
	"fmt"
	"strings"

	"slipway/infra/local/ground"
)

// assume is the session that an action has: CodePipeline takes the pipeline's
// role, and with that the action's.
func (e *execution) assume(a action, there ground.AWS) (ground.AWS, error) {
	service, err := e.aws.As(e.s.Context(), "codepipeline.amazonaws.com", e.line.RoleArn)
	if err != nil {
		return there, err
	}
	service.Region = there.Region
	return service.Assume(e.s.Context(), a.RoleArn, "slipway")
}

// rights has the policies asked about what AWS's services do in an action,
// besides what its commands do: artifacts, their keys, logs, clones.
func (e *execution) rights(a action) error {
	if _, err := e.assume(a, e.aws); err != nil {
		return err
	}
	bucket := e.line.in(e.aws.Region)
	at := map[string]string{
		"action": a.RoleArn, "key": bucket.EncryptionKey.Id, "pipeline": e.line.RoleArn, "bucket": "arn:aws:s3:::" +
			bucket.Location,
	}
	if len(a.OutputArtifacts) > 0 {
		at["output"] = e.object(bucket, a.OutputArtifacts[0].Name)
	}
	switch a.ActionTypeId.Provider {
	case "CodeCommit":
		at["repository"] = e.repository()
		return e.aws.Happened(e.s.Context(), "source", at)
	case "CodeBuild":
		return e.buildRights(a, at)
	case "CloudFormation":
		return e.deployRights(a, at)
	}
	return nil
}

func (e *execution) buildRights(a action, at map[string]string) error {
	name := a.setting("ProjectName")
	project, err := e.aws.BuildProject(e.s.Context(), name)
	if err != nil {
		return err
	}
	at["project"] = fmt.Sprintf("arn:aws:codebuild:%s:%s:project/%s", e.aws.Region, pipelineAccount, name)
	at["role"] = project.ServiceRole
	for _, input := range a.InputArtifacts {
		// A source that is handed on as a clone is an address: the build itself clones it.
		if strings.HasSuffix(input.Name, "Source") {
			at["repository"] = e.repository()
		}
		if err := e.input(project.ServiceRole, input.Name, e.aws.Region); err != nil {
			return err
		}
	}
	return e.aws.Happened(e.s.Context(), "build", at)
}

// deployRights are those of an action of CloudFormation, which reads the
// artifact in its own region: the pipeline copies it there.
func (e *execution) deployRights(a action, at map[string]string) error {
	region := e.aws.Region
	if a.Region != "" {
		region = a.Region
	}
	home := e.line.in(e.aws.Region)
	bucket := e.line.in(region)
	for _, input := range a.InputArtifacts {
		if region != e.aws.Region {
			at["original"] = e.object(home, input.Name)
			at["original_key"] = home.EncryptionKey.Id
			at["object"] = e.object(bucket, input.Name)
			at["key"] = bucket.EncryptionKey.Id
			if err := e.aws.Happened(e.s.Context(), "copy", at); err != nil {
				return err
			}
		}
		if err := e.input(a.RoleArn, input.Name, region); err != nil {
			return err
		}
	}
	return nil
}

func (e *execution) input(reader, artifact, region string) error {
	from := e.line.in(region)
	return e.aws.Happened(e.s.Context(), "input", map[string]string{
		"reader": reader, "object": e.object(from, artifact), "key": from.EncryptionKey.Id, "where": region,
	})
}

// object is an artifact as CodePipeline stores it, <pipeline>/<ten letters of
// the artifact's name>/<any>.
func (e *execution) object(in store, artifact string) string {
	return "arn:aws:s3:::" + in.Location + "/slipway-pipeline/" + artifact[:min(len(artifact), 10)] + "/x"
}

func (e *execution) repository() string {
	return "arn:aws:codecommit:" + e.aws.Region + ":" + pipelineAccount + ":slipway"
}

// reviewRights has the policies asked about a review's actions. Their commands
// are tried by make test-builds, with a stand-in for CodeCommit.
func (s *site) reviewRights(aws ground.AWS) {
	s.Helper()
	e := &execution{s: s, aws: aws, line: s.definition(aws, "ReviewLine")}
	var judge ground.BuildProject
	for _, stage := range e.line.Stages {
		for _, a := range stage.Actions {
			s.check(e.rights(a))
			if a.Name == "Judge" {
				project, err := aws.BuildProject(s.Context(), a.setting("ProjectName"))
				s.check(err)
				judge = project
			}
		}
	}
	build, err := aws.As(s.Context(), "codebuild.amazonaws.com", judge.ServiceRole)
	s.check(err)
	for account, region := range map[string]string{pipelineAccount: pipelineRegion, prodAccount: prodRegion} {
		_, err := build.Assume(s.Context(), fmt.Sprintf("arn:aws:iam::%s:role/cdk-hnb659fds-lookup-role-%[1]s-%s",
			account, region), "slipway")
		s.check(err)
	}
	stack, err := aws.Stack(s.Context(), "slipway-pipeline")
	s.check(err)
	role := strings.Split(stack.Outputs["Reviewer"], "/")[1]
	reviewer := "arn:aws:iam::" + pipelineAccount + ":role/" + role
	_, err = build.Assume(s.Context(), reviewer, "slipway-review")
	s.check(err)
	s.check(aws.Happened(s.Context(), "comment", map[string]string{
		"role": reviewer, "judge": judge.ServiceRole, "repository": e.repository(),
	}))
}

// rightTakenAway deploys without one action of a role, and the deployment says
// which one it lacks.
func rightTakenAway(s *site) {
	s.configure("local", nil)
	s.without("environment/InspectorRole", "secretsmanager:GetSecretValue", func() error {
		out, err := s.g.Workbench(s.Context(), "info", "--environment", "local")
		return said(out, err)
	}, "SECRET_UNREADABLE", "the role secretsmanager:GetSecretValue")
	s.configure("taken", map[string]any{"throwaway": true, "database": map[string]any{"name": "taken"}})
	deploy := func() error {
		out, err := s.g.Deploy(s.Context(), "taken")
		reasons, failure := s.g.AWS(ground.Account, ground.Region).Reasons(s.Context(), "slipway-taken")
		if err != nil && failure == nil {
			out += strings.Join(reasons, "\n") // the CDK does not print each of them
		}
		return said(out, err)
	}
	s.without("bootstrap/DeploymentActionRole", "iam:PassRole", deploy, "not authorized to perform: iam:PassRole")
	s.without("bootstrap/CloudFormationExecutionRole", "*", deploy, "not authorized to perform: iam:PassRole")
	s.without("environment/Role", "secretsmanager:GetSecretValue", deploy, "SECRET_UNREADABLE",
		"the role secretsmanager:GetSecretValue")
	s.wantStatus("slipway-taken", "ROLLBACK_COMPLETE")
	s.without("environment/FrameworkRole", "lambda:InvokeFunction", deploy,
		"not authorized to perform: lambda:InvokeFunction")
	s.wantStatus("slipway-taken", "ROLLBACK_COMPLETE")
}

// said is an error with what was printed, in one line: the CDK wraps lines.
func said(out string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %s", err, strings.Join(strings.Fields(out), " "))
}

// without runs f while the action is taken out of the policies of a holder, and
// wants it to fail with the texts.
func (s *site) without(holder, action string, f func() error, texts ...string) {
	s.Helper()
	s.check(s.g.Take(s.Context(), holder, action))
	err := f()
	s.check(s.g.GiveBack(s.Context()))
	if err == nil {
		s.Errorf("%s without %s: nothing failed", holder, action)
		return
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			s.Errorf("%s without %s: no %q in %v", holder, action, text, err)
		}
	}
}

// rightsOfThePipeline does single actions of an execution again, each with one
// action less in a role.
func (e *execution) rightsOfThePipeline() {
	e.s.Helper()
	for _, c := range []struct{ action, holder, taken, text string }{
		{"Source", "pipeline/LinePipelineRole", "sts:AssumeRole", "sts:AssumeRole"},
		{"Source", "pipeline/LinePipelineSourceCodePipelineActionRole", "codecommit:GetBranch", "codecommit:GetBranch"},
		{"Synth", "pipeline/LineCodeBuildActionRole", "codebuild:StartBuild", "codebuild:StartBuild"},
		{"Synth", "pipeline/LinePipelineBuildSynthCdkBuildProjectRole", "codecommit:GitPull", "codecommit:GitPull"},
		{"DockerAssets", "pipeline/LineAssetsDockerRole", "sts:AssumeRole", "sts:AssumeRole"},
		{"Pending-prod", "environment/Reader", "lambda:InvokeFunction", "lambda:InvokeFunction"},
		{"slipway-prod.Prepare", "region/CrossRegionCodePipelineReplicationBucketEncryptionKey", "kms:Decrypt",
			"kms:Decrypt"},
	} {
		e.s.without(c.holder, c.taken, func() error {
			for _, stage := range e.line.Stages {
				for _, a := range stage.Actions {
					if a.Name == c.action {
						return e.s.g.Step("without "+c.taken+": "+a.Name, func() error { return e.do(a) })
					}
				}
			}
			e.s.Fatalf("no action %s", c.action)
			return nil
		}, c.text)
	}
}
