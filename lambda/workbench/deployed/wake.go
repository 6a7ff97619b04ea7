package deployed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
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
		state := stateOf(ctx, api, name)
		if state.name == types.StateFailed {
			return nil, fmt.Errorf("its state is %s; deploy the environment again: %w", state, err)
		}
		waited := time.Since(begun)
		if waited+pause > c.Wait {
			const text = "it is not ready after %s, its state is %s; try again in some minutes: %w"
			return nil, fmt.Errorf(text, waited.Round(time.Second), state, err)
		}
		if c.Progress != nil {
			const text = "the function %s is not ready (%s): " +
				"Lambda brings back a function that was idle for weeks; waiting for %s of at most %s"
			c.Progress(fmt.Sprintf(text, name, state.name, waited.Round(time.Second), c.Wait))
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

// functionState is what Lambda says of a function.
type functionState struct {
	name   types.State
	reason string // "" for none
}

func (s functionState) String() string {
	if s.reason == "" {
		return string(s.name)
	}
	return fmt.Sprintf("%s (%s)", s.name, s.reason)
}

// stateOf returns the function's state. Roles of former deployments may not see
// it: then it is "unknown", and waiting goes on.
func stateOf(ctx context.Context, api *lambda.Client, name string) functionState {
	found, err := api.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &name})
	if err != nil || found.Configuration == nil {
		return functionState{name: "unknown"}
	}
	return functionState{name: found.Configuration.State, reason: aws.ToString(found.Configuration.StateReason)}
}
