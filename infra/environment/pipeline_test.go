package environment_test

import (
	"maps"
	"reflect"
	"testing"

	"slipway/infra/environment"
)

// pipelineContext is a context with a pipeline that these keys change.
func pipelineContext(t *testing.T, keys map[string]any) map[string]any {
	t.Helper()
	out := context(t, `{
		"environments": {"dev": {"account": "111122223333", "region": "eu-central-1"}, "prod": {"account": "444455556666", "region": "us-east-1", "approval": true}},
		"pipeline": {"account": "111122223333", "region": "eu-central-1", "environments": ["dev", "prod"]}}`)
	maps.Copy(out["pipeline"].(map[string]any), keys)
	return out
}

func parsePipeline(t *testing.T, keys map[string]any) environment.Project {
	t.Helper()
	p, err := environment.Parse(pipelineContext(t, keys))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPipelineDefaults(t *testing.T) {
	p := parsePipeline(t, nil)
	want := environment.Pipeline{Account: "111122223333", Region: "eu-central-1", Environments: []string{"dev", "prod"},
		Branch: "master",
		Review: true, History: true, Roles: []string{}, LogDays: 90}
	if !reflect.DeepEqual(*p.Pipeline, want) {
		t.Errorf("got  %+v\nwant %+v", *p.Pipeline, want)
	}
	if p.Environments[0].Approval || !p.Environments[1].Approval {
		t.Errorf("approvals: %+v", p.Environments)
	}
}

func TestPipelineEverythingGiven(t *testing.T) {
	const connection = "arn:aws:codeconnections:eu-west-1:111122223333:connection/0a1b2c3d-0000-0000-0000-000000000000"
	const secret = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:hub-AbCdEf"
	p := parsePipeline(t, map[string]any{"connectionArn": connection, "repository": "acme/shop", "branch": "release/1",
		"review":  false,
		"history": false, "roles": []any{"app", "rds_iam"}, "test": true, "dockerHubSecretArn": secret,
		"email": "ops@example.com", "logRetentionDays": 30.0, "environments": []any{"prod"}})
	want := environment.Pipeline{Account: "111122223333", Region: "eu-central-1", Environments: []string{"prod"},
		Connection: connection, Repository: "acme/shop",
		Branch: "release/1", Roles: []string{"app", "rds_iam"}, Test: true, DockerHubSecret: secret,
		Email: "ops@example.com", LogDays: 30}
	if !reflect.DeepEqual(*p.Pipeline, want) {
		t.Errorf("got  %+v\nwant %+v", *p.Pipeline, want)
	}
}

// Without the key there is none, and accounts may be left to the CLI's profile.
func TestNoPipeline(t *testing.T) {
	p, err := environment.Parse(context(t, `{"environments": {"dev": {}}}`))
	if err != nil || p.Pipeline != nil {
		t.Errorf("%+v, %v", p.Pipeline, err)
	}
}
