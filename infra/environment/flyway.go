package environment

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// flywaySettings: as Flyway's documentation names them → the variable of the
// function and the form of its value. What is not here would weaken TLS, or move
// the history away from where the function looks for it.
var flywaySettings = map[string]struct {
	variable string
	form     *regexp.Regexp
	says     string
}{
	"createSchemas":          {"FLYWAY_CREATE_SCHEMAS", truth, `"true" or "false"`},
	"defaultSchema":          {"FLYWAY_DEFAULT_SCHEMA", schema, "a schema's name"},
	"encoding":               {"FLYWAY_ENCODING", regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`), "an encoding such as UTF-8"},
	"installedBy":            {"FLYWAY_INSTALLED_BY", regexp.MustCompile(`^[^\x00-\x1f]{1,100}$`), "a name of at most 100 characters"},
	"outOfOrder":             {"FLYWAY_OUT_OF_ORDER", truth, `"true" or "false"`},
	"placeholderPrefix":      {"FLYWAY_PLACEHOLDER_PREFIX", sign, "one to ten characters without blanks"},
	"placeholderReplacement": {"FLYWAY_PLACEHOLDER_REPLACEMENT", truth, `"true" or "false"`},
	"placeholderSuffix":      {"FLYWAY_PLACEHOLDER_SUFFIX", sign, "one to ten characters without blanks"},
	"schemas":                {"FLYWAY_SCHEMAS", regexp.MustCompile(`^[^\s,"']+(,[^\s,"']+)*$`), "schemas' names with commas between them"},
	"table":                  {"FLYWAY_TABLE", tableName, "a table's name of at most 61 characters"},
}

var (
	truth  = regexp.MustCompile(`^(true|false)$`)
	schema = regexp.MustCompile(`^[^\s,"']{1,63}$`)
	// Flyway makes two names of it, which have to differ once PostgreSQL has cut them.
	tableName = regexp.MustCompile(`^[^\s,"']{1,61}$`)
	sign      = regexp.MustCompile(`^\S{1,10}$`)
)

func flywaySetting(name, value string) string {
	s, ok := flywaySettings[name]
	switch {
	case !ok:
		return fmt.Sprintf("no such setting here%s", didYouMean(name, flywayNames()))
	case !s.form.MatchString(value):
		return fmt.Sprintf("%q is not %s", value, s.says)
	}
	return ""
}

func flywayNames() []string { return slices.Sorted(maps.Keys(flywaySettings)) }

// variables names the settings as the function reads them.
func variables(settings map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range settings {
		out[flywaySettings[name].variable] = value
	}
	return out
}
