package doctor

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// functions looks at both functions, and at where they think the database is.
func (x *exam) functions(ctx context.Context) {
	x.function(ctx, partFunction, x.migration.outputs["FunctionName"])
	name := x.migration.outputs["InspectorName"]
	if name == "" {
		x.add(partInspector, Warning, "the stack has none yet, which comes with its next deployment",
			"infra/cdk deploy "+x.migration.name)
		return
	}
	x.function(ctx, partInspector, name)
}

func (x *exam) function(ctx context.Context, part, name string) {
	found, err := lambda.NewFromConfig(x.aws).GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &name})
	if codeOf(err) == "ResourceNotFoundException" {
		x.add(part, Wrong, name+" is gone, and the stack believes that it is there", x.anew())
		return
	}
	if err == nil && found.Configuration == nil {
		err = errors.New("the answer holds no configuration")
	}
	if err != nil {
		x.unread(part, "lambda:GetFunction", err)
		return
	}
	c := found.Configuration
	state, text, next := functionState(c)
	x.add(part, state, name+": "+text, next)
	if c.Environment != nil {
		x.addressOf(part, c.Environment.Variables)
	}
}

func functionState(c *types.FunctionConfiguration) (state State, found, next string) {
	const mend = "Mend what the reason names; the next deployment that changes the function puts it right."
	switch c.State {
	case types.StateFailed:
		return Wrong, "Failed: " + aws.ToString(c.StateReason), mend
	case types.StateInactive:
		return Warning, "Inactive: it was idle for long",
			"Nothing: the next call has Lambda bring it back, which takes up to minutes."
	case types.StatePending:
		return Warning, "Pending: " + aws.ToString(c.StateReason), "Lambda makes it ready: ask again in some minutes."
	}
	if c.LastUpdateStatus == types.LastUpdateStatusFailed {
		return Wrong, "its latest update failed: " + aws.ToString(c.LastUpdateStatusReason), mend
	}
	return OK, string(c.State), ""
}

// addressOf compares where a function thinks the database is with where the
// database's stack says that it is: CloudFormation reads that stack's outputs
// when the function's own text changes, and not when they do.
func (x *exam) addressOf(part string, variables map[string]string) {
	if part == partFunction {
		x.secretARN = variables["MASTER_SECRET_ARN"]
	}
	if x.database == nil {
		return
	}
	title := partAddress
	if part == partInspector {
		title += " (inspector)"
	}
	at := x.database.outputs
	for _, pair := range []struct{ what, has, is string }{
		{"host", variables["PGHOST"], at["Host"]},
		{"secret", variables["MASTER_SECRET_ARN"], at["SecretArn"]},
	} {
		if pair.is == "" || pair.has == pair.is {
			continue
		}
		x.add(title, Wrong, fmt.Sprintf("the %s has the %s %s, and %s says %s", part, pair.what, pair.has,
			x.database.name, pair.is),
			fmt.Sprintf("infra/cdk deploy %s -c rerun=\"the database has moved\" (another text than the last time)",
				x.migration.name))
		return
	}
	if at["Host"] == "" {
		x.add(title, Unchecked, x.database.name+" has no Host in its outputs", "")
		return
	}
	x.add(title, OK, fmt.Sprintf("%s, as %s says", at["Host"], x.database.name), "")
}
