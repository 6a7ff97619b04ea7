// Package pullrequest puts a verdict where a pull request of CodeCommit is
// read: one comment, which later verdicts replace, and the approval state.
//
// It decides which comment is its own and whether a verdict is still about the
// pull request as it stands. The verdict and its text are its caller's.
package pullrequest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"slipway/lambda/report"
)

// Verdict is about one state of a pull request.
type Verdict struct {
	Repository, ID string
	Revision       string // of the pull request; it changes with every commit
	Before, After  string // whole commit ids: of the destination and of the source
	Approve        bool
	Markdown       string
}

// ErrOutdated says that the pull request is closed or has got other commits:
// nothing was changed.
var ErrOutdated = errors.New("the verdict is not about the pull request as it stands")

// marker begins every comment of ours; Markdown shows nothing of it.
const marker = "<!-- slipway review -->\n"

// limit of a comment in bytes; CodeCommit takes 10,240 characters.
const limit = 10240

// Post comments and sets the approval state, in the rights of config.
func Post(ctx context.Context, config aws.Config, v Verdict) error {
	client := codecommit.NewFromConfig(config)
	pull, err := client.GetPullRequest(ctx, &codecommit.GetPullRequestInput{PullRequestId: &v.ID})
	if err != nil {
		return fmt.Errorf("pull request %s: %w", v.ID, err)
	}
	if now := pull.PullRequest; now.PullRequestStatus != types.PullRequestStatusEnumOpen ||
		aws.ToString(now.RevisionId) != v.Revision {
		return ErrOutdated
	}
	who, err := sts.NewFromConfig(config).GetCallerIdentity(ctx, nil)
	if err != nil {
		return fmt.Errorf("whose comment this would be: %w", err)
	}
	if err := comment(ctx, client, v, aws.ToString(who.Arn)); err != nil {
		return err
	}
	state := types.ApprovalStateRevoke
	if v.Approve {
		state = types.ApprovalStateApprove
	}
	_, err = client.UpdatePullRequestApprovalState(ctx,
		&codecommit.UpdatePullRequestApprovalStateInput{PullRequestId: &v.ID, RevisionId: &v.Revision,
			ApprovalState: state})
	var other *types.RevisionNotCurrentException
	if errors.As(err, &other) {
		return ErrOutdated
	}
	if err != nil {
		return fmt.Errorf("the approval state of pull request %s: %w", v.ID, err)
	}
	return nil
}

// comment replaces the author's comment, or writes the first one.
func comment(ctx context.Context, client *codecommit.Client, v Verdict, author string) error {
	text := report.Cut(marker+v.Markdown, limit)
	id, err := find(ctx, client, v, author)
	if err != nil {
		return fmt.Errorf("the comments of pull request %s: %w", v.ID, err)
	}
	if id != "" {
		_, err = client.UpdateComment(ctx, &codecommit.UpdateCommentInput{CommentId: &id, Content: &text})
	} else {
		_, err = client.PostCommentForPullRequest(ctx, &codecommit.PostCommentForPullRequestInput{
			PullRequestId: &v.ID, RepositoryName: &v.Repository, BeforeCommitId: &v.Before, AfterCommitId: &v.After,
			Content: &text,
		})
	}
	if err != nil {
		return fmt.Errorf("the comment on pull request %s: %w", v.ID, err)
	}
	return nil
}

// find returns the id of the author's comment, "" if there is none. Only the
// author of a comment may change it, and anybody can write the marker.
func find(ctx context.Context, client *codecommit.Client, v Verdict, author string) (string, error) {
	pages := codecommit.NewGetCommentsForPullRequestPaginator(client,
		&codecommit.GetCommentsForPullRequestInput{PullRequestId: &v.ID, RepositoryName: &v.Repository})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, on := range page.CommentsForPullRequestData {
			for _, c := range on.Comments {
				if !c.Deleted && aws.ToString(c.AuthorArn) == author &&
					strings.HasPrefix(aws.ToString(c.Content), marker) {
					return aws.ToString(c.CommentId), nil
				}
			}
		}
	}
	return "", nil
}
