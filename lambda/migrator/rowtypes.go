package migrator

import "slipway/lambda/script"

// The types that Flyway records for V and R scripts, and for B scripts.
const (
	typeSQL        = "SQL"
	baselineScript = "SQL_BASELINE"
)

// typeOf is the type that Flyway records for a script.
func typeOf(f script.File) string {
	if f.Kind == script.Baseline {
		return baselineScript
	}
	return typeSQL
}

// isBaseline reports whether a row of that type stands for all scripts up to its version.
func isBaseline(kind string) bool {
	return kind == "BASELINE" || kind == baselineScript || kind == "JDBC_BASELINE"
}
