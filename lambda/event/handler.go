// Package event answers what Lambda is invoked with: events of CloudFormation
// custom resources (through CDK's provider framework) and direct requests.
//
// It reads the event, decides whether a run is called for at all, and shapes
// the run's report into an answer. What a run does is package migrator's.
package event

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"slipway/lambda/migrator"
	"slipway/lambda/plan"
	"slipway/lambda/report"
)

// Runner carries out a request; see [migrator.Migrator.Run].
type Runner interface {
	Run(context.Context, migrator.Request) (*report.Report, error)
}

// Handler is a lambda.Handler. Failures are function errors whose errorType is
// the report's code. Their errorMessage is one line for CloudFormation, and the
// whole report as JSON for a direct request.
type Handler struct {
	Runner Runner
	Log    *slog.Logger
	// LogGroup is where Log ends up, for the reason of a failed deployment; "" where that is not known.
	LogGroup string
	// Database is the identity of the database that the function is set to, in the
	// form of the custom resource's property of that name; "" compares nothing.
	Database string
	// Show gets each report of a run, besides the answer; nil for none.
	Show func(*report.Report)
	// Now is the clock; nil for the system's.
	Now func() time.Time
}

func (h Handler) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
}

// Invoke answers one event.
func (h Handler) Invoke(ctx context.Context, payload []byte) (body []byte, err error) {
	refuse := refuseDirect
	// The run answers for its own defects; this is for those around it. Without
	// an answer, CloudFormation would wait until its own timeout.
	defer func() {
		if p := recover(); p != nil {
			h.Log.Error("panic", "value", fmt.Sprint(p), "stack", string(debug.Stack()))
			f := report.Failf(report.Internal, "a defect of Slipway: %v", p).
				Next("Report this with the log of the run.")
			body, err = nil, refuse("", f)
		}
	}()
	keys, err := object(payload)
	if err != nil {
		return nil, refuse("", report.Failf(report.BadRequest, "send a JSON object: %w", err).Next(example))
	}
	if slices.ContainsFunc(eventKeys, func(k string) bool { return keys[k] != nil }) {
		refuse = func(_ string, f *report.Failure) error { return h.refuse(ctx, f) }
		return h.cloudFormation(ctx, payload)
	}
	return h.direct(ctx, payload)
}

// eventKeys tell an event of CloudFormation from a direct request.
var eventKeys = []string{"RequestType", "StackId", "ResourceProperties", "LogicalResourceId"}

func object(payload []byte) (map[string]json.RawMessage, error) {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(payload, &keys); err != nil {
		return nil, err
	}
	if keys == nil {
		return nil, fmt.Errorf("got null")
	}
	return keys, nil
}

// direct is a request such as {"command":"migrate","target":"12"}.
type direct struct {
	Command string `json:"command"`
	Target  string `json:"target"`
	To      string `json:"to"`
	Steps   int    `json:"steps"`
	From    string `json:"from"`
	DryRun  bool   `json:"dryRun"`
	Rows    string `json:"rows"`
	// Checksums by script: {"V1__a.sql": {"was": 1, "now": 2}}.
	Checksums map[string]checksum `json:"checksums"`
	Deleted   map[int]string      `json:"deleted"` // by rank: {"3": "V2__b.sql"}
}

// checksum has pointers, since 0 is a checksum: a number that is left out is no 0.
type checksum struct {
	Was *int32 `json:"was"`
	Now *int32 `json:"now"`
}

// newChecksums is nil where the request has none. A script that lacks a number is an error.
func (d direct) newChecksums() (map[string]plan.NewChecksum, error) {
	if d.Checksums == nil {
		return nil, nil
	}
	all := map[string]plan.NewChecksum{}
	for name, c := range d.Checksums {
		if c.Was == nil || c.Now == nil {
			return nil, fmt.Errorf(`checksums: %s needs both numbers, {"was": …, "now": …}`, name)
		}
		all[name] = plan.NewChecksum{Was: *c.Was, Now: *c.Now}
	}
	return all, nil
}

func (h Handler) direct(ctx context.Context, payload []byte) ([]byte, error) {
	var d direct
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		problem := strings.TrimPrefix(err.Error(), "json: ")
		return nil, refuseDirect(d.Command, report.Failf(report.BadRequest, "the request: %s", problem).
			Next(nextStep(err)))
	}
	if !slices.Contains(migrator.Commands, d.Command) {
		commands := strings.Join(migrator.Commands, ", ")
		f := report.Failf(report.BadRequest, "the request: unknown command %q; use one of %s", d.Command, commands).
			Next(example)
		return nil, refuseDirect(d.Command, f)
	}
	checksums, err := d.newChecksums()
	if err != nil {
		return nil, refuseDirect(d.Command, report.Failf(report.BadRequest, "the request: %w", err).Next(example))
	}
	rep, err := h.run(ctx, migrator.Request{
		Command: d.Command, Target: d.Target, To: d.To, Steps: d.Steps, From: d.From, DryRun: d.DryRun, Rows: d.Rows,
		Checksums: checksums, Deleted: d.Deleted,
	})
	body, marshalErr := json.Marshal(rep)
	if marshalErr != nil {
		return nil, marshalErr
	}
	if err != nil {
		return nil, failure(rep.Code, string(body))
	}
	return body, nil
}

// run carries the request out. The notes become the first warnings of its report.
func (h Handler) run(ctx context.Context, req migrator.Request, notes ...string) (*report.Report, error) {
	for _, note := range notes {
		h.Log.Warn(note)
	}
	rep, err := h.Runner.Run(ctx, req)
	rep.Warnings = append(notes, rep.Warnings...)
	if h.Show != nil {
		h.Show(rep)
	}
	return rep, err
}

// refuse fails an event of CloudFormation that can't be carried out, in the form
// of every failure there: with the place of the log, and no longer than it may be.
func (h Handler) refuse(ctx context.Context, f *report.Failure) error {
	rep := &report.Report{}
	rep.Fail(f)
	return failure(f.Code, h.reason(ctx, rep))
}

const example = `Send a request such as {"command":"info"}.`

// nextStep is what to do about a request that can't be decoded. secretArn was a
// field once: whoever may call the function could have it read any secret that
// its role may read, and send the password to a host of their choice.
func nextStep(err error) string {
	if strings.EqualFold(err.Error(), `json: unknown field "secretArn"`) {
		return "Leave it out: the secret is the one that MASTER_SECRET_ARN names in the function's environment. " +
			"Another database has a deployment of its own."
	}
	return example
}

// refuseDirect fails a direct request that can't be carried out, in the form of
// every failure there: a report.
func refuseDirect(command string, f *report.Failure) error {
	rep := report.Report{Command: command, StartedAt: time.Now().UTC(), Applied: []report.Script{},
		Pending: []report.Script{}}
	rep.Fail(f)
	body, err := json.Marshal(rep)
	if err != nil {
		return err
	}
	return failure(f.Code, string(body))
}

func failure(code report.Code, message string) error {
	return messages.InvokeResponse_Error{Type: string(code), Message: message}
}
