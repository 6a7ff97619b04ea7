package pipeline_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"slipway/infra/local/codebuild"
)

// What a review's builds do before any program of theirs starts, run in a clone
// whose root is a hostile branch's, as a connection makes it.
func TestTreesOfAReviewAreOutsideTheClone(t *testing.T) {
	for _, name := range []string{"Rehearse", "Judge"} {
		t.Run(name, func(t *testing.T) {
			commands := commandsOf(t, name)
			first := slices.IndexFunc(commands, func(c string) bool { return strings.HasPrefix(c, "go build ") })
			if first < 0 {
				t.Fatalf("nothing is built: %q", commands)
			}
			script := `set -e
mkdir origin && cd origin && git init -q -b main && echo .slipway >.gitignore && printf 'module ours\n\ngo 1.26\n' >go.mod
git add -A && git commit -q -m destination && git checkout -q -b feature
mkdir -p .slipway/ours .slipway/review && touch .slipway/ours/x && echo approve >.slipway/review/approval
printf 'go 1.26\n\nuse ./.slipway/ours\n' >go.work && printf 'module theirs\n\ngo 1.26\n' >go.mod && echo registry=http://x >.npmrc
git add -A --force && git commit -q -m branch
for ref in heads/HEAD heads/refs/remotes/origin/main tags/main tags/origin/main tags/refs/remotes/origin/main; do git update-ref refs/$ref HEAD; done
cd .. && git clone -q origin clone 2>/dev/null && cd clone && git checkout -q --detach refs/remotes/origin/feature
export SOURCE_COMMIT=HEAD DESTINATION_COMMIT=refs/remotes/origin/main NODE_OPTIONS=--x
` + strings.Join(commands[:first], "\n") + `
echo "ours $(head -1 go.mod) theirs $(head -1 "$WORK/theirs/go.mod") tags $(git tag | wc -l)"
echo "work $(go env GOWORK) flags $(go env GOFLAGS) node $NODE_OPTIONS"
echo "left $(ls -A "$REVIEW")"
case "$PWD/" in "$REVIEW"/*|*/clone/*) echo inside;; esac
cat "$npm_config_userconfig" 2>&1 | tail -1; rm -rf "$WORK"`
			cmd := exec.Command("bash", "-c", script)
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+filepath.Join(cmd.Dir, "none"), "TMPDIR="+t.TempDir(),
				"GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.com", "GIT_COMMITTER_NAME=t",
				"GIT_COMMITTER_EMAIL=t@example.com")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, want := range []string{"ours module ours theirs module theirs",
				"work off flags -mod=readonly node \n", "left \n"} {
				if !strings.Contains(string(out), want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
			if strings.Contains(string(out), "inside\n") || strings.Contains(string(out), "registry=") {
				t.Errorf("the branch is reached:\n%s", out)
			}
		})
	}
}

// The cloud assembly of a branch is read by the workbench alone, and no build
// fetches a tag or names a ref in short.
func TestNoToolReadsTheBranchsAssembly(t *testing.T) {
	for _, name := range []string{"Synth", "Rehearse", "Judge"} {
		for _, command := range commandsOf(t, name) {
			switch {
			case strings.Contains(command, "git fetch") && !strings.Contains(command, "--no-tags"):
				t.Errorf("%s fetches tags: %s", name, command)
			case strings.Contains(command, " origin/"):
				t.Errorf("%s names a ref in short: %s", name, command)
			case strings.Contains(command, "cdk diff") &&
				(strings.Contains(command, "cdk.out") || !strings.Contains(command, "--no-lookups")):
				t.Errorf("%s hands the branch's assembly on: %s", name, command)
			}
		}
	}
}

func commandsOf(t *testing.T, name string) []string {
	t.Helper()
	project := resource(t, template(t, connection(), "slipway-pipeline"), "AWS::CodeBuild::Project", "Review"+name)
	spec, err := codebuild.Parse([]byte(project["Source"].(action)["BuildSpec"].(string)))
	if err != nil {
		t.Fatal(err)
	}
	return spec.Commands()
}
