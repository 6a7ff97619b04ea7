package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"slipway/lambda/report"
	"slipway/lambda/script"
)

// newEvent is what CDK's provider framework sends the handler: a Create for a
// database that is new, an Update after that.
//
// The Update comes without the former release's order: on a laptop, going back
// to an older commit shall be judged by the history, not taken for a rollback.
func newEvent(ctx context.Context, sql string, s *session) (string, error) {
	properties := map[string]any{
		"ServiceToken": "arn:aws:lambda:eu-central-1:000000000000:function:local",
		"Database":     "local/" + s.database,
		"Settings":     "local",
	}
	// A release that can't be read is the handler's to refuse, with its code.
	if set, err := script.Load(sql); err == nil {
		manifest := set.Manifest(0)
		properties["Release"], properties["Scripts"] = manifest.Digest, manifest.Scripts
	}
	if order, err := script.Order(ctx, sql); err == nil {
		properties["Order"] = strconv.FormatInt(order, 10)
	}
	event := map[string]any{
		"RequestType":        "Create",
		"ServiceToken":       properties["ServiceToken"],
		"ResponseURL":        "https://cloudformation.invalid/",
		"StackId":            "arn:aws:cloudformation:eu-central-1:000000000000:stack/local/" + s.database,
		"RequestId":          "00000000-0000-4000-8000-000000000000",
		"LogicalResourceId":  "Migration",
		"ResourceType":       "Custom::FlywayMigration",
		"ResourceProperties": properties,
	}
	if !s.created {
		event["RequestType"] = "Update"
		event["PhysicalResourceId"] = "slipway-local"
		event["OldResourceProperties"] = map[string]any{"ServiceToken": properties["ServiceToken"]}
	}
	body, err := json.Marshal(event)
	return string(body), err
}

// reply is what the handler answered: ids and data, or an error.
type reply struct {
	PhysicalResourceID string `json:"PhysicalResourceId"`
	Data               struct{ SchemaVersion, Applied, Pending, Release string }
	ErrorType          string `json:"errorType"`
	ErrorMessage       string `json:"errorMessage"`
}

func newReply(response *http.Response, body []byte) (*reply, error) {
	var r reply
	if err := json.Unmarshal(body, &r); err != nil || response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("slipway serve answered %s: %.500s", response.Status, body)
	}
	if response.Header.Get("X-Amz-Function-Error") == "" {
		r.ErrorType = ""
	} else if r.ErrorType == "" {
		r.ErrorType = string(report.Internal)
	}
	return &r, nil
}

// code is that of the report.
func (r *reply) code() string {
	if r.ErrorType != "" {
		return r.ErrorType
	}
	return string(report.OK)
}

// print says what CloudFormation would get.
func (r *reply) print(out io.Writer) {
	if r.ErrorType != "" {
		fmt.Fprintf(out, "\nCloudFormation would fail the deployment with:\n  %s\n", r.ErrorMessage)
		return
	}
	fmt.Fprintf(out, "\nCloudFormation would get: %s  SchemaVersion=%s Applied=%s Pending=%s Release=%s\n",
		r.PhysicalResourceID, r.Data.SchemaVersion, r.Data.Applied, r.Data.Pending, r.Data.Release)
}
