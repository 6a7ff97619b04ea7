package deployed

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"slipway/lambda/report"
)

// Request is what a deployed function is asked to do, as it takes it directly.
type Request struct {
	Command string `json:"command"`          // info, validate, repair, revert
	To      string `json:"to,omitempty"`     // revert: the version to go back to
	Steps   int    `json:"steps,omitempty"`  // or how many to undo
	From    string `json:"from,omitempty"`   // the current version, repeated
	DryRun  bool   `json:"dryRun,omitempty"` // the plan only
}

// Ask has the function do what is requested. A run that
// failed is a report too, with its code; an error is that there is none.
func (c *Client) Ask(ctx context.Context, request Request) (*report.Report, error) {
	payload, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	answer, err := c.lambda().Invoke(ctx, &lambda.InvokeInput{FunctionName: &c.function, Payload: payload})
	if err != nil {
		return nil, fmt.Errorf("the function %s can't be called: %w", c.function, err)
	}
	if aws.ToString(answer.FunctionError) == "" {
		return decode(answer.Payload)
	}
	var failure struct {
		ErrorType    string `json:"errorType"`
		ErrorMessage string `json:"errorMessage"`
	}
	if err := json.Unmarshal(answer.Payload, &failure); err != nil {
		return nil, fmt.Errorf("the function %s failed: %s", c.function, answer.Payload)
	}
	if r, err := decode([]byte(failure.ErrorMessage)); err == nil {
		return r, nil
	}
	// Lambda itself ended it: out of time, out of memory, an image that does not start.
	return nil, fmt.Errorf("the function %s failed: %s %s; its log has more", c.function, failure.ErrorType, failure.ErrorMessage)
}

func decode(raw []byte) (*report.Report, error) {
	r := &report.Report{}
	if err := json.Unmarshal(raw, r); err != nil {
		return nil, fmt.Errorf("an answer that is no report: %w", err)
	}
	if r.Command == "" || r.Code == "" {
		return nil, fmt.Errorf("an answer that is no report: %.200s", raw)
	}
	return r, nil
}
