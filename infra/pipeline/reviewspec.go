package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/environment"
	"slipway/infra/migration"
)

// result is the build's artifact, below the folder that git ignores.
const result = ".slipway/review"

// prepareCommands lay both trees out, outside the clone: with a connection that
// is the branch's, and tools look upward for settings. In $WORK are ours, the
// pull request's destination, whose program judges, and theirs, its source, which
// is judged. That is data: nothing in it is run but where a command says so.
//
// Refs have whole names, and tags are not fetched: one may be named like a
// branch.
var prepareCommands = []string{
	`rm -rf .slipway && mkdir -p ` + result,
	`export REVIEW="$PWD/` + result + `" WORK="$(mktemp -d)"`,
	`git fetch --quiet --no-tags --no-recurse-submodules origin "+refs/heads/*:refs/remotes/origin/*"`,
	`git worktree add --quiet --detach "$WORK/ours" "$DESTINATION_COMMIT"`,
	`git worktree add --quiet --detach "$WORK/theirs" "$SOURCE_COMMIT"`,
	`cd "$WORK/ours"`,
}

// ownSettings are for the builds whose programs the branch must not reach: what
// go and npm read besides the destination's tree is what stands here.
var ownSettings = []string{
	`export GOWORK=off GOENV=off GOFLAGS=-mod=readonly npm_config_userconfig="$WORK/npmrc" npm_config_globalconfig="$WORK/npmrc-global"`,
	`unset NODE_OPTIONS NODE_PATH PYTHONPATH PIP_CONFIG_FILE`,
}

const buildWorkbench = `go build -o "$WORK/workbench" ./lambda/workbench`

// trySynthCommands run the branch's CDK app. A build that runs what a branch
// brings ends well either way: what went wrong is in its artifact, for the judge
// to tell.
var trySynthCommands = []string{
	`(cd "$WORK/theirs" && ../ours/infra/cdk synth --quiet --output "$REVIEW/cdk.out") >"$REVIEW/synth.log" 2>&1 || echo "exit code $?" >"$REVIEW/failed"`,
	`cat "$REVIEW/synth.log"`,
}

// rehearseCommands run the branch's scripts, and end well either way, too.
func (r *review) rehearseCommands() []string {
	roles := ""
	if names := r.props.Config.Roles; len(names) > 0 {
		roles = ` --roles "` + strings.Join(names, ",") + `"`
	}
	return []string{
		buildWorkbench,
		`"$WORK/workbench" review --sql "$WORK/theirs/` + migration.Scripts + `" --against "$DESTINATION_COMMIT"` +
			roles +
			` --json "$REVIEW/rehearsal.json" --html "$REVIEW/rehearsal.html" || echo "exit code $?"`,
	}
}

// judgeCommands compare the templates that the branch made with what is
// deployed and with what the destination makes, and write the review. With CI=true the CDK prints a difference, and
// nothing else, on standard output. Of the branch's cloud assembly it reads what
// the workbench has taken out of it: an assembly names roles, stacks and files.
func (r *review) judgeCommands() []string {
	commands := []string{buildWorkbench}
	judge := `"$WORK/workbench" review --sql "$WORK/theirs/` + migration.Scripts +
		`" --against "$DESTINATION_COMMIT" --rehearsal "$CODEBUILD_SRC_DIR_` + rehearseBuild +
		`/rehearsal.json" --project "$WORK/theirs"`
	for _, c := range r.props.inOrder() {
		commands = append(commands, r.compare(c))
		judge += fmt.Sprintf(` --diff %[1]s="$REVIEW/%[1]s.diff" --templates %[1]s="$WORK/%[1]s"`, c.Name)
	}
	return append(commands,
		judge+` --limit 10000 --markdown "$REVIEW/review.md" --html "$REVIEW/review.html" --approval "$REVIEW/approval"; echo $? >"$REVIEW/code"`,
		`if [ -e "$WORK/refused" ] && [ "$(cat "$REVIEW/code")" = 0 ]; then echo 1 >"$REVIEW/code"; fi`,
		`cat "$REVIEW/review.md"`)
}

// compare writes what would change in an environment.
func (r *review) compare(c environment.Config) string {
	return fmt.Sprintf(`if "$WORK/workbench" assembly --from "$CODEBUILD_SRC_DIR_%[1]s" --to "$WORK/%[2]s" --account %[3]s --region %[4]s --lookup-role "$%[5]s" %[6]s >"$REVIEW/%[2]s.diff"; `+
		`then CI=true infra/cdk diff --no-color --no-notices --no-lookups --app "$WORK/%[2]s" --method template %[6]s >"$REVIEW/%[2]s.diff" 2>"$WORK/cdk.err" || cat "$WORK/cdk.err" >>"$REVIEW/%[2]s.diff"; `+
		`else touch "$WORK/refused"; fi`,
		synthBuild, c.Name, c.Account, c.Region, lookupVariable(c), stackNames(c))
}

// lookupVariable is the variable with the role that may look up in an environment.
func lookupVariable(c environment.Config) string {
	return "LOOKUP_ROLE_" + strings.ToUpper(strings.ReplaceAll(c.Name, "-", "_"))
}

// commentCommands post the review. The role's session has always the same name:
// only the author of a comment may change it.
var commentCommands = []string{
	`"$WORK/workbench" comment --repository "$REPOSITORY" --pull-request "$PULL_REQUEST_ID" --revision "$REVISION_ID" --commits "$DESTINATION_COMMIT..$SOURCE_COMMIT"` +
		` --role "$COMMENT_ROLE" --code "$(cat "$REVIEW/code")" --approval "$REVIEW/approval" --markdown "$REVIEW/review.md"`,
}

// spec of one of the builds.
func (r *review) spec(name string) awscodebuild.BuildSpec {
	var own, commands []string
	switch name {
	case synthBuild:
		commands = trySynthCommands
	case rehearseBuild:
		own = ownSettings
		commands = r.rehearseCommands()
	case judgeBuild:
		own = ownSettings
		commands = r.judgeCommands()
		if r.source.repository != nil {
			commands = append(commands, commentCommands...)
		}
	}
	commands = slices.Concat(prepareCommands, own, installCommands[:2], commands)
	return spec(
		map[string]any{
			"install": map[string]any{"runtime-versions": runtimes},
			"build":   map[string]any{"commands": commands},
		},
		map[string]any{
			"env":       map[string]any{"git-credential-helper": "yes", "shell": "bash"},
			"artifacts": map[string]any{"base-directory": result, "files": []string{"**/*"}},
		},
	)
}

// settings are the variables of one build. The rehearsal and the check know of
// Flyway and its placeholders what the last environment has: it is the one that
// counts.
func (r *review) settings(name string) *map[string]*awscodebuild.BuildEnvironmentVariable {
	texts := map[string]string{}
	if name != synthBuild {
		all := r.props.inOrder()
		last := all[len(all)-1]
		maps.Copy(texts, last.Flyway)
		for name, value := range last.Placeholders {
			texts["FLYWAY_PLACEHOLDERS_"+strings.ToUpper(name)] = value
		}
	}
	if name == judgeBuild {
		for _, c := range r.props.inOrder() {
			texts[lookupVariable(c)] = r.lookupRole(c)
		}
	}
	if name == judgeBuild && r.source.repository != nil {
		texts["REPOSITORY"] = *r.source.repository.RepositoryName()
		texts["COMMENT_ROLE"] = *r.access.comment.RoleArn()
	}
	out := map[string]*awscodebuild.BuildEnvironmentVariable{}
	for name, value := range texts {
		out[name] = &awscodebuild.BuildEnvironmentVariable{Value: jsii.String(value)}
	}
	return &out
}
