package plan

import (
	"slipway/lambda/history"
	"slipway/lambda/script"
)

// TypeOf is the type that Flyway records for a script.
func TypeOf(f script.File) string {
	if f.Kind == script.Baseline {
		return history.BaselineScript
	}
	return history.SQL
}
