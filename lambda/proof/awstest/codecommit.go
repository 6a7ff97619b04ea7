package awstest

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// PullRequest of CodeCommit.
type PullRequest struct {
	Revision  string
	Closed    bool
	Comments  []Comment
	Approvals map[string]string // state by the ARN of who set it
}

// Comment on a pull request.
type Comment struct {
	ID, Author, Content string
	Before, After       string // the commits that it is about
	Deleted             bool
}

// pageSize is small, so that callers have to ask for more pages.
const pageSize = 2

// maxComment is CodeCommit's limit, in characters.
const maxComment = 10240

func (a *AWS) codeCommit(w http.ResponseWriter, who, operation string, body []byte) {
	var in struct {
		PullRequestID string `json:"pullRequestId"`
		RevisionID    string `json:"revisionId"`
		ApprovalState string `json:"approvalState"`
		CommentID     string `json:"commentId"`
		Content       string `json:"content"`
		Before        string `json:"beforeCommitId"`
		After         string `json:"afterCommitId"`
		NextToken     string `json:"nextToken"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		refuse(w, http.StatusBadRequest, "SerializationException", err.Error())
		return
	}
	if len([]rune(in.Content)) > maxComment {
		refuse(w, http.StatusBadRequest, "CommentContentSizeLimitExceededException", "too long")
		return
	}
	if operation == "UpdateComment" {
		a.updateComment(w, who, in.CommentID, in.Content)
		return
	}
	pull, ok := a.Pulls[in.PullRequestID]
	if !ok {
		refuse(w, http.StatusBadRequest, "PullRequestDoesNotExistException", "no pull request "+in.PullRequestID)
		return
	}
	switch operation {
	case "GetPullRequest":
		status := map[bool]string{true: "CLOSED", false: "OPEN"}[pull.Closed]
		reply(w, map[string]any{"pullRequest": map[string]any{"pullRequestId": in.PullRequestID,
			"pullRequestStatus": status, "revisionId": pull.Revision}})
	case "GetCommentsForPullRequest":
		first := 0
		_, _ = fmt.Sscan(in.NextToken, &first)
		reply(w, page(pull.Comments, first))
	case "PostCommentForPullRequest":
		a.nextID++
		pull.Comments = append(pull.Comments,
			Comment{ID: fmt.Sprint("comment-", a.nextID), Author: who, Content: in.Content, Before: in.Before,
				After: in.After})
		reply(w, map[string]any{})
	case "UpdatePullRequestApprovalState":
		if in.RevisionID != pull.Revision {
			refuse(w, http.StatusBadRequest, "RevisionNotCurrentException", "another revision")
			return
		}
		if pull.Approvals == nil {
			pull.Approvals = map[string]string{}
		}
		pull.Approvals[who] = in.ApprovalState
		reply(w, map[string]any{})
	default:
		refuse(w, http.StatusBadRequest, "UnknownOperationException", operation)
	}
}

func page(all []Comment, first int) map[string]any {
	comments := []any{}
	last := min(first+pageSize, len(all))
	for _, c := range all[first:last] {
		comments = append(comments, map[string]any{"commentId": c.ID, "authorArn": c.Author, "content": c.Content,
			"deleted": c.Deleted})
	}
	out := map[string]any{"commentsForPullRequestData": []any{map[string]any{"comments": comments}}}
	if last < len(all) {
		out["nextToken"] = fmt.Sprint(last)
	}
	return out
}

func (a *AWS) updateComment(w http.ResponseWriter, who, id, content string) {
	for _, pull := range a.Pulls {
		for i := range pull.Comments {
			c := &pull.Comments[i]
			if c.ID != id {
				continue
			}
			if c.Author != who {
				refuse(w, http.StatusBadRequest, "CommentNotCreatedByCallerException", "not yours")
				return
			}
			c.Content = content
			reply(w, map[string]any{})
			return
		}
	}
	refuse(w, http.StatusBadRequest, "CommentDoesNotExistException", id)
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(v)
}
