// Package codebuild runs the commands of a build spec as CodeBuild does, on
// this machine: phase by phase, in one shell, in the source's folder, with the
// variables that CodeBuild sets. What a build image has is this machine's.
package codebuild

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Spec is a build spec, as far as the project's own go. The CDK writes them as
// JSON, those that it calls .yaml too. See
// https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html.
type Spec struct {
	Env struct {
		Shell    string
		Exported []string `json:"exported-variables"`
	}
	Phases    map[string]struct{ Commands []string }
	Cache     struct{ Paths []string }
	Artifacts struct {
		Base string `json:"base-directory"` // folder of the artifact, "" for none
	}
}

// phases in CodeBuild's order.
var phases = []string{"install", "pre_build", "build", "post_build"}

// Parse reads a build spec. A phase that CodeBuild doesn't know is an error.
func Parse(text []byte) (Spec, error) {
	var s Spec
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("build spec: %w in %s", err, text)
	}
	for phase := range s.Phases {
		if !slices.Contains(phases, phase) {
			return s, fmt.Errorf("build spec: CodeBuild knows no phase %s", phase)
		}
	}
	return s, nil
}

// Commands are all commands, in order.
func (s Spec) Commands() []string {
	var all []string
	for _, phase := range phases {
		all = append(all, s.Phases[phase].Commands...)
	}
	return all
}

// Build is one build.
type Build struct {
	Spec      Spec
	Folder    string                // of the source, or of the first artifact
	Variables map[string]string     // of the project and of the action
	Account   map[string]string     // how AWS is reached: endpoints, credentials
	Skip      func(cmd string) bool // commands that are not run; nil: none
	Cache     string                // folder that keeps what the spec caches, "" for a new one
}

// Run runs the build in its folder and returns the variables that it exports
// and its output. The first command that fails ends it.
func (b Build) Run(ctx context.Context) (exported map[string]string, output string, err error) {
	scratch, err := os.MkdirTemp("", "slipway-build-")
	if err != nil {
		return nil, "", err
	}
	defer os.RemoveAll(scratch)
	var script strings.Builder
	for _, command := range b.Spec.Commands() {
		if b.Skip != nil && b.Skip(command) {
			continue
		}
		script.WriteString("echo " + quote("── "+command) + " >&2\neval " + quote(command) + " || { echo " +
			quote("failed: "+command) + " >&2; exit 1; }\n")
	}
	for _, name := range b.Spec.Env.Exported {
		script.WriteString("printf '%s' \"$" + name + "\" >" + quote(filepath.Join(scratch, name)) + "\n")
	}
	shell := b.Spec.Env.Shell
	if shell == "" {
		shell = "sh"
	}
	cmd := exec.CommandContext(ctx, shell, "-c", script.String())
	cmd.Dir, cmd.Env = b.Folder, b.environment(ctx, scratch)
	raw, err := cmd.CombinedOutput()
	if err != nil {
		return nil, string(raw), err
	}
	exported = map[string]string{}
	for _, name := range b.Spec.Env.Exported {
		value, err := os.ReadFile(filepath.Join(scratch, name))
		if err != nil {
			return nil, string(raw), err
		}
		exported[name] = string(value)
	}
	return exported, string(raw), nil
}

// ours stay this machine's: its caches, and its way to the internet.
var ours = []string{"GOCACHE", "GOMODCACHE", "XDG_CACHE_HOME", "npm_config_cache"}

func (b Build) environment(ctx context.Context, scratch string) []string {
	env := map[string]string{}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "GIT_") && name != "CI" {
			env[name] = value
		}
	}
	add := func(variables map[string]string, without ...string) {
		for name, value := range variables {
			if !slices.Contains(without, name) {
				env[name] = value
			}
		}
	}
	add(map[string]string{
		"CODEBUILD_SRC_DIR": b.Folder, "CODEBUILD_BUILD_ID": "p:1", "CODEBUILD_BUILD_NUMBER": "1",
		"CODEBUILD_INITIATOR": "codepipeline/p", "CODEBUILD_CI": "true",
		"CODEBUILD_BUILD_URL":               "https://console.example.com/build/1",
		"CODEBUILD_RESOLVED_SOURCE_VERSION": head(ctx, b.Folder),
		"CODEBUILD_BUILD_ARN":               "arn:aws:codebuild:eu-central-1:111122223333:build/p:1",
		"CODEBUILD_KMS_KEY_ID":              "k", "CODEBUILD_START_TIME": "1778000000000",
		// What a build installs for all goes away with it.
		"npm_config_prefix": filepath.Join(scratch, "npm"), "PATH": filepath.Join(scratch, "npm", "bin") + ":" +
			env["PATH"],
		"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
	})
	add(b.Account)
	add(b.Variables, ours...)
	for name, value := range env {
		if slices.Contains(b.Spec.Cache.Paths, value+"/**/*") {
			env[name] = filepath.Join(cmp.Or(b.Cache, scratch), filepath.Base(value))
		}
	}
	var out []string
	for name, value := range env {
		out = append(out, name+"="+value)
	}
	return out
}

// head is the commit of a clone, "" of an artifact.
func head(ctx context.Context, folder string) string {
	out, err := exec.CommandContext(ctx, "git", "-C", folder, "rev-parse", "HEAD").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
