//go:build builds

// Every command of every build spec, run for real from clean clones, with
// AWS's answers from a stand-in: make test-builds. It takes minutes.
package pipeline_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/infra/local/codebuild"
	"slipway/lambda/proof/awstest"
)

// onlyAWS are the commands that are not run: they change an account, or send to
// one. Each has to be there.
var onlyAWS = []string{
	`cdk -a . deploy slipway-pipeline `, // the self-update
	`cdk-assets --path `,                // files to S3, the image to ECR
}

// build is one CodeBuild project of a template.
type build struct {
	t         *testing.T
	name      string
	spec      codebuild.Spec
	variables map[string]string // of the project
}

// findBuild reads a project out of the template. What its variables refer to
// has these values.
func findBuild(t *testing.T, template map[string]any, prefix string, values map[string]string) build {
	t.Helper()
	p := resource(t, template, "AWS::CodeBuild::Project", prefix)
	b := build{t: t, name: prefix, variables: map[string]string{}}
	source, _ := p["Source"].(map[string]any)["BuildSpec"].(string)
	var err error
	if b.spec, err = codebuild.Parse([]byte(source)); err != nil {
		t.Fatalf("%s: %v", prefix, err)
	}
	all, _ := p["Environment"].(map[string]any)["EnvironmentVariables"].([]any)
	for _, v := range all {
		v := v.(map[string]any)
		name := v["Name"].(string)
		value, ok := v["Value"].(string)
		if !ok {
			if value, ok = values[name]; !ok {
				t.Fatalf("%s: the test has no value for %s: %s", prefix, name, text(v))
			}
		}
		b.variables[name] = value
	}
	return b
}

// ran are all commands that were looked at, run or not.
var ran = map[string]bool{}

// run runs the build in a clone and returns the variables that it exports and
// its output. A command that fails fails the test.
func (b build) run(clone string, aws *awstest.AWS, more map[string]string) (exported map[string]string, output string) {
	b.t.Helper()
	for _, command := range b.spec.Commands() {
		ran[command] = true
	}
	variables := map[string]string{}
	maps.Copy(variables, b.variables)
	maps.Copy(variables, more)
	begun := time.Now()
	exported, output, err := codebuild.Build{Spec: b.spec, Folder: clone, Variables: variables,
		Account: aws.Environment(), Skip: b.skipped}.Run(b.t.Context())
	b.t.Logf("%s: %.1f s", b.name, time.Since(begun).Seconds())
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", b.name, err, output)
	}
	return exported, output
}

func (b build) skipped(command string) bool {
	return slices.ContainsFunc(onlyAWS, func(prefix string) bool { return strings.HasPrefix(command, prefix) })
}

func git(t *testing.T, folder string, arguments ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", folder, "-c", "user.name=test", "-c",
		"user.email=test@example.com", "-c", "commit.gpgsign=false"}, arguments...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", arguments, err, out)
	}
	return strings.TrimSpace(string(out))
}

// repository is a bare one with this project's last commit, and on it the
// configuration of testdata, on master.
func repository(t *testing.T) string {
	t.Helper()
	bare := filepath.Join(t.TempDir(), "origin.git")
	git(t, ".", "clone", "--quiet", "--bare", filepath.Join("..", ".."), bare)
	work := clone(t, bare, "HEAD")
	settings := read(filepath.Join(work, "cdk.json"))
	context := settings["context"].(map[string]any)
	context["environments"], context["pipeline"] = read("testdata/environments.json"), read("testdata/pipeline.json")
	raw, err := json.MarshalIndent(settings, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	write(t, work, "cdk.json", string(raw))
	git(t, work, "commit", "--quiet", "--all", "--message", "Configure a pipeline")
	git(t, work, "push", "--quiet", "--force", "origin", "HEAD:refs/heads/master")
	git(t, bare, "symbolic-ref", "HEAD", "refs/heads/master")
	return bare
}

// clone is a whole clone with a commit checked out, as CodeBuild makes one.
func clone(t *testing.T, bare, commit string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "src")
	git(t, ".", "clone", "--quiet", bare, folder)
	git(t, folder, "checkout", "--quiet", "--detach", commit)
	return folder
}

func write(t *testing.T, folder, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, filepath.FromSlash(name)), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// specFile is a build spec that the CDK writes beside the template: those of
// the assets. They have no project in it whose spec could be read.
func specFile(t *testing.T, folder, kind string) codebuild.Spec {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, "buildspec-*-"+kind+".yaml"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	raw, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	s, err := codebuild.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
