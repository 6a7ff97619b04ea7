package environment

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"slipway/lambda/settings"
)

// truth is what a setting of the kind [settings.Boolean] takes here.
const truth = `^(true|false)$`

// flywaySetting returns what is wrong with a setting of Flyway, "" if nothing
// is. A setting that is not there would weaken TLS, or move the history away
// from where the function looks for it.
func flywaySetting(name, value string) string {
	for _, s := range settings.ForFlyway() {
		if s.FlywayKey() != name {
			continue
		}
		form := cmp.Or(s.Form, truth)
		if !regexp.MustCompile(form).MatchString(value) {
			return fmt.Sprintf("%q is not %s", value, cmp.Or(s.Says, `"true" or "false"`))
		}
		return ""
	}
	return fmt.Sprintf("no such setting here%s", didYouMean(name, flywayNames()))
}

// flywayNames are the settings by the names of Flyway's documentation.
func flywayNames() []string {
	var names []string
	for _, s := range settings.ForFlyway() {
		names = append(names, s.FlywayKey())
	}
	slices.Sort(names)
	return names
}

// variables names the settings as the function reads them.
func variables(values map[string]string) map[string]string {
	out := map[string]string{}
	for _, s := range settings.ForFlyway() {
		if value, given := values[s.FlywayKey()]; given {
			out[s.Name] = value
		}
	}
	return out
}
