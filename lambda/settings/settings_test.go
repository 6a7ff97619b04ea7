package settings_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"slipway/lambda/settings"
)

var update = flag.Bool("update", false, "write the table of settings to lambda/README.md")

func TestReadmeHasTheTable(t *testing.T) {
	readme := filepath.Join("..", "README.md")
	raw, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- settings -->\n", "<!-- /settings -->"
	head, rest, _ := strings.Cut(string(raw), begin)
	old, tail, found := strings.Cut(rest, end)
	if !found {
		t.Fatalf("%s has no place for the table between %s and %s", readme, begin, end)
	}
	switch {
	case old == settings.Markdown():
	case *update:
		if err := os.WriteFile(readme, []byte(head+begin+settings.Markdown()+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is behind table.go: go test ./lambda/settings -update", readme)
	}
}

// A default, where there is one, is a value that would be taken.
func TestDefaultsAreValid(t *testing.T) {
	for _, s := range settings.All {
		if err := settings.Read(map[string]string{s.Name: s.Default}).Err(); err != nil {
			t.Error(err)
		}
		if s.Kind == settings.Boolean && s.Default == "" {
			t.Errorf("%s has no default", s.Name)
		}
		if s.Flyway && s.Kind != settings.Boolean && (s.Says == "" || regexp.MustCompile(s.Form).MatchString("")) {
			t.Errorf("%s: a configuration could hold anything for it", s.Name)
		}
	}
}

func TestKeysAreFlyways(t *testing.T) {
	var keys []string
	for _, s := range settings.ForFlyway() {
		keys = append(keys, s.FlywayKey())
	}
	const want = "table defaultSchema schemas createSchemas encoding outOfOrder placeholderReplacement " +
		"placeholderPrefix placeholderSuffix installedBy"
	if got := strings.Join(keys, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A wrong value does not count, and neither do those that are given in vain.
func TestValues(t *testing.T) {
	v := settings.Read(map[string]string{
		"SLIPWAY_LOCK_WAIT": "soon", "FLYWAY_OUT_OF_ORDER": "T", "FLYWAY_SCHEMAS": " a , b", "FLYWAY_ENCODING": "utf-8",
		"FLYWAY_PLACEHOLDERS_A": "1", "FLYWAY_CREATE_SCHEMAS": "",
	})
	if got := v.Duration("SLIPWAY_LOCK_WAIT").String(); got != "1m0s" {
		t.Errorf("lock wait: %s", got)
	}
	if v.Encoding() != "" || v.HistorySchema() != "a" {
		t.Errorf("encoding %q, schema %q", v.Encoding(), v.HistorySchema())
	}
	f := v.Flyway()
	if _, given := f.Environment["FLYWAY_CREATE_SCHEMAS"]; given || f.Environment["FLYWAY_OUT_OF_ORDER"] != "true" ||
		f.Placeholders["a"] != "1" {
		t.Errorf("%+v", f)
	}
	const want = `the settings are not usable: SLIPWAY_LOCK_WAIT: "soon" is not a valid duration; write it like 90s or 5m`
	if err := v.Err(); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a setting was read as another kind than its own")
		}
	}()
	v.Text("SLIPWAY_LOCK_WAIT")
}
