package migrator

import (
	"slipway/lambda/history"
	"slipway/lambda/script"
)

// typeOf is the type that Flyway records for a script.
func typeOf(f script.File) string {
	if f.Kind == script.Baseline {
		return history.BaselineScript
	}
	return history.SQL
}
