package event

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
	"slipway/lambda/untrusted"
)

// cloudFormation is what CDK's provider framework sends on: CloudFormation's
// custom-resource request.
type cloudFormation struct {
	RequestType           string
	StackID               string `json:"StackId"`
	LogicalResourceID     string `json:"LogicalResourceId"`
	PhysicalResourceID    string `json:"PhysicalResourceId"`
	ResourceProperties    map[string]any
	OldResourceProperties map[string]any
}

// Limits in bytes of JSON, escapes included: a control character is six of them.
// CloudFormation takes 4,096 for a response in all, of which the framework adds
// ids, and to a reason its own stack trace.
const (
	maxAnswer = 3000
	maxReason = 2000
)

// answer is what the framework takes.
type answer struct {
	PhysicalResourceID string `json:"PhysicalResourceId"`
	Data               data   `json:"Data"`
}

// data are the attributes of the custom resource. All are always there: an
// attribute that an output reads and an answer lacks fails the deployment.
type data struct {
	SchemaVersion string // after the run; "unchanged" when the database was not looked at
	Applied       string // number of scripts applied
	Pending       string // number of scripts still pending
	Release       string
	Message       string
}

func (h Handler) cloudFormation(ctx context.Context, payload []byte) ([]byte, error) {
	var e cloudFormation
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber() // an order that came as a number stays whole
	if err := decoder.Decode(&e); err != nil {
		return nil, h.refuse(ctx, report.Failf(report.BadRequest, "the event: %w", err))
	}
	if e.StackID == "" || e.LogicalResourceID == "" {
		return nil, h.refuse(ctx, report.Failf(report.BadRequest, "the event has no StackId or no LogicalResourceId"))
	}
	switch e.RequestType {
	case "Create", "Update":
	case "Delete":
		return e.reply(e.untouched("removed from the stack; the database stays as it is"))
	case "":
		return nil, h.refuse(ctx, report.Failf(report.BadRequest, "the event has no RequestType"))
	default:
		return nil, h.refuse(ctx, report.Failf(report.BadRequest, "the event has an unknown RequestType %q",
			e.RequestType))
	}
	older, note := e.rollback(h.now())
	if older {
		h.Log.Info("an older release than before: a rollback of the stack; nothing is run")
		return e.reply(e.untouched("rolled back to an older release: the database stays as it is"))
	}
	if f := h.otherDatabase(e); f != nil {
		return nil, h.refuse(ctx, f)
	}
	rep, err := h.run(ctx, migrator.Request{Command: "migrate", WaitForLock: true}, note...)
	if err != nil {
		return nil, failure(rep.Code, h.reason(ctx, rep))
	}
	d := data{
		SchemaVersion: rep.SchemaVersionAfter, Release: rep.Release,
		Applied: strconv.Itoa(len(rep.Applied)), Pending: strconv.Itoa(len(rep.Pending)),
		Message: fmt.Sprintf("%d applied in %d ms", len(rep.Applied), rep.DurationMs),
	}
	if d.SchemaVersion == "" {
		d.SchemaVersion = "none"
	}
	for _, s := range rep.Applied {
		d.Message += ", " + s.Script
	}
	for _, w := range rep.Warnings {
		d.Message += "; " + w
	}
	d.Message = untrusted.Line(d.Message)
	return e.reply(d)
}

// slack is how far the clock of who made a release may be ahead of this one.
const slack = 5 * time.Minute

// rollback tells a stack rollback (or a deliberate way back) by the order of
// the releases: CloudFormation then sends the former properties as new ones.
// An order is a time, so one of the future proves nothing: with it, every later
// release would count as older. note says so, for the report.
func (e cloudFormation) rollback(now time.Time) (older bool, note []string) {
	if e.RequestType != "Update" {
		return false, nil
	}
	order := func(properties map[string]any) (int64, bool) {
		n, err := strconv.ParseInt(fmt.Sprint(properties["Order"]), 10, 64)
		return n, err == nil
	}
	this, ok1 := order(e.ResourceProperties)
	former, ok2 := order(e.OldResourceProperties)
	if !ok1 || !ok2 || this >= former {
		return false, nil
	}
	if former > now.Add(slack).Unix() {
		return false, []string{fmt.Sprintf("the order of the former release lies in the future (%d, and it is %d "+
			"now), so it does not prove a rollback: this release was taken for a new one", former, now.Unix())}
	}
	return true, nil
}

func (e cloudFormation) untouched(message string) data {
	release, _ := e.ResourceProperties["Release"].(string)
	return data{SchemaVersion: "unchanged", Applied: "0", Pending: "0", Release: report.Cut(release, 100),
		Message: message}
}

// id is the resource's identity: made once from where it stands, and echoed
// ever after. Another id in an Update would have CloudFormation delete the old one.
func (e cloudFormation) id() string {
	if e.PhysicalResourceID != "" {
		return e.PhysicalResourceID
	}
	sum := sha256.Sum256([]byte(e.StackID + "/" + e.LogicalResourceID))
	return fmt.Sprintf("slipway-%x", sum[:12])
}

// otherDatabase refuses a deployment that is for another database than the
// function is set to: CloudFormation reads what another stack put out only for
// resources whose own text in the template has changed.
func (h Handler) otherDatabase(e cloudFormation) *report.Failure {
	wanted, _ := e.ResourceProperties["Database"].(string)
	if wanted == "" || h.Database == "" || wanted == h.Database {
		return nil
	}
	return report.Failf(report.BadRequest, "the deployment is for the database %s, and the function is set to %s; "+
		"nothing was run", report.Cut(wanted, 500), report.Cut(h.Database, 500)).
		Next("Deploy again with a -c rerun=TEXT that was not used before, so that the function learns of the database.")
}

// reason is a failed run in one line, and where its log is. The framework names
// a log group too, by a rule that does not hold for a function with one of its own.
func (h Handler) reason(ctx context.Context, rep *report.Report) string {
	log := ""
	if c, ok := lambdacontext.FromContext(ctx); ok && h.LogGroup != "" {
		log = fmt.Sprintf(" Log: %s, request %s.", h.LogGroup, c.AwsRequestID)
	}
	for limit := maxReason - len(log); ; limit = limit * 7 / 8 {
		text := rep.Summary(limit) + log
		if jsonSize(text) <= maxReason || limit < 100 {
			return text
		}
	}
}

// jsonSize is the size of a text as JSON, without the quotation marks around it.
func jsonSize(text string) int {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text)
	return b.Len() - len(`""`) - len("\n")
}

// reply shortens the message until the answer fits.
func (e cloudFormation) reply(d data) ([]byte, error) {
	for {
		body, err := json.Marshal(answer{e.id(), d})
		if err != nil || len(body) <= maxAnswer || d.Message == "" {
			return body, err
		}
		d.Message = report.Cut(d.Message, len(d.Message)*3/4)
	}
}
