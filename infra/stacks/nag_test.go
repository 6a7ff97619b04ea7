package stacks_test

//lint:file-ignore SA1019 the type that is to replace this one does not exist in Go yet

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
)

// acknowledged are the findings of cdk-nag's AwsSolutions that stay, each with
// its reason. path is a pattern of the construct's.
var acknowledged = []struct{ rule, path, reason string }{
	{"AwsSolutions-IAM5[Resource::*]", "^/slipway-[a-z]+/(Inspector/)?Role/DefaultPolicy/Resource$",
		"Lambda makes network interfaces on demand, so that they can't be named; the function's own code is denied " +
			"all of it. X-Ray knows no resources."},
	{"AwsSolutions-IAM5[Resource::<Function76856677.Arn>:*]", "^/slipway-[a-z]+/Framework/Role/DefaultPolicy/Resource$",
		"The CDK lets its framework call every version and alias of the one function, which has neither."},
	{"AwsSolutions-SMG4", "^/slipway-dev-database/Secret/Resource$",
		"A generated password is what the configuration asked for; the default is RDS's own, which is rotated."},
	{"AwsSolutions-RDS10", "^/slipway-dev-database/Cluster/Resource$",
		"The configuration calls this environment throwaway."},
}

// nag adds the checks of AwsSolutions to all in scope.
func nag(scope constructs.Construct) {
	awscdk.Aspects_Of(scope).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{}), nil)
}

var finding = regexp.MustCompile(`^(AwsSolutions-\w+)(\[[^\]]*\])?`)

// A finding is on the construct, whether or not it fails a synthesis, so they are
// counted there. So are the CDK's own warnings: there are none.
func TestNag(t *testing.T) {
	used := make([]bool, len(acknowledged))
	found := 0
	for _, stack := range *all().assembly.Stacks() {
		for _, message := range *stack.Messages() {
			text := fmt.Sprint(message.Entry.Data)
			found++
			known := false
			for i, a := range acknowledged {
				if finding.FindString(text) == a.rule && regexp.MustCompile(a.path).MatchString(*message.Id) {
					known, used[i] = true, true
				}
			}
			if !known {
				t.Errorf("%s: %s", *message.Id, text)
			}
		}
	}
	for i, a := range acknowledged {
		if !used[i] {
			t.Errorf("nothing is found any more that this acknowledges: %s at %s", a.rule, a.path)
		}
	}
	if found == 0 {
		t.Error("no finding at all: were the checks run?")
	}
}
