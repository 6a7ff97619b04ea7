package stacks_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"

	"slipway/infra/stacks"
)

// Another rerun changes the text of each resource that holds an output of the
// database's stack, so that CloudFormation reads the output again; it replaces none.
func TestRerunReachesWhatHoldsAnOutput(t *testing.T) {
	other := func(rerun string) map[string]any {
		app := newApp()
		s := stacks.New(app, stacks.Props{Config: configs()["prod"], Release: release, Root: "testdata/project",
			Rerun: rerun})
		var assembly cxapi.CloudAssembly = app.Synth(nil)
		return plain(t, assembly.GetStackByName(s.Migration.StackName()).Template())["Resources"].(map[string]any)
	}
	without, first, second := other(""), other("one"), other("two")
	holders := 0
	for id, r := range first {
		if !strings.Contains(text(r), "Fn::GetStackOutput") {
			continue
		}
		holders++
		for name, resource := range map[string]any{"none": without[id], "two": second[id]} {
			if text(r) == text(resource) {
				t.Errorf("%s is the same with rerun one and %s", id, name)
			}
		}
	}
	if holders < 8 {
		t.Errorf("only %d resources hold an output", holders)
	}
}
