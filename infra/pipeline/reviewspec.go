package pipeline

import (
	"fmt"
	"maps"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscodebuild"
	"github.com/aws/jsii-runtime-go"

	"slipway/infra/environment"
	"slipway/infra/migration"
)

// Folders of a review in the clone, below the folder that git ignores.
const (
	ours   = ".slipway/ours"   // the pull request's destination: whose program judges
	theirs = ".slipway/theirs" // its source: what is judged
	result = ".slipway/review" // the build's artifact
)

// prepareCommands lay both trees out and go to the destination's. The branch's
// is data there: nothing in it is run but where a command says so.
func prepareCommands() []string {
	return []string{
		`git fetch --quiet origin "+refs/heads/*:refs/remotes/origin/*"`,
		`git worktree add --quiet --detach ` + ours + ` "$DESTINATION_COMMIT"`,
		`git worktree add --quiet --detach ` + theirs + ` "$SOURCE_COMMIT"`,
		`mkdir -p ` + result,
		`cd ` + ours,
	}
}

// A build that runs what a branch brings ends well either way: what went wrong
// is in its artifact, for the judge to tell.
var (
	trySynthCommands = []string{
		`(cd ../theirs && ../ours/infra/cdk synth --quiet --output ../review/cdk.out) >../review/synth.log 2>&1 || echo "exit code $?" >../review/failed`,
		`cat ../review/synth.log`,
	}
	tryRehearseCommands = []string{
		`go build -o ../workbench ./lambda/workbench`,
		`../workbench review --sql ../theirs/` + migration.Scripts + ` --against "$DESTINATION_COMMIT" --json ../review/rehearsal.json --html ../review/rehearsal.html || echo "exit code $?"`,
	}
)

// judgeCommands compare the templates that the branch made with what is
// deployed, and write the review. With CI=true the CDK prints a difference, and
// nothing else, on standard output.
func judgeCommands(all []environment.Config) []string {
	commands := []string{`go build -o ../workbench ./lambda/workbench`}
	review := `../workbench review --sql ../theirs/` + migration.Scripts + ` --against "$DESTINATION_COMMIT" --rehearsal "$CODEBUILD_SRC_DIR_` + rehearseBuild + `/rehearsal.json"`
	for _, c := range all {
		file := fmt.Sprintf("../review/%s.diff", c.Name)
		commands = append(commands, fmt.Sprintf(`if [ -e "$CODEBUILD_SRC_DIR_%[1]s/failed" ]; then cp "$CODEBUILD_SRC_DIR_%[1]s/synth.log" %[2]s; `+
			`else CI=true infra/cdk diff --no-color --no-notices --app "$CODEBUILD_SRC_DIR_%[1]s/cdk.out" --method template %[3]s >%[2]s 2>../cdk.err || cat ../cdk.err >>%[2]s; fi`, synthBuild, file, stackNames(c)))
		review += fmt.Sprintf(" --diff %s=%s", c.Name, file)
	}
	return append(commands,
		review+` --limit 10000 --markdown ../review/review.md --html ../review/review.html; echo $? >../review/code`,
		`if [ -e "$CODEBUILD_SRC_DIR_`+synthBuild+`/failed" ] && [ "$(cat ../review/code)" = 0 ]; then echo 1 >../review/code; fi`,
		`cat ../review/review.md`)
}

// commentCommands post the review. The role's session has always the same name:
// only the author of a comment may change it.
var commentCommands = []string{
	`../workbench comment --repository "$REPOSITORY" --pull-request "$PULL_REQUEST_ID" --revision "$REVISION_ID" --commits "$DESTINATION_COMMIT..$SOURCE_COMMIT"` +
		` --role "$COMMENT_ROLE" --code "$(cat ../review/code)" --markdown ../review/review.md`,
}

// spec of one of the builds.
func (r *review) spec(name string) awscodebuild.BuildSpec {
	var commands []string
	switch name {
	case synthBuild:
		commands = trySynthCommands
	case rehearseBuild:
		commands = tryRehearseCommands
	case judgeBuild:
		commands = judgeCommands(r.props.inOrder())
		if r.source.repository != nil {
			commands = append(commands, commentCommands...)
		}
	}
	commands = append(prepareCommands(), commands...)
	return spec(
		map[string]any{
			"install": map[string]any{"runtime-versions": runtimes, "commands": installCommands[:2]},
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
