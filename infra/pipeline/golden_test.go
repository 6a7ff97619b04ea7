package pipeline_test

import (
	"flag"
	"testing"

	"slipway/infra/golden"
)

var update = flag.Bool("update", false, "write the golden templates anew")

// The whole of the pipeline, with both kinds of source, and the CDK's stack for the artifacts in the other
// region: what changes in them is looked at.
func TestGolden(t *testing.T) {
	for file, made := range map[string]map[string]any{
		"pipeline":   template(t, codeCommit(), "slipway-pipeline"),
		"region":     template(t, codeCommit(), "slipway-pipeline-support-us-east-1"),
		"connection": template(t, connection(), "slipway-pipeline"),
	} {
		t.Run(file, func(t *testing.T) { golden.Compare(t, file, made, *update) })
	}
}
