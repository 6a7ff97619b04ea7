package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

// errNoStack says that there is no stack of that name.
var errNoStack = errors.New("no such stack")

// stack is what is known of a stack.
type stack struct {
	name, status, reason string
	protected            bool
	outputs              map[string]string
}

func (r *reader) stack(ctx context.Context, name string) (*stack, error) {
	found, err := cloudformation.NewFromConfig(r.aws).DescribeStacks(ctx,
		&cloudformation.DescribeStacksInput{StackName: &name})
	if codeOf(err) == "ValidationError" {
		return nil, errNoStack
	}
	if err != nil {
		return nil, err
	}
	if len(found.Stacks) == 0 {
		return nil, errNoStack
	}
	one := found.Stacks[0]
	s := &stack{
		name:      name,
		status:    string(one.StackStatus),
		reason:    aws.ToString(one.StackStatusReason),
		protected: aws.ToBool(one.EnableTerminationProtection),
		outputs:   map[string]string{},
	}
	for _, output := range one.Outputs {
		s.outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	return s, nil
}

// resources are the names that the resources of a type have in AWS, of one stack.
func (r *reader) resources(ctx context.Context, stack, kind string) ([]string, error) {
	found, err := cloudformation.NewFromConfig(r.aws).DescribeStackResources(ctx,
		&cloudformation.DescribeStackResourcesInput{StackName: &stack})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, one := range found.StackResources {
		if aws.ToString(one.ResourceType) == kind && one.ResourceStatus != "DELETE_COMPLETE" {
			ids = append(ids, aws.ToString(one.PhysicalResourceId))
		}
	}
	return ids, nil
}

// working reports whether a stack has resources to look at.
func (s *stack) working() bool { return s != nil && s.outputs["FunctionName"] != "" }

// stacks looks at the environment's own.
func (x *exam) stacks(ctx context.Context) {
	name := x.Environment.Stack()
	if !x.Environment.Exists {
		x.database = x.state(ctx, name+"-database")
		x.protection()
	}
	x.migration = x.state(ctx, name)
	if x.migration != nil && !x.migration.working() && settled(x.migration.status) {
		x.add("stack "+name, Wrong, "it has no FunctionName in its outputs: it is not one of Slipway's",
			"Find out who deployed it; infra/cdk diff "+name+" shows the difference.")
	}
}

// state adds the row of a stack and returns it, nil where it is not there or
// could not be read.
func (x *exam) state(ctx context.Context, name string) *stack {
	part := "stack " + name
	s, err := x.stack(ctx, name)
	switch {
	case errors.Is(err, errNoStack):
		x.add(part, Wrong, "it is not there", "infra/cdk deploy "+name)
		return nil
	case err != nil:
		x.unread(part, "cloudformation:DescribeStacks", err)
		return nil
	}
	state, next := s.judge(x.region())
	found := s.status
	if s.reason != "" && state != OK {
		found += ": " + s.reason
	}
	x.add(part, state, found, next)
	return s
}

// settled reports whether a stack in that state is as its template says.
func settled(status string) bool {
	return strings.HasSuffix(status, "_COMPLETE") && !strings.Contains(status, "ROLLBACK") &&
		status != "DELETE_COMPLETE"
}

// judge says what its state means; region is how commands name the stack's.
func (s *stack) judge(region string) (State, string) {
	command := func(verb string) string {
		return "aws cloudformation " + verb + " --stack-name " + s.name + region
	}
	why := command("describe-stack-events") + " says why"
	switch s.status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE":
		return OK, ""
	case "UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE":
		return Warning, "The latest deployment failed, and the former one is back: " + why + "."
	case "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED":
		next := why + ". Then delete it, and deploy again: "
		if s.protected {
			next += command("update-termination-protection --no-enable-termination-protection") + " and "
		}
		return Wrong, next + command("delete-stack")
	case "REVIEW_IN_PROGRESS":
		return Wrong, "A change set was made, and never executed. infra/cdk deploy " + s.name
	case "UPDATE_ROLLBACK_FAILED":
		return Wrong, why + ". Mend that, then " + command("continue-update-rollback")
	case "UPDATE_FAILED":
		return Wrong, why + ". Mend that, then infra/cdk deploy " + s.name
	}
	if strings.HasSuffix(s.status, "_IN_PROGRESS") {
		return Warning, "CloudFormation is at work on it: ask again later. " +
			command("describe-stack-events") + " shows its progress."
	}
	return Warning, why + "."
}

// protection looks whether the database's stack can be deleted in one step.
func (x *exam) protection() {
	s := x.database
	if s == nil {
		return
	}
	const part = "termination protection"
	switch {
	case s.protected:
		x.add(part, OK, "on for "+s.name, "")
	case x.Environment.Throwaway:
		x.add(part, OK, "off for "+s.name+", which is throwaway in cdk.json", "")
	default:
		x.add(part, Wrong, "off for "+s.name+": one command deletes the stack", fmt.Sprintf(
			"aws cloudformation update-termination-protection --enable-termination-protection --stack-name %s%s",
			s.name, x.region()))
	}
}

// anew is the next step where something is gone that a stack believes it has.
// CloudFormation does not notice that, whatever is deployed.
func (x *exam) anew() string {
	name := x.Environment.Stack()
	return fmt.Sprintf("CloudFormation does not notice that. Make the stack anew, which leaves the database alone: "+
		"aws cloudformation delete-stack --stack-name %s%s, then infra/cdk deploy %s", name, x.region(), name)
}
