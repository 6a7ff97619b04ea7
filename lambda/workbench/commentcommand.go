package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"slipway/lambda/workbench/deployed"
	"slipway/lambda/workbench/pullrequest"
)

// reviewSession is the name under which a review comments: it is part of who
// the author of a comment is, and only the author may change one.
const reviewSession = "slipway-review"

// runComment is `comment`: it puts a review, its exit code and its Markdown, on
// a pull request of CodeCommit. Where that has got other commits since, it does
// nothing: another review is on its way.
func runComment(ctx context.Context, b *bench, flags *flag.FlagSet, arguments []string) (int, error) {
	var v pullrequest.Verdict
	flags.StringVar(&v.Repository, "repository", "", "`name` of the repository")
	flags.StringVar(&v.ID, "pull-request", "", "`id` of the pull request; none does nothing")
	flags.StringVar(&v.Revision, "revision", "", "`id` of the pull request's revision that was judged")
	commits := flags.String("commits", "", "`A..B`: the commits of destination and source")
	code := flags.Int("code", -1, "exit `code` of the review: any but 0 takes an approval back")
	approval := flags.String("approval", "", "`file` that the review wrote: with code 0, and with approve in it, "+
		"the pull request is approved")
	file := flags.String("markdown", "", "`file` with the comment")
	role := flags.String("role", "", "`ARN` of the role that comments; default: the profile's own rights")
	if err := parse(flags, arguments); err != nil {
		return 2, err
	}
	if v.ID == "none" {
		b.say("no pull request: nothing is posted")
		return 0, nil
	}
	before, after, ok := strings.Cut(*commits, "..")
	if v.Repository == "" || v.ID == "" || v.Revision == "" || !ok || *code < 0 || *approval == "" {
		return 2, usageError{errors.New("--repository, --pull-request, --revision, --commits, --code and --approval " +
			"are needed")}
	}
	v.Before = before
	v.After = after
	says, err := os.ReadFile(*approval)
	v.Approve = *code == 0 && err == nil && string(says) == approves
	text, err := os.ReadFile(*file)
	if err != nil || len(text) == 0 {
		v.Approve = false
		text = []byte("**The scripts could not be judged.** The log of the build says why: " +
			b.env["CODEBUILD_BUILD_URL"] + "\n")
	}
	v.Markdown = string(text)
	config, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return 1, err
	}
	if *role != "" {
		config = deployed.Assume(config, *role, reviewSession)
	}
	err = pullrequest.Post(ctx, config, v)
	if errors.Is(err, pullrequest.ErrOutdated) {
		b.say("%v: another review is on its way", err)
		return 0, nil
	}
	if err != nil {
		return 1, err
	}
	b.say("%s", fmt.Sprintf("pull request %s: commented, %s", v.ID,
		map[bool]string{true: "approved", false: "not approved"}[v.Approve]))
	return 0, nil
}
