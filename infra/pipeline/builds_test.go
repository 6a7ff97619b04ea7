//go:build builds

// Every command of every build spec, run for real from clean clones, with
// AWS's answers from a stand-in: make test-builds. It takes minutes.
package pipeline_test

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/lambda/workbench/awstest"
)

var tested = flag.Bool("tested", false, "make test has passed on this commit: do not run it once more here")

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
	spec      spec
	variables map[string]string // of the project
}

type spec struct {
	Env struct {
		Shell    string
		Exported []string `json:"exported-variables"`
	}
	Phases map[string]struct{ Commands []string }
	// Artifacts of the build: their folder, "" for none.
	Artifacts struct {
		Base string `json:"base-directory"`
	}
}

// phases in the order of CodeBuild.
var phases = []string{"install", "pre_build", "build", "post_build"}

// findBuild reads a project out of the template. What its variables refer to
// has these values.
func findBuild(t *testing.T, template map[string]any, prefix string, values map[string]string) build {
	t.Helper()
	p := resource(t, template, "AWS::CodeBuild::Project", prefix)
	b := build{t: t, name: prefix, variables: map[string]string{}}
	source, _ := p["Source"].(map[string]any)["BuildSpec"].(string)
	if err := json.Unmarshal([]byte(source), &b.spec); err != nil {
		t.Fatalf("%s: %v in %s", prefix, err, source)
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
	for phase := range b.spec.Phases {
		if !slices.Contains(phases, phase) {
			t.Errorf("%s: CodeBuild knows no phase %s", prefix, phase)
		}
	}
	return b
}

// ran are all commands that were looked at, run or not.
var ran = map[string]bool{}

// run runs the build in a clone and answers the variables that it exports and
// its output. A command that fails fails the test.
func (b build) run(clone string, aws *awstest.AWS, more map[string]string) (exported map[string]string, output string) {
	b.t.Helper()
	var script strings.Builder
	for _, phase := range phases {
		for _, command := range b.spec.Phases[phase].Commands {
			ran[command] = true
			if b.skipped(command) {
				continue
			}
			// As in CodeBuild: one shell for all, the first failure ends it.
			script.WriteString("echo " + quote("── "+command) + " >&2\neval " + quote(command) + " || { echo " + quote("failed: "+command) + " >&2; exit 1; }\n")
		}
	}
	for _, name := range b.spec.Env.Exported {
		script.WriteString("printf '%s' \"$" + name + "\" >" + quote(filepath.Join(clone, ".git", "exported-"+name)) + "\n")
	}
	shell := b.spec.Env.Shell
	if shell == "" {
		shell = "sh"
	}
	cmd := exec.Command(shell, "-c", script.String())
	cmd.Dir = clone
	cmd.Env = b.environment(clone, aws, more)
	begun := time.Now()
	raw, err := cmd.CombinedOutput()
	b.t.Logf("%s: %.1f s", b.name, time.Since(begun).Seconds())
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", b.name, err, raw)
	}
	exported = map[string]string{}
	for _, name := range b.spec.Env.Exported {
		value, err := os.ReadFile(filepath.Join(clone, ".git", "exported-"+name))
		if err != nil {
			b.t.Fatal(err)
		}
		exported[name] = string(value)
	}
	return exported, string(raw)
}

func (b build) skipped(command string) bool {
	if *tested && command == "make test" {
		b.t.Logf("%s: make test is not run, as -tested says", b.name)
		return true
	}
	return slices.ContainsFunc(onlyAWS, func(prefix string) bool { return strings.HasPrefix(command, prefix) })
}

// environment is what CodeBuild sets, the project's variables and the action's.
// The caches are this machine's, and so is the way to the internet.
func (b build) environment(clone string, aws *awstest.AWS, more map[string]string) []string {
	env := map[string]string{}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "GIT_") && name != "CI" {
			env[name] = value
		}
	}
	maps.Copy(env, aws.Environment())
	mine := maps.Clone(b.variables)
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "XDG_CACHE_HOME", "npm_config_cache"} {
		delete(mine, name)
	}
	maps.Copy(env, mine)
	maps.Copy(env, map[string]string{
		"CODEBUILD_SRC_DIR": clone, "CODEBUILD_BUILD_ID": "p:1", "CODEBUILD_BUILD_NUMBER": "1", "CODEBUILD_INITIATOR": "codepipeline/p", "CODEBUILD_CI": "true",
		"CODEBUILD_BUILD_URL": "https://console.example.com/build/1", "CODEBUILD_RESOLVED_SOURCE_VERSION": git(b.t, clone, "rev-parse", "HEAD"),
		"CODEBUILD_BUILD_ARN": "arn:aws:codebuild:eu-central-1:111122223333:build/p:1", "CODEBUILD_KMS_KEY_ID": "k", "CODEBUILD_START_TIME": "1778000000000",
		"npm_config_prefix":                             filepath.Join(b.t.TempDir(), "npm"),
		"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
	})
	maps.Copy(env, more)
	var out []string
	for name, value := range env {
		out = append(out, name+"="+value)
	}
	return out
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func git(t *testing.T, folder string, arguments ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", folder, "-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"}, arguments...)...)
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
func specFile(t *testing.T, folder, kind string) spec {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, "buildspec-*-"+kind+".yaml"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	raw, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	var s spec
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return s
}
