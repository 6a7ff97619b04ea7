package deployed

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"slipway/lambda/plan"
	"slipway/lambda/report"
)

// Request is what a deployed function is asked to do, as it takes it directly.
type Request struct {
	Command string `json:"command"`          // info, validate, repair, revert
	To      string `json:"to,omitempty"`     // revert: the version to go back to
	Steps   int    `json:"steps,omitempty"`  // or how many to undo
	From    string `json:"from,omitempty"`   // the current version, repeated
	DryRun  bool   `json:"dryRun,omitempty"` // the plan only
	Rows    string `json:"rows,omitempty"`   // repair: the rows to rewrite, by rank
	// Repair: what goes by the scripts here, rather than by those of the deployed image; nil leaves it to that one.
	Checksums map[string]plan.NewChecksum `json:"checksums,omitzero"`
	Deleted   map[int]string              `json:"deleted,omitempty"` // repair: scripts that are gone, by rank
}

// reads reports whether the request is one for the function that only reads.
func (r Request) reads() bool {
	return r.Command == "info" || r.Command == "validate" || r.Command == "revert" && r.DryRun
}

// Ask has the environment do what is requested: what only reads is asked of the
// stack's inspector and never of the function that changes the database. A stack
// without an inspector is an [ErrNoInspector]. A run that failed is a report
// too, with its code; an error is that there is none.
func (c *Client) Ask(ctx context.Context, request Request) (*report.Report, error) {
	payload, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	name := c.function
	if request.reads() {
		name = c.inspector
	}
	if name == "" {
		return nil, fmt.Errorf("%w: the stack %s has no InspectorName in its outputs, which comes with its next "+
			"deployment", ErrNoInspector, c.environment.Stack())
	}
	answer, err := c.invoke(ctx, name, payload)
	if err != nil {
		return nil, fmt.Errorf("the function %s can't be called: %w", name, err)
	}
	if aws.ToString(answer.FunctionError) == "" {
		return decode(answer.Payload)
	}
	var failure struct {
		ErrorType    string `json:"errorType"`
		ErrorMessage string `json:"errorMessage"`
	}
	if err := json.Unmarshal(answer.Payload, &failure); err != nil {
		return nil, fmt.Errorf("the function %s failed: %s", name, answer.Payload)
	}
	if r, err := decode([]byte(failure.ErrorMessage)); err == nil {
		return r, nil
	}
	// Lambda itself ended it: out of time, out of memory, an image that does not start.
	return nil, fmt.Errorf("the function %s failed: %s %s; its log has more", name, failure.ErrorType,
		failure.ErrorMessage)
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
