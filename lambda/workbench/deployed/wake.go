package deployed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
)

// invoke calls a function. Lambda makes one that was idle for weeks Inactive and
// refuses calls while it brings it back; none of those has reached the function,
// so that it can be called again.
func (c *Client) invoke(ctx context.Context, name string, payload []byte) (*lambda.InvokeOutput, error) {
	api := c.lambda()
	begun := time.Now()
	for pause := 500 * time.Millisecond; ; pause = min(2*pause, 15*time.Second) {
		answer, err := api.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Payload: payload})
		if err == nil || !comesBack(err) {
			return answer, err
		}
		state, reason := stateOf(ctx, api, name)
		if state == types.StateFailed {
			return nil, fmt.Errorf("its state is Failed (%s); deploy the environment again: %w", reason, err)
		}
		waited := time.Since(begun).Round(time.Second)
		if time.Since(begun)+pause > c.Wait {
			return nil, fmt.Errorf("it is not ready after %s; try again in some minutes: %w", waited, err)
		}
		if c.Progress != nil {
			c.Progress(fmt.Sprintf("the function %s is not ready (%s): Lambda brings one back that was idle for long; waiting for %s of at most %s", name, state, waited, c.Wait))
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// comesBack reports whether Lambda refused the call because the function is not
// ready yet.
func comesBack(err error) bool {
	var failure smithy.APIError
	if !errors.As(err, &failure) {
		return false
	}
	switch failure.ErrorCode() {
	case "CodeArtifactUserPendingException", "ResourceConflictException", "ResourceNotReadyException":
		return true
	}
	return false
}

// stateOf is the function's state and its reason. Roles of former deployments
// may not see it: then it is "unknown", and waiting goes on.
func stateOf(ctx context.Context, api *lambda.Client, name string) (types.State, string) {
	found, err := api.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &name})
	if err != nil || found.Configuration == nil {
		return "state unknown", ""
	}
	reason := ""
	if found.Configuration.StateReason != nil {
		reason = *found.Configuration.StateReason
	}
	return found.Configuration.State, reason
}
