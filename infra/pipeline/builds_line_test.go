//go:build builds

package pipeline_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/infra/local/codebuild"
	"slipway/lambda/proof/awstest"
)

// The pipeline's own builds: from a clean clone to the cloud assembly, to what
// an approval shows.
func TestBuildsOfTheLine(t *testing.T) {
	aws := awstest.Start(t)
	bare := repository(t)
	made := template(t, codeCommit(), "slipway-pipeline")

	work := clone(t, bare, "master")
	synth := findBuild(t, made, "LinePipelineBuildSynth", nil)
	synth.run(work, aws, nil)
	assembly := filepath.Join(work, synth.spec.Artifacts.Base)
	for _, stack := range []string{"slipway-pipeline", "slipway-prod",
		"assembly-slipway-pipeline-prod/slipwaypipelineprodslipwayprod9904106F"} {
		if _, err := os.Stat(filepath.Join(assembly, stack+".template.json")); err != nil {
			t.Errorf("the assembly lacks %s: %v", stack, err)
		}
	}

	// What the builds of assets and the self-update install.
	update := findBuild(t, made, "LineUpdatePipelineSelfMutation", nil)
	update.run(clone(t, bare, "master"), aws, nil)
	for _, kind := range []string{"FileAsset", "DockerAsset"} {
		b := build{t: t, name: kind, spec: specFile(t, assembly, kind)}
		b.run(work, aws, nil)
	}

	pending := findBuild(t, made, "LinePipelineprodPendingprod",
		map[string]string{"LOOKUP_ROLE": "arn:aws:iam::444455556666:role/cdk-hnb659fds-lookup-role-444455556666-us-east-1"})
	inputs := map[string]string{"CODEBUILD_SRC_DIR_Synth_Output": assembly}
	t.Run("nothing is deployed", func(t *testing.T) {
		pending.t = t
		exported, output := pending.run(clone(t, bare, "master"), aws, inputs)
		if !strings.Contains(exported["PENDING"], "V1__") || !strings.Contains(output, "everything is pending") {
			t.Errorf("exported %q after\n%s", exported, output)
		}
	})
	t.Run("an older release is deployed", func(t *testing.T) {
		pending.t = t
		raw, err := os.ReadFile(filepath.Join(assembly, "slipway-prod.template.json"))
		if err != nil {
			t.Fatal(err)
		}
		aws.Templates["slipway-prod"] = strings.Replace(string(raw), `"V1__`, `"V0__`, 1)
		aws.Stacks["slipway-prod"] = map[string]string{"FunctionName": "f", "InspectorName": "i",
			"ReaderArn": "arn:aws:iam::444455556666:role/slipway-prod-Reader-X"}
		aws.Functions["i"] = historyOf(t, work, "V1__")
		exported, output := pending.run(clone(t, bare, "master"), aws, inputs)
		if strings.Contains(exported["PENDING"], "V1__") || !strings.Contains(exported["PENDING"], "V2__") {
			t.Errorf("exported %q", exported)
		}
		if !strings.Contains(output, "[+] Added: .V1__") || !strings.Contains(output, "1 applied, ") {
			t.Errorf("no difference is shown:\n%s", output)
		}
		for who, operation := range map[string]string{"role-444455556666-us-east-1/slipway": "DescribeStacks",
			"slipway-prod-Reader-X/slipway": "Invoke"} {
			if !aws.Did(who, operation) {
				t.Errorf("nobody that ends in %s called %s: %v", who, operation, aws.Calls())
			}
		}
	})
	for _, prefix := range onlyAWS {
		found := false
		for command := range ran {
			found = found || strings.HasPrefix(command, prefix)
		}
		if !found {
			t.Errorf("no command begins with %q any more", prefix)
		}
	}
}

// What came since the last commit that was checked is checked, though nothing of
// it is in the newest commit: a script that was refused stays refused.
func TestBuildsCheckAllCommits(t *testing.T) {
	aws := awstest.Start(t)
	bare := repository(t)
	synth := findBuild(t, template(t, codeCommit(), "slipway-pipeline"), "LinePipelineBuildSynth", nil)
	cache := t.TempDir()
	check := func(folder string) (string, error) {
		_, output, err := codebuild.Build{Spec: synth.spec, Folder: folder, Variables: synth.variables,
			Account: aws.Environment(), Cache: cache, Skip: func(command string) bool {
				return !strings.Contains(command, "AGAINST") && !strings.Contains(command, "CHECKED")
			}}.Run(t.Context())
		return output, err
	}
	work := clone(t, bare, "master")
	// Whatever names there are, no commit was checked before.
	git(t, work, "tag", "none")
	output, err := check(work)
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if parent := git(t, work, "rev-parse", "--short=12", "HEAD^"); !strings.Contains(output, parent) {
		t.Errorf("the first check is not against the commit before, %s:\n%s", parent, output)
	}
	write(t, work, "sql/postgresql/V99__mixed.sql", "CREATE TABLE colours (id bigint PRIMARY KEY);\nCREATE INDEX "+
		"CONCURRENTLY i ON colours (id);\n")
	git(t, work, "add", "--all")
	git(t, work, "commit", "--quiet", "--message", "A script to be refused")
	for _, commit := range []string{"its own commit", "the next commit"} {
		if output, err := check(work); err == nil || !strings.Contains(output, "V99__mixed.sql") {
			t.Errorf("%s passes: %v\n%s", commit, err, output)
		}
		git(t, work, "commit", "--quiet", "--allow-empty", "--message", "Something else")
	}
}

// historyOf is a function whose database has the scripts of that prefix.
func historyOf(t *testing.T, work, prefix string) awstest.Function {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(work, "sql", "postgresql", prefix+"*.sql"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	name := filepath.Base(found[0])
	_, description, _ := strings.Cut(strings.TrimSuffix(name, ".sql"), "__")
	raw, err := json.Marshal(map[string]any{"command": "info", "code": "OK", "scripts": []any{map[string]any{
		"version": "1", "description": strings.ReplaceAll(description, "_", " "), "type": "SQL", "script": name,
		"state": "Success", "installedOn": "2026-01-02T03:04:05Z"}}})
	if err != nil {
		t.Fatal(err)
	}
	return func([]byte) (string, bool) { return string(raw), false }
}
