package pipeline_test

import (
	"flag"
	"testing"

	"slipway/infra/golden"
)

var update = flag.Bool("update", false, "write the golden templates anew")

// The whole of the pipeline, and the CDK's stack for the artifacts in the other
// region: what changes in them is looked at.
func TestGolden(t *testing.T) {
	for file, stack := range map[string]string{
		"pipeline": "slipway-pipeline",
		"region":   "slipway-pipeline-support-us-east-1",
	} {
		t.Run(file, func(t *testing.T) { golden.Compare(t, file, template(t, codeCommit(), stack), *update) })
	}
}
