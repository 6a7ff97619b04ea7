package deployed

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
)

// Templates are the templates of the stacks that are deployed, by name, as they
// were given to CloudFormation. A stack is left out where there is none, and where
// its first deployment was taken back or never begun: nothing is in it then.
// lookupRole is as for [Connect].
func Templates(ctx context.Context, e Environment, lookupRole string, stacks ...string) (map[string]string, error) {
	_, lookup, err := configs(ctx, e, lookupRole)
	if err != nil {
		return nil, err
	}
	api := cloudformation.NewFromConfig(lookup)
	templates := map[string]string{}
	for _, name := range stacks {
		found, err := api.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
		var failure smithy.APIError
		if errors.As(err, &failure) && failure.ErrorCode() == "ValidationError" {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("the stack %s can't be looked at: %w", name, err)
		}
		if len(found.Stacks) == 0 || empty(found.Stacks[0].StackStatus) {
			continue
		}
		template, err := api.GetTemplate(ctx, &cloudformation.GetTemplateInput{
			StackName: &name, TemplateStage: types.TemplateStageOriginal,
		})
		if err != nil {
			return nil, fmt.Errorf("the template of the stack %s can't be read: %w", name, err)
		}
		templates[name] = aws.ToString(template.TemplateBody)
	}
	return templates, nil
}

// empty reports whether a stack in that state has no resources, but for those
// that are kept on purpose.
func empty(status types.StackStatus) bool {
	switch status {
	case types.StackStatusReviewInProgress, types.StackStatusRollbackComplete, types.StackStatusDeleteComplete:
		return true
	}
	return false
}
