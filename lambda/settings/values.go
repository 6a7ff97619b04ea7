package settings

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Values are the settings of one environment.
type Values struct {
	env      map[string]string
	problems []string
}

// Read checks each setting of the environment. What is wrong with one is a
// problem, and its value is the default.
func Read(env map[string]string) *Values {
	v := &Values{env: maps.Clone(env)}
	for _, s := range All {
		value := env[s.Name]
		if value == "" {
			continue
		}
		if problem := s.problem(value); problem != "" {
			v.Fail(s.Name, "%s", problem)
			delete(v.env, s.Name)
		}
	}
	return v
}

// RefuseUnknown makes a problem of each FLYWAY_* and SLIPWAY_* variable that is
// not a setting.
func (v *Values) RefuseUnknown() {
	for _, name := range slices.Sorted(maps.Keys(v.env)) {
		ours := strings.HasPrefix(name, "FLYWAY_") || strings.HasPrefix(name, "SLIPWAY_")
		if ours && !Known(name) {
			v.Fail(name, "is not allowed: %s", cmp.Or(alternatives[name], known()))
		}
	}
}

func known() string {
	var names []string
	for _, s := range ForFlyway() {
		names = append(names, s.Name)
	}
	return "it is none of " + strings.Join(names, ", ") + ", FLYWAY_URL, FLYWAY_LOCATIONS, " + PlaceholderPrefix +
		"*, nor one of Slipway's (slipway --help)"
}

// Fail adds a problem of a setting.
func (v *Values) Fail(name, format string, args ...any) {
	v.problems = append(v.problems, name+": "+fmt.Sprintf(format, args...))
}

// Err names everything that is wrong, nil if nothing is.
func (v *Values) Err() error {
	if len(v.problems) == 0 {
		return nil
	}
	return fmt.Errorf("the settings are not usable: %s", strings.Join(v.problems, "; "))
}

// text returns the value of a setting, or its default.
func (v *Values) text(name string, kind Kind) string {
	i := slices.IndexFunc(All, func(s Setting) bool { return s.Name == name && cmp.Or(s.Kind, Text) == kind })
	if i < 0 {
		panic(fmt.Sprintf("%s is not a setting of the kind %q", name, kind))
	}
	return cmp.Or(v.env[name], All[i].Default)
}

// Text returns the value of a setting, or its default.
func (v *Values) Text(name string) string { return v.text(name, Text) }

// Given returns the value of a setting in the environment, "" if it has none.
func (v *Values) Given(name string) string { return v.env[name] }

// Duration returns the value of a setting, or its default.
func (v *Values) Duration(name string) time.Duration {
	d, _ := time.ParseDuration(v.text(name, Duration))
	return d
}

// Boolean returns the value of a setting, or its default.
func (v *Values) Boolean(name string) bool {
	b, _ := strconv.ParseBool(v.text(name, Boolean))
	return b
}

// Folders are the paths of the scripts' locations.
func (v *Values) Folders() []string {
	var folders []string
	for location := range strings.SplitSeq(v.Text("FLYWAY_LOCATIONS"), ",") {
		path, _ := folder(location)
		folders = append(folders, path)
	}
	return folders
}

// Encoding is the IANA name of the scripts' encoding, "" for UTF-8.
func (v *Values) Encoding() string {
	if encoding := v.Text("FLYWAY_ENCODING"); !strings.EqualFold(encoding, "UTF-8") {
		return encoding
	}
	return ""
}

// HistorySchema is the schema of the history, "" for that of the role's search path.
func (v *Values) HistorySchema() string {
	first, _, _ := strings.Cut(v.Text("FLYWAY_SCHEMAS"), ",")
	return cmp.Or(v.Text("FLYWAY_DEFAULT_SCHEMA"), strings.TrimSpace(first))
}

// Flyway are the settings that Flyway gets, and those of them that Slipway has to know.
type Flyway struct {
	Environment  map[string]string // FLYWAY_* variables as they are
	Placeholders map[string]string // by name in lower case
	Replace      bool              // placeholders are replaced
	Prefix       string            // "${" by default
	Suffix       string            // "}" by default
	OutOfOrder   bool
}

// Flyway returns the settings that Flyway gets.
func (v *Values) Flyway() Flyway {
	f := Flyway{
		Environment:  map[string]string{},
		Placeholders: map[string]string{},
		Replace:      v.Boolean("FLYWAY_PLACEHOLDER_REPLACEMENT"),
		Prefix:       v.Text("FLYWAY_PLACEHOLDER_PREFIX"),
		Suffix:       v.Text("FLYWAY_PLACEHOLDER_SUFFIX"),
		OutOfOrder:   v.Boolean("FLYWAY_OUT_OF_ORDER"),
	}
	for _, s := range ForFlyway() {
		value, given := v.env[s.Name]
		switch {
		case !given:
		case s.Kind != Boolean:
			f.Environment[s.Name] = value
		case value != "":
			// Flyway takes 1 and T for false.
			f.Environment[s.Name] = strconv.FormatBool(v.Boolean(s.Name))
		}
	}
	for name, value := range v.env {
		if key, ok := strings.CutPrefix(name, PlaceholderPrefix); ok && key != "" {
			f.Placeholders[strings.ToLower(key)] = value
		}
	}
	return f
}
