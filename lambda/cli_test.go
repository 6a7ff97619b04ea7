package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
	"slipway/lambda/settings"
)

// call runs the program as a command, inside this process.
func call(t *testing.T, env map[string]string, args ...string) (code int, out, err string) {
	t.Helper()
	var o, e bytes.Buffer
	code = cli{env: env, out: &o, err: &e}.run(t.Context(), args)
	return code, o.String(), e.String()
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{nil, {"help"}, {"-h"}, {"--help"}, {"-help"}, {"migrate", "--help"}, {"info", "-h"},
		{"serve", "--help"}} {
		code, out, err := call(t, nil, args...)
		if code != 0 || err != "" || !strings.Contains(out, "Usage:") || !strings.Contains(out, "Examples:") {
			t.Errorf("%v: exit %d, %q, %q", args, code, out, err)
		}
	}
}

func TestHelpTellsEverything(t *testing.T) {
	_, out, _ := call(t, nil)
	for _, c := range migrator.Commands {
		if !strings.Contains(out, "slipway "+c) {
			t.Errorf("the command %s is not in the help", c)
		}
	}
	for _, c := range report.Codes() {
		if !strings.Contains(out, string(c)+" ") {
			t.Errorf("the code %s is not in the help", c)
		}
	}
	for _, s := range settings.All {
		if !strings.Contains(out, "  "+s.Name+" ") {
			t.Errorf("the variable %s is not in the help", s.Name)
		}
	}
	for _, line := range strings.Split(out, "\n") {
		if len(line) > 120 {
			t.Errorf("too wide for a terminal: %s", line)
		}
	}
}

func TestVersion(t *testing.T) {
	for _, arg := range []string{"version", "--version"} {
		if code, out, _ := call(t, nil, arg); code != 0 || !strings.HasPrefix(out, "slipway "+release+", ") ||
			!strings.Contains(out, "go1.") {
			t.Errorf("%s: %d, %q", arg, code, out)
		}
	}
}

// Projects that take over a newer Slipway read there what it changes.
func TestChangelogHasTheVersion(t *testing.T) {
	changelog, err := os.ReadFile("../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(changelog), "\n## ")
	if !strings.HasPrefix(after, release+"\n") {
		t.Errorf("the first version of CHANGELOG.md is not %s", release)
	}
}

func TestMisuse(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"migrat"}, `unknown command "migrat"`},
		{[]string{"clean"}, `unknown command "clean"`},
		{[]string{"undo"}, `unknown command "undo"`},
		{[]string{"--json"}, `unknown command "--json"`},
		{[]string{"migrate", "now"}, `unexpected argument "now"`},
		{[]string{"migrate", "--jsn"}, "jsn"},
		{[]string{"migrate", "--exit-code"}, "exit-code"},
		{[]string{"info", "--target", "1"}, "target"},
		{[]string{"migrate", "--timeout", "soon"}, "timeout"},
		{[]string{"revert", "--steps", "x"}, "steps"},
		{[]string{"serve", "--addr"}, "addr"},
		{[]string{"jars"}, "checksums"},
		{[]string{"serve", "--addr", ""}, "missing port"},
		{[]string{"serve", "--addr", "8080"}, "missing port"},
	} {
		code, out, err := call(t, nil, c.args...)
		if code != 2 || out != "" || !strings.Contains(err, c.want) || !strings.Contains(err, "slipway --help") {
			t.Errorf("%v: exit %d, %q, %q", c.args, code, out, err)
		}
	}
}

func TestBrokenSettingsAreAReport(t *testing.T) {
	env := usable(t, map[string]string{"FLYWAY_MIXED": "true"})
	code, out, _ := call(t, env, "migrate", "--json")
	var rep report.Report
	if err := json.Unmarshal([]byte(out), &rep); err != nil || code != 2 || rep.Code != report.BadRequest ||
		rep.Command != "migrate" || !strings.Contains(rep.Message, "FLYWAY_MIXED") {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
	if code, out, _ = call(t, env, "migrate"); code != 2 || !strings.Contains(out, "BAD_REQUEST") ||
		!strings.Contains(out, "FLYWAY_MIXED") {
		t.Errorf("exit %d: %s", code, out)
	}
}

func TestReleaseThatIsNoneIsExitTwo(t *testing.T) {
	empty := t.TempDir()
	env := usable(t, map[string]string{"FLYWAY_LOCATIONS": "filesystem:" + empty})
	code, out, _ := call(t, env, "info")
	if code != 2 || !strings.Contains(out, "BAD_RELEASE") || !strings.Contains(out, empty) {
		t.Errorf("exit %d: %s", code, out)
	}
}

func TestColor(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if colored(map[string]string{"TERM": "xterm"}, file) {
		t.Error("color in a file")
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a device, as a terminal is
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, c := range []struct {
		env  map[string]string
		want bool
	}{
		{map[string]string{"TERM": "xterm"}, true}, {map[string]string{"NO_COLOR": "1"}, false},
		{map[string]string{"NO_COLOR": "0"}, false},
		{map[string]string{"NO_COLOR": ""}, false}, {map[string]string{"TERM": "dumb"}, false},
	} {
		if got := colored(c.env, null); got != c.want {
			t.Errorf("%v: %t", slices.Collect(maps.Keys(c.env)), got)
		}
	}
}

func TestTimeLimitsOfACommand(t *testing.T) {
	for _, c := range []struct {
		env  string
		flag string
		want string
	}{{"", "0", "1m0s"}, {"90s", "0", "1m30s"}, {"90s", "2m", "2m0s"}, {"0", "0", "1m0s"}} {
		flag, byDefault := mustDuration(t, c.flag), mustDuration(t, "1m")
		if got := (cli{env: map[string]string{"SLIPWAY_TIMEOUT": c.env}}).timeout(flag,
			byDefault); got.String() != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func mustDuration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
