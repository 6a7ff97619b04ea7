package pullrequest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"slipway/lambda/proof/awstest"
	"slipway/lambda/workbench/deployed"
	"slipway/lambda/workbench/pullrequest"
)

const role = "arn:aws:iam::111122223333:role/commenter"

const author = "arn:aws:sts::111122223333:assumed-role/commenter/slipway-review"

// start returns a stand-in with one pull request, and a new session of the role
// for each call of session.
func start(t *testing.T) (a *awstest.AWS, session func() aws.Config) {
	t.Helper()
	a = awstest.Start(t)
	a.Use(t)
	a.Pulls["7"] = &awstest.PullRequest{Revision: "r1"}
	return a, func() aws.Config {
		config, err := awsconfig.LoadDefaultConfig(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return deployed.Assume(config, role, "slipway-review")
	}
}

func verdict(markdown string) pullrequest.Verdict {
	return pullrequest.Verdict{Repository: "slipway", ID: "7", Revision: "r1", Before: "aaa", After: "bbb",
		Approve: true, Markdown: markdown}
}

func post(t *testing.T, config aws.Config, v pullrequest.Verdict) {
	t.Helper()
	if err := pullrequest.Post(t.Context(), config, v); err != nil {
		t.Fatal(err)
	}
}

// Each build is another session of the role, and still the same author.
func TestOneCommentIsUpdatedInPlace(t *testing.T) {
	a, session := start(t)
	pull := a.Pulls["7"]
	// Comments of others, more than a page, one of whom writes like us.
	for _, text := range []string{"hello", "<!-- slipway review -->\nfake", "and", "so", "on"} {
		pull.Comments = append(pull.Comments,
			awstest.Comment{ID: "other " + text, Author: "arn:aws:iam::111122223333:user/eve", Content: text})
	}
	post(t, session(), verdict("first"))
	if len(pull.Comments) != 6 || pull.Approvals[author] != "APPROVE" {
		t.Fatalf("%d comments, approvals %v", len(pull.Comments), pull.Approvals)
	}
	if c := pull.Comments[5]; c.Author != author || !strings.HasSuffix(c.Content, "\nfirst") || c.Before != "aaa" ||
		c.After != "bbb" {
		t.Errorf("%+v", c)
	}
	pull.Revision = "r2"
	worse := verdict("second")
	worse.Revision, worse.Approve = "r2", false
	post(t, session(), worse)
	if len(pull.Comments) != 6 || !strings.HasSuffix(pull.Comments[5].Content, "\nsecond") ||
		pull.Approvals[author] != "REVOKE" {
		t.Errorf("%d comments, the last %q; approvals %v", len(pull.Comments), pull.Comments[5].Content, pull.Approvals)
	}
}

func TestADeletedCommentIsWrittenAnew(t *testing.T) {
	a, session := start(t)
	post(t, session(), verdict("first"))
	a.Pulls["7"].Comments[0].Deleted = true
	post(t, session(), verdict("second"))
	if n := len(a.Pulls["7"].Comments); n != 2 {
		t.Errorf("%d comments", n)
	}
}

// A slow review of older commits says nothing about newer ones.
func TestAnOutdatedVerdictChangesNothing(t *testing.T) {
	for name, change := range map[string]func(*awstest.PullRequest){
		"other commits": func(p *awstest.PullRequest) { p.Revision = "r2" },
		"closed":        func(p *awstest.PullRequest) { p.Closed = true },
	} {
		t.Run(name, func(t *testing.T) {
			a, session := start(t)
			change(a.Pulls["7"])
			if err := pullrequest.Post(t.Context(), session(), verdict("late")); !errors.Is(err,
				pullrequest.ErrOutdated) {
				t.Errorf("got %v", err)
			}
			if p := a.Pulls["7"]; len(p.Comments) != 0 || len(p.Approvals) != 0 {
				t.Errorf("changed: %+v", p)
			}
		})
	}
}

// A comment that is too long would not be taken at all.
func TestALongCommentIsCut(t *testing.T) {
	a, session := start(t)
	post(t, session(), verdict(strings.Repeat("äöü€ ", 5000)))
	if n := len(a.Pulls["7"].Comments[0].Content); n > 10240 || n < 10000 {
		t.Errorf("%d bytes", n)
	}
}

func TestAPullRequestThatIsNotThere(t *testing.T) {
	_, session := start(t)
	v := verdict("x")
	v.ID = "8"
	if err := pullrequest.Post(t.Context(), session(), v); err == nil ||
		!strings.Contains(err.Error(), "pull request 8") {
		t.Errorf("got %v", err)
	}
}
