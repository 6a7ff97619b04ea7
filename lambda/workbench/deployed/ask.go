package deployed

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"slipway/lambda/report"
)

// Ask has the function run one command: info, validate, repair. A run that
// failed is a report too, with its code; an error is that there is none.
func (c *Client) Ask(ctx context.Context, command string) (*report.Report, error) {
	payload, err := json.Marshal(map[string]string{"command": command})
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
