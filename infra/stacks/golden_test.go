package stacks_test

import (
	"flag"
	"testing"

	"slipway/infra/golden"
)

var update = flag.Bool("update", false, "write the golden templates anew")

// One template of each kind of stack, whole: what changes in it is looked at.
func TestGolden(t *testing.T) {
	for file, stack := range map[string]string{
		"database":           "slipway-prod-database",
		"database-dev":       "slipway-dev-database",
		"migration":          "slipway-prod",
		"migration-existing": "slipway-old",
	} {
		t.Run(file, func(t *testing.T) { golden.Compare(t, file, template(t, stack), *update) })
	}
}
