//go:build builds

package pipeline_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/lambda/proof/awstest"
)

// lookupRoles are what the judge's variables refer to.
var lookupRoles = map[string]string{
	"REPOSITORY": "slipway", "COMMENT_ROLE": "arn:aws:iam::111122223333:role/slipway-pipeline-ReviewCommentRole",
	"LOOKUP_ROLE_DEV":  "arn:aws:iam::111122223333:role/cdk-hnb659fds-lookup-role-111122223333-eu-central-1",
	"LOOKUP_ROLE_PROD": "arn:aws:iam::444455556666:role/cdk-hnb659fds-lookup-role-444455556666-us-east-1",
}

const reviewer = "arn:aws:sts::111122223333:assumed-role/slipway-pipeline-ReviewCommentRole/slipway-review"

// reviewOf runs the three builds of a review on a branch that change makes of
// master, and returns the judge's artifact.
func reviewOf(t *testing.T, aws *awstest.AWS, bare, id string, change func(work string)) string {
	t.Helper()
	work := clone(t, bare, "HEAD")
	change(work)
	git(t, work, "add", "--all")
	git(t, work, "commit", "--quiet", "--message", "A change")
	git(t, work, "push", "--quiet", "origin", "HEAD:refs/heads/"+id)
	variables := map[string]string{
		"SOURCE_COMMIT": git(t, work, "rev-parse", "HEAD"), "DESTINATION_COMMIT": git(t, work, "rev-parse", "HEAD^"),
		"PULL_REQUEST_ID": id, "REVISION_ID": "r",
	}
	aws.Pulls[id] = &awstest.PullRequest{Revision: "r"}
	made := template(t, codeCommit(), "slipway-pipeline")
	run := func(name string) string {
		b := findBuild(t, made, "Review"+name, lookupRoles)
		folder := clone(t, bare, variables["DESTINATION_COMMIT"])
		_, output := b.run(folder, aws, variables)
		t.Logf("%s\n%s", name, output)
		artifact := filepath.Join(folder, b.spec.Artifacts.Base)
		variables["CODEBUILD_SRC_DIR_"+name] = artifact
		return artifact
	}
	run("Synth")
	run("Rehearse")
	return run("Judge")
}

func TestReviewOfAGoodBranch(t *testing.T) {
	aws := awstest.Start(t)
	artifact := reviewOf(t, aws, repository(t), "1", func(work string) {
		write(t, work, "sql/postgresql/V99__colours.sql",
			"CREATE TABLE colours (id bigint PRIMARY KEY, name text NOT NULL);\n")
	})
	pull := aws.Pulls["1"]
	if pull.Approvals[reviewer] != "APPROVE" || len(pull.Comments) != 1 {
		t.Fatalf("not approved: %+v", pull)
	}
	for _, want := range []string{"V99__colours.sql", "slipway-dev", "slipway-prod"} {
		if !strings.Contains(pull.Comments[0].Content, want) {
			t.Errorf("the comment lacks %q:\n%s", want, pull.Comments[0].Content)
		}
	}
	for _, file := range []string{"review.md", "review.html", "dev.diff", "prod.diff"} {
		if info, err := os.Stat(filepath.Join(artifact, file)); err != nil || info.Size() == 0 {
			t.Errorf("the artifact lacks %s: %v", file, err)
		}
	}
	if strings.Contains(pull.Comments[0].Content, "\x1b") {
		t.Error("the comment has the colours of a terminal in it")
	}
}

// A branch that brings a failing script, and its own program to judge it with.
func TestReviewOfABranchThatWouldApproveItself(t *testing.T) {
	aws := awstest.Start(t)
	marker := filepath.Join(t.TempDir(), "ran")
	reviewOf(t, aws, repository(t), "2", func(work string) {
		write(t, work, "sql/postgresql/V99__broken.sql", "ALTER TABLE nothing ADD COLUMN x int;\n")
		write(t, work, "lambda/workbench/main.go", "package main\n\nimport \"os\"\n\nfunc main() { os.WriteFile(\""+
			marker+"\", nil, 0o644) }\n")
		write(t, work, "infra/cdk", "#!/bin/sh\ntouch "+marker+"\n")
		write(t, work, "infra/main.go", "package main\n\nfunc main() { this does not compile }\n")
	})
	pull := aws.Pulls["2"]
	if pull.Approvals[reviewer] != "REVOKE" || len(pull.Comments) != 1 {
		t.Fatalf("not refused: %+v", pull)
	}
	for _, want := range []string{"V99__broken.sql", "syntax error"} {
		if !strings.Contains(pull.Comments[0].Content, want) {
			t.Errorf("the comment lacks %q:\n%s", want, pull.Comments[0].Content)
		}
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("a program of the branch was run where its scripts are judged")
	}
}

// Without a pull request, as when the pipeline is made, nothing is posted.
func TestReviewOfNothing(t *testing.T) {
	aws := awstest.Start(t)
	bare := repository(t)
	made := template(t, codeCommit(), "slipway-pipeline")
	variables := map[string]string{"SOURCE_COMMIT": "HEAD", "DESTINATION_COMMIT": "HEAD", "PULL_REQUEST_ID": "none",
		"REVISION_ID": "none"}
	for _, name := range []string{"Synth", "Rehearse", "Judge"} {
		b := findBuild(t, made, "Review"+name, lookupRoles)
		folder := clone(t, bare, "HEAD")
		b.run(folder, aws, variables)
		variables["CODEBUILD_SRC_DIR_"+name] = filepath.Join(folder, b.spec.Artifacts.Base)
	}
	if code, err := os.ReadFile(filepath.Join(variables["CODEBUILD_SRC_DIR_Judge"], "code")); err != nil ||
		strings.TrimSpace(string(code)) != "0" {
		t.Errorf("the branch does not pass its own review: %s, %v", code, err)
	}
	if aws.Did("", "PostCommentForPullRequest") {
		t.Error("something was posted")
	}
}

// What is more than scripts is for a person to approve.
func TestReviewOfMoreThanScripts(t *testing.T) {
	aws := awstest.Start(t)
	reviewOf(t, aws, repository(t), "3", func(work string) {
		write(t, work, "sql/postgresql/V99__colours.sql",
			"CREATE TABLE colours (id bigint PRIMARY KEY, name text NOT NULL);\n")
		write(t, work, "docker/note.txt", "x\n")
	})
	pull := aws.Pulls["3"]
	if pull.Approvals[reviewer] != "REVOKE" || len(pull.Comments) != 1 {
		t.Fatalf("approved: %+v", pull)
	}
	for _, want := range []string{"Not approved by this review", "docker/note.txt", "nothing blocks the merge"} {
		if !strings.Contains(pull.Comments[0].Content, want) {
			t.Errorf("the comment lacks %q:\n%s", want, pull.Comments[0].Content)
		}
	}
}

// With a connection the clone is the branch's, and the destination is known to
// git by its name. This branch lays out what tools look for on their way up, and
// has tags and branches made that bear the destination's name, or the remote's
// HEAD's. None of that reaches the program that judges.
func TestReviewOfAConnectionsBranch(t *testing.T) {
	aws := awstest.Start(t)
	bare := repository(t)
	git(t, bare, "branch", "--quiet", "--force", "main", "master")
	marker := filepath.Join(t.TempDir(), "ran")
	work := clone(t, bare, "HEAD")
	for name, text := range map[string]string{
		"sql/postgresql/V99__colours.sql": "SELECT 1;\n",
		"go.work":                         "go 1.26\n\nuse ./evil\n",
		"go.mod": "module slipway\n\ngo 1.26\n\nreplace github.com/aws/aws-sdk-go-v2 => " +
			"./evil\n",
		"evil/go.mod": "module slipway\n\ngo 1.26\n",
		"evil/lambda/workbench/main.go": "package main\n\nimport \"os\"\n\nfunc main() { os.WriteFile(\"" + marker +
			"\", nil, 0o644) }\n",
		"vendor/modules.txt":                "# evil\n",
		".npmrc":                            "registry=http://127.0.0.1:9/\nnode-options=--require=" + marker + ".js\n",
		"package.json":                      `{"name": "x", "version": "1.0.0", "devDependencies": {"aws-cdk": "2.1148.1"}}`,
		"node_modules/aws-cdk/package.json": `{"name": "aws-cdk", "version": "2.1148.1", "bin": {"cdk": "bin/cdk"}}`,
		"node_modules/aws-cdk/bin/cdk":      "#!/bin/sh\ntouch " + marker + "\n",
		"node_modules/.bin/cdk":             "#!/bin/sh\ntouch " + marker + "\n",
		".slipway/review/approval":          "approve\n",
		".slipway/review/rehearsal.json":    `{"rehearsal": {"scripts": []}}`,
		".slipway/ours/infra/cdk":           "#!/bin/sh\ntouch " + marker + "\n",
		"pip.conf":                          "[global]\nindex-url = http://127.0.0.1:9/\n",
	} {
		path := filepath.Join(work, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	git(t, work, "add", "--all", "--force")
	git(t, work, "commit", "--quiet", "--message", "A change")
	git(t, work, "push", "--quiet", "origin", "HEAD:refs/heads/feature", "HEAD:refs/heads/HEAD",
		"HEAD:refs/tags/origin/main", "HEAD:refs/tags/main", "HEAD:refs/tags/refs/remotes/origin/main",
		"HEAD:refs/heads/refs/remotes/origin/main")
	made := template(t, connection(), "slipway-pipeline")
	_, stages := actions(t, made, "ReviewLine")
	variables := map[string]string{}
	var given []struct{ Name, Value string }
	if err := json.Unmarshal([]byte(stages["Try"][0]["Configuration"].(action)["EnvironmentVariables"].(string)),
		&given); err != nil {
		t.Fatal(err)
	}
	for _, v := range given {
		variables[v.Name] = v.Value
	}
	artifacts := map[string]string{}
	for _, name := range []string{"Rehearse", "Judge"} {
		folder := clone(t, bare, git(t, work, "rev-parse", "HEAD"))
		b := findBuild(t, made, "Review"+name, lookupRoles)
		artifacts[name] = filepath.Join(folder, b.spec.Artifacts.Base)
		_, output := b.run(folder, aws, variables)
		t.Logf("%s\n%s", name, output)
		variables["CODEBUILD_SRC_DIR_"+name] = artifacts[name]
		// A branch's app that fails: making templates of it is another test's.
		failed := t.TempDir()
		write(t, failed, "failed", "exit code 1\n")
		write(t, failed, "synth.log", "no such app\n")
		variables["CODEBUILD_SRC_DIR_Synth"] = failed
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("a program of the branch was run where its scripts are judged")
	}
	said, err := os.ReadFile(filepath.Join(artifacts["Judge"], "review.md"))
	if err != nil {
		t.Fatal(err)
	}
	// Against the branch, not itself: the script is new, and so is the rest.
	for _, want := range []string{"V99__colours.sql", "no such app", "go.work", "Not approved by this review"} {
		if !strings.Contains(string(said), want) {
			t.Errorf("the review lacks %q:\n%s", want, said)
		}
	}
	if code, err := os.ReadFile(filepath.Join(artifacts["Judge"], "code")); err != nil ||
		strings.TrimSpace(string(code)) == "0" {
		t.Errorf("%v: code %s", err, code)
	}
}
