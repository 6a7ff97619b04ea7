package pipeline_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// buildCommands are a project's own commands, in order.
func buildCommands(t *testing.T, made map[string]any, prefix string) []string {
	t.Helper()
	var spec struct {
		Phases map[string]struct{ Commands []string }
	}
	source := resource(t, made, "AWS::CodeBuild::Project", prefix)["Source"].(action)["BuildSpec"].(string)
	if err := json.Unmarshal([]byte(source), &spec); err != nil {
		t.Fatal(err)
	}
	return spec.Phases["build"].Commands
}

// A push runs what concerns its change: the check, the templates, and then all
// scripts, which takes the templates' settings. Slipway's own tests are for
// those who ask for them.
func TestWhatAPushRuns(t *testing.T) {
	const synth, history, tests = "infra/cdk synth --quiet", "go run ./lambda/workbench history --assembly cdk.out",
		"make test"
	commands := buildCommands(t, template(t, codeCommit(), "slipway-pipeline"), "LinePipelineBuildSynth")
	if n := len(commands); !strings.Contains(commands[2], "workbench check") ||
		!slices.Equal(commands[n-2:], []string{synth, history}) {
		t.Errorf("%q", commands)
	}
	if slices.Contains(commands, tests) {
		t.Errorf("Slipway's own tests are run: %q", commands)
	}
	more := template(t, synthesized(project(map[string]any{"test": true, "roles": []any{"app", "rds_iam"}}), nil),
		"slipway-pipeline")
	if commands := buildCommands(t, more, "LinePipelineBuildSynth"); !slices.Contains(commands, tests) {
		t.Errorf("Slipway's own tests are not run: %q", commands)
	}
	rehearsal := buildCommands(t, more, "ReviewRehearse")
	if last := rehearsal[len(rehearsal)-1]; !strings.Contains(last, ` --roles "app,rds_iam" `) {
		t.Errorf("the rehearsal lacks the roles: %s", last)
	}
}

// What stays when its stack is deleted does not stay where the stack could not
// be made: the next attempt would meet a name that is taken.
func TestAFailedAttemptLeavesNothing(t *testing.T) {
	kept := 0
	for name, made := range map[string]map[string]any{
		"the pipeline": template(t, codeCommit(), "slipway-pipeline"),
		"its region":   template(t, codeCommit(), "slipway-pipeline-support-us-east-1"),
	} {
		for id, r := range made["Resources"].(action) {
			switch policy := r.(action)["DeletionPolicy"]; policy {
			case "Retain":
				t.Errorf("%s: %s stays", name, id)
			case "RetainExceptOnCreate":
				kept++
			}
		}
	}
	if kept != 4 {
		t.Errorf("%d resources stay with a deleted stack, not the repository and three buckets", kept)
	}
}
