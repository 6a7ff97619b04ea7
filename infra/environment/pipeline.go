package environment

import (
	"slices"
	"strings"
)

// Pipeline is what deploys the environments on a push to one branch.
type Pipeline struct {
	Account, Region string
	Environments    []string // names, in the order in which they are deployed
	// Connection is the ARN of a connection to GitHub, GitLab or Bitbucket; "" is CodeCommit.
	Connection string
	// Repository is owner/name for a connection; for CodeCommit the name of one
	// that exists, "" makes one.
	Repository      string
	Branch          string
	DockerHubSecret string // ARN of a secret with username and password; "" reads from Docker Hub without
	Review          bool   // pull requests are judged
	// History and Roles concern the run of all scripts on an empty database. The
	// build reads them in cdk.json itself, as the commit has it.
	History bool
	Roles   []string
	Test    bool   // the project's own tests are run
	Email   string // "" for none
	LogDays int
}

// PipelineKeys are all keys of the pipeline, in the order in which a person wants to read of them.
var PipelineKeys = []Key{
	{Path: "account", Kind: Text, Absent: required, check: accountNumber,
		Doc: "AWS account of the pipeline"},
	{Path: "region", Kind: Text, Absent: required, check: regionName,
		Doc: "AWS region of the pipeline, that of its source too"},
	{Path: "environments", Kind: List, Absent: required, check: each(func(any) string { return "" }, 1, 40),
		Doc: "Names of the environments, in the order in which they are deployed. One that is not named is deployed " +
			"from a laptop only"},
	{Path: "repository", Kind: Text, Absent: "one named `slipway` is made in CodeCommit",
		check: matches(`^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$`, "a repository's name"),
		Doc:   "Name of a CodeCommit repository that exists; with `connectionArn` required, as `owner/name`"},
	{Path: "connectionArn", Kind: Text, Absent: "the source is CodeCommit",
		check: matches(`^arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:\d{12}:connection/[0-9a-f-]+$`, "the ARN of a connection"),
		Doc:   "Connection to GitHub, GitLab or Bitbucket"},
	{Path: "branch", Kind: Text, Default: "master", check: matches(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`, "a branch's name"),
		Doc: "A push to this branch is deployed"},
	{Path: "review", Kind: Flag, Default: true,
		Doc: "A pull request for the branch is judged: CodeCommit gets a comment and an approval state, with " +
			"`connectionArn` the same text is an artifact"},
	{Path: "history", Kind: Flag, Default: true,
		Doc: "Each push runs all scripts on an empty throw-away PostgreSQL before anything is deployed, with the " +
			"last environment's settings"},
	{Path: "roles", Kind: List, Default: []any{},
		check: each(matches(`^[A-Za-z_][A-Za-z0-9_.-]{0,62}$`, "a role's name"), 0, 100),
		Doc:   "Roles that your servers have and scripts name, made for that run and for the rehearsal in a review"},
	{Path: "test", Kind: Flag, Default: false,
		Doc: "Each push runs Slipway's own tests too (`make test`): for those who change Slipway itself"},
	{Path: "dockerHubSecretArn", Kind: Text, Absent: "none is used", check: secretArn,
		Doc: "Secret with `username` and `password` for Docker Hub, whose limit for strangers is low; or name a " +
			"mirror in `images` (one in ECR has to let the pipeline's account pull)"},
	{Path: "email", Kind: Text, Absent: "none", check: emailAddress,
		Doc: "Email address notified of failures and of environments that wait for approval; others subscribe to " +
			"the topic"},
	{Path: "logRetentionDays", Kind: Whole, Default: 90, check: retention,
		Doc: "Days that the builds' logs are kept; one of CloudWatch's steps"},
}

func parsePipeline(raw any, all []Config, e *Error) *Pipeline {
	const path = "pipeline"
	keys, ok := raw.(map[string]any)
	if !ok {
		e.add(path, "%s is not an object", jsonKind(raw))
		return nil
	}
	v := newValues(PipelineKeys)
	v.read(keys, path, "", e)
	v.fill()
	for _, key := range PipelineKeys {
		if key.Absent == required && !v.given[key.Path] {
			e.add(path+"."+key.Path, "required")
		}
	}
	r := rules{v, path, e}
	r.source()
	r.order(all)
	return &Pipeline{
		Account:         v.text("account"),
		Region:          v.text("region"),
		Environments:    v.list("environments"),
		Connection:      v.text("connectionArn"),
		Repository:      v.text("repository"),
		Branch:          v.text("branch"),
		DockerHubSecret: v.text("dockerHubSecretArn"),
		Review:          v.flag("review"),
		History:         v.flag("history"),
		Roles:           v.list("roles"),
		Test:            v.flag("test"),
		Email:           v.text("email"),
		LogDays:         v.whole("logRetentionDays"),
	}
}

// source checks what the keys of the source must have in common.
func (r rules) source() {
	slash := strings.Contains(r.text("repository"), "/")
	switch {
	case !r.given["connectionArn"] && slash:
		r.fail("repository", "%q: a CodeCommit repository's name has no /; for another source give connectionArn",
			r.text("repository"))
	case r.given["connectionArn"] && !r.given["repository"]:
		r.fail("repository", "required where connectionArn is given: owner/name")
	case r.given["connectionArn"] && !slash && r.text("repository") != "":
		r.fail("repository", "%q is not owner/name", r.text("repository"))
	}
	// A connection may lie in another region than the pipeline, a secret may not.
	if parts := strings.Split(r.text("dockerHubSecretArn"), ":"); len(parts) > 3 && r.text("region") != "" &&
		parts[3] != r.text("region") {
		r.fail("dockerHubSecretArn", "lies in the region %s, the pipeline in %s", parts[3], r.text("region"))
	}
}

// order checks that the environments to deploy are there.
func (r rules) order(all []Config) {
	var known []string
	for _, c := range all {
		known = append(known, c.Name)
	}
	for i, name := range r.list("environments") {
		if !slices.Contains(known, name) {
			r.fail("environments", "entry %d: there is no environment %q%s", i+1, name, didYouMean(name, known))
		}
	}
	for _, c := range all {
		if c.Approval && len(r.list("environments")) > 0 && !slices.Contains(r.list("environments"), c.Name) {
			r.errs.add("environments."+c.Name+".approval",
				"the pipeline does not deploy this environment: name it in pipeline.environments")
		}
	}
}
