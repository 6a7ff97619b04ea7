package doctor

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"slipway/lambda/workbench/deployed"
)

// credentials finds out who asks, and reports whether the rest can be looked at:
// in another account there is another environment of the same name, or none.
func (x *exam) credentials(ctx context.Context) bool {
	const part = "credentials"
	e := x.Environment
	config, err := deployed.Config(ctx, e)
	if err != nil {
		x.add(part, Wrong, err.Error(),
			"Set AWS_PROFILE, and where cdk.json names no region AWS_REGION. Nothing else was looked at.")
		return false
	}
	x.aws = config
	who, err := sts.NewFromConfig(config).GetCallerIdentity(ctx, nil)
	if err != nil {
		next := "Set AWS_PROFILE, or sign in (aws sso login). AWS has to be reachable from here. Nothing else was " +
			"looked at."
		x.add(part, Wrong, fmt.Sprintf("AWS does not say whose they are: %v", err), next)
		return false
	}
	account, arn := aws.ToString(who.Account), aws.ToString(who.Arn)
	if e.Account != "" && account != e.Account {
		x.add(part, Wrong, fmt.Sprintf("%s is of account %s, and cdk.json says %s for %s", arn, account, e.Account,
			e.Name),
			"Set AWS_PROFILE to one of account "+e.Account+", or correct cdk.json. Nothing else was looked at.")
		return false
	}
	x.account = account
	found := fmt.Sprintf("%s, account %s, %s", arn, account, config.Region)
	if e.Account == "" {
		found += "; cdk.json names no account"
	}
	x.add(part, OK, found, "")
	return true
}

// oldestBootstrap is the version that the templates ask for, in their rule
// CheckBootstrapVersion.
const oldestBootstrap = 6

// bootstrap looks at what the CDK deploys with.
func (x *exam) bootstrap(ctx context.Context) {
	const part = "bootstrap"
	name := x.Toolkit
	if name == "" {
		name = "CDKToolkit"
	}
	again := fmt.Sprintf("infra/cdk bootstrap aws://%s/%s", x.account, x.aws.Region)
	s, err := x.stack(ctx, name)
	switch {
	case errors.Is(err, errNoStack):
		x.add(part, Wrong, "there is no stack "+name,
			again+"; where it has another name, say so in cdk.json: \"toolkitStackName\".")
	case err != nil:
		x.unread(part, "cloudformation:DescribeStacks", err)
	default:
		version, err := strconv.Atoi(s.outputs["BootstrapVersion"])
		switch {
		case err != nil:
			x.add(part, Warning, fmt.Sprintf("the stack %s has no BootstrapVersion in its outputs", name), again)
		case version < oldestBootstrap:
			x.add(part, Wrong, fmt.Sprintf("%s is of version %d; the stacks need %d", name, version, oldestBootstrap),
				again)
		default:
			x.add(part, OK, fmt.Sprintf("%s, version %d", name, version), "")
		}
	}
}
