package deployed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// ErrNotDeployed says that the environment has no stack, or none with a function.
var ErrNotDeployed = errors.New("not deployed")

// ErrFirstFailed says that the environment's first deployment failed. CloudFormation
// leaves a stack then that can only be deleted, which the CDK's command line does
// before it deploys and a pipeline does not.
var ErrFirstFailed = fmt.Errorf("%w: its first deployment failed", ErrNotDeployed)

// ErrNoReader says that the environment is deployed, and has no role yet in
// which another account may ask its inspector.
var ErrNoReader = errors.New("the inspector can't be asked from here yet")

// ErrNoInspector says that the environment is deployed by a release without the
// function that only reads. What it would tell is not known then: to ask the
// other function instead would need the right to change the database.
var ErrNoInspector = errors.New("the environment has no function that only reads yet")

// Client is for one environment.
type Client struct {
	environment Environment
	base        aws.Config // the profile's own rights
	lookup      aws.Config // to see the stack
	function    string     // changes the database
	inspector   string     // only reads; "" in a stack from before there was one
	reader      string     // role in which the inspector is asked; "" for the profile's own

	// Progress hears, as a sentence, that a call waits; nil for nobody.
	Progress func(string)
	// Wait is how long a function that Lambda has to bring back is waited for.
	Wait time.Duration
}

// Connect finds the environment's function. lookupRole is the role in which the
// stack is looked at, and then the stack names the one in which its inspector is
// asked; "" for both is the profile. An [ErrNotDeployed] says that there is no
// function yet, an [ErrNoReader] that the stack names no such role; whatever
// else is an error, wrong credentials for instance.
func Connect(ctx context.Context, e Environment, lookupRole string) (*Client, error) {
	base, lookup, err := configs(ctx, e, lookupRole)
	if err != nil {
		return nil, err
	}
	c := &Client{environment: e, base: base, lookup: lookup, Wait: 5 * time.Minute}
	if err := c.find(ctx, lookupRole != ""); err != nil {
		return nil, err
	}
	return c, nil
}

// Config is the profile's configuration in the environment's region. Where
// neither has a region, it is an error.
func Config(ctx context.Context, e Environment) (aws.Config, error) {
	base, _, err := configs(ctx, e, "")
	return base, err
}

// configs are the profile's own and the one to see stacks with.
func configs(ctx context.Context, e Environment, lookupRole string) (base, lookup aws.Config, err error) {
	var options []func(*awsconfig.LoadOptions) error
	if e.Region != "" {
		options = append(options, awsconfig.WithRegion(e.Region))
	}
	if base, err = awsconfig.LoadDefaultConfig(ctx, options...); err != nil {
		return base, base, fmt.Errorf("the AWS profile: %w", err)
	}
	if base.Region == "" {
		return base, base, fmt.Errorf("neither cdk.json nor the AWS profile has a region for %s: set AWS_REGION",
			e.Name)
	}
	if lookupRole == "" {
		return base, base, nil
	}
	return base, Assume(base, lookupRole, "slipway"), nil
}

// Assume is the configuration with another role's rights.
func Assume(base aws.Config, role, session string) aws.Config {
	other := base.Copy()
	other.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(base), role,
		func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = session }))
	return other
}

// find reads the stack's outputs.
func (c *Client) find(ctx context.Context, withRole bool) error {
	name := c.environment.Stack()
	answer, err := cloudformation.NewFromConfig(c.lookup).DescribeStacks(ctx,
		&cloudformation.DescribeStacksInput{StackName: &name})
	var failure smithy.APIError
	if errors.As(err, &failure) && failure.ErrorCode() == "ValidationError" {
		return fmt.Errorf("%w: there is no stack %s in %s%s", ErrNotDeployed, name, c.base.Region, c.otherAccount(ctx))
	}
	if err != nil {
		return fmt.Errorf("the stack %s can't be looked at: %w", name, err)
	}
	for _, stack := range answer.Stacks {
		if stack.StackStatus == types.StackStatusRollbackComplete {
			return fmt.Errorf("%w, and left the stack in ROLLBACK_COMPLETE. `infra/cdk deploy %s` replaces it; "+
				"before a pipeline deploys again, delete it: aws cloudformation delete-stack --stack-name %s "+
				"--region %s",
				ErrFirstFailed, name, name, c.base.Region)
		}
		for _, output := range stack.Outputs {
			switch aws.ToString(output.OutputKey) {
			case "FunctionName":
				c.function = aws.ToString(output.OutputValue)
			case "InspectorName":
				c.inspector = aws.ToString(output.OutputValue)
			case "ReaderArn":
				if withRole {
					c.reader = aws.ToString(output.OutputValue)
				}
			}
		}
	}
	if c.function == "" {
		return fmt.Errorf("%w: the stack %s names no function in its outputs; its first deployment may have failed",
			ErrNotDeployed, name)
	}
	if withRole && c.reader == "" {
		return fmt.Errorf("%w: the stack %s has no ReaderArn in its outputs, which comes with its next deployment",
			ErrNoReader, name)
	}
	return nil
}

// otherAccount is "" or the end of a sentence: these credentials may be of
// another account than cdk.json means.
func (c *Client) otherAccount(ctx context.Context) string {
	who, err := sts.NewFromConfig(c.lookup).GetCallerIdentity(ctx, nil)
	if err != nil || c.environment.Account == "" || aws.ToString(who.Account) == c.environment.Account {
		return ""
	}
	return fmt.Sprintf("; cdk.json says account %s, these credentials are of %s", c.environment.Account,
		aws.ToString(who.Account))
}

func (c *Client) lambda() *lambda.Client {
	config := c.base
	if c.reader != "" {
		config = Assume(c.base, c.reader, "slipway")
	}
	return lambda.NewFromConfig(config, func(o *lambda.Options) {
		// A run may take as long as Lambda allows, and must not be sent twice.
		o.RetryMaxAttempts = 1
	})
}
