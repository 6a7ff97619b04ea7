package main

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// record stands in for each program that a recipe starts: it appends its
// arguments and the variables of interest to the file $RECORD, as JSON would be
// too much for a shell, with a NUL behind each.
const record = `#!/bin/bash
if [ "${0##*/}" = go ] && [ "$1" = build ]; then cp "$0" "$3"; exit; fi
printf '%s\0' "${0##*/}" "$@" "url=$SLIPWAY_DATABASE_URL" "copy=$SLIPWAY_COPY" "extra=$FLYWAY_TABLE" "old=$DATABASE_URL" end >>"$RECORD"
`

// makefile is a folder with the project's Makefile, whose recipes start
// programs that only write down how they were started.
type makefile struct{ folder string }

func newMakefile(t *testing.T) makefile {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	m := makefile{t.TempDir()}
	write(t, filepath.Join(m.folder, "Makefile"), string(text))
	for _, program := range []string{"bin/go", "bin/docker", "infra/cdk"} {
		write(t, filepath.Join(m.folder, program), record)
		if err := os.Chmod(filepath.Join(m.folder, program), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// run runs make and returns how the last program was started, nil if none was,
// and what make printed.
func (m makefile) run(t *testing.T, env []string, arguments ...string) (started []string, printed string, code int) {
	t.Helper()
	file := filepath.Join(m.folder, "record")
	_ = os.Remove(file)
	command := exec.Command("make", arguments...)
	command.Dir = m.folder
	command.Env = append([]string{"PATH=" + filepath.Join(m.folder, "bin") + ":/usr/bin:/bin", "RECORD=" + file},
		env...)
	out, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	raw, _ := os.ReadFile(file)
	if all := strings.Split(strings.TrimSuffix(string(raw), "\x00"), "\x00"); len(raw) > 0 {
		started = all[:len(all)-1]
	}
	return started, string(out), command.ProcessState.ExitCode()
}

// hostile are values that a shell or make could take for more than a text.
// Each would leave a file behind that is called ran.
var hostile = []string{
	"$(shell touch ran)", "`touch ran`", "$(touch ran)", "$$(touch ran)", `"; touch ran; "`, `'; touch ran; '`,
	"a\ntouch ran\n",
	"a # b", "--flag", "; touch ran", "| touch ran", "a b  c", "$HOME $(HOME) ${HOME}", "*", "~", `\`, "$", "é\u202e",
	"$(eval override GIVEN_SQL := x)", "$(error no)", "a=b", "$(info x)", "&& touch ran", "$(error no)", "a\ttab",
}

// arguments are the targets that take each setting, and how the program that
// they start gets the value V.
var arguments = map[string]struct{ target, want string }{
	"SQL":          {"run", "--sql=V"},
	"ENVIRONMENT":  {"info", "--environment=V"},
	"DATABASE_URL": {"repair", "url=V"},
	"COPY":         {"rehearse", "copy=V"},
	"AGAINST":      {"check", "--against=V"},
	"DATA":         {"review", "--data=V"},
	"NAME":         {"new", "V"},
	"TO":           {"revert", "--to=V"},
	"STEPS":        {"revert", "--steps=V"},
	"FROM":         {"revert", "--from=V"},
	"DRY_RUN":      {"revert", "--dry-run=V"},
	"ROWS":         {"repair", "--rows=V"},
	"ONLY":         {"faults", "Test/(V)"},
	"QUICK":        {"bench", "--quick=V"},
	"ROLES":        {"rehearse", "--roles=V"},
	"FIX":          {"check", "--fix=V"},
}

// Whatever a value holds, the program gets just that, and nothing else runs.
func TestMakePassesValuesAsTheyAre(t *testing.T) {
	m := newMakefile(t)
	for name, s := range arguments {
		for _, value := range hostile {
			started, printed, code := m.run(t, nil, s.target, name+"="+value)
			if want := strings.Replace(s.want, "V", value, 1); code != 0 || !slices.Contains(started, want) {
				t.Errorf("make %s %s=%q: exit code %d, %q lacks %q\n%s", s.target, name, value, code, started, want,
					printed)
			}
			if _, err := os.Stat(filepath.Join(m.folder, "ran")); err == nil {
				t.Fatalf("make %s %s=%q ran something", s.target, name, value)
			}
		}
	}
	for _, value := range hostile {
		if started, printed, _ := m.run(t, nil, "run", "FLYWAY_TABLE="+value); !slices.Contains(started, "extra="+
			value) {
			t.Errorf("FLYWAY_TABLE=%q: %q\n%s", value, started, printed)
		}
	}
	if _, err := os.Stat(filepath.Join(m.folder, "ran")); err == nil {
		t.Error("a variable that is no setting ran something")
	}
}

// What the environment has counts for nothing, with -e neither; nor do names
// that the Makefile uses itself.
func TestMakeObeysItsArgumentsAlone(t *testing.T) {
	m := newMakefile(t)
	env := []string{"SLIPWAY_DATABASE_URL=exported", "SLIPWAY_COPY=exported", "WORKBENCH=exported", "BRANCH=exported"}
	for _, name := range slices.Sorted(maps.Keys(arguments)) {
		env = append(env, name+"=exported", "GIVEN_"+name+"=exported")
	}
	for _, target := range []string{"run", "info", "validate", "repair", "revert", "new", "check", "rehearse", "review",
		"faults", "bench"} {
		for _, arguments := range [][]string{{target}, {"-e", target},
			{target, "GIVEN_SQL=typed", "GIVEN_DATABASE_URL=typed", "BRANCH=typed", "program=typed"}} {
			started, printed, code := m.run(t, env, arguments...)
			if code != 0 || len(started) == 0 {
				t.Errorf("make %q: exit code %d\n%s", arguments, code, printed)
			}
			if text := strings.Join(started, " "); strings.Contains(text, "exported") ||
				strings.Contains(text, "typed") {
				t.Errorf("make %q starts %q", arguments, started)
			}
		}
	}
	if started, _, _ := m.run(t, []string{"MAKEFLAGS=e", "DATABASE_URL=exported"},
		"run"); strings.Contains(strings.Join(started, " "), "exported") {
		t.Errorf("MAKEFLAGS=e: %q", started)
	}
}

// No argument of any process holds a URL.
func TestMakeKeepsURLsOutOfArguments(t *testing.T) {
	m := newMakefile(t)
	for target, name := range map[string]string{"run": "DATABASE_URL", "info": "DATABASE_URL", "revert": "DATABASE_URL",
		"rehearse": "COPY", "review": "COPY"} {
		started, _, _ := m.run(t, nil, target, name+"=postgres://u:s3cret@h/d")
		at := slices.IndexFunc(started, func(s string) bool { return strings.HasPrefix(s, "url=") })
		if at < 0 || strings.Contains(strings.Join(started[:at], " "), "s3cret") ||
			!strings.Contains(strings.Join(started[at:], " "), "s3cret") {
			t.Errorf("make %s: %q", target, started)
		}
		if slices.Contains(started, "old=postgres://u:s3cret@h/d") {
			t.Errorf("make %s passes %s on", target, name)
		}
		printed, _, _ := m.run(t, nil, "-n", target, name+"=postgres://u:s3cret@h/d")
		if strings.Contains(strings.Join(printed, " "), "s3cret") {
			t.Errorf("make -n %s prints it", target)
		}
	}
}

// A setting that a target does not take is refused before anything starts.
func TestMakeRefusesWhatATargetDoesNotTake(t *testing.T) {
	m := newMakefile(t)
	for arguments, want := range map[string]string{
		"run ENVIRONMENT=dev": "make run takes no ENVIRONMENT. A deployed environment is migrated by its " +
			"deployment",
		"rehearse DATABASE_URL=x": "make rehearse takes no DATABASE_URL. Name a restored copy, which is " +
			"changed, with COPY=postgres://",
		"review DATABASE_URL=x":          "COPY=postgres://",
		"run COPY=x":                     "make run takes no COPY. DATABASE_URL=postgres://",
		"check COPY=x":                   "make check takes no COPY",
		"info AGAINST=x":                 "make info takes no AGAINST",
		"stop SQL=x":                     "make stop takes no SQL",
		"run DATABASE_URL=":              "DATABASE_URL is empty: leave it out, or give it a value",
		"revert STEPS=1 ENVIRONMENT=":    "ENVIRONMENT is empty",
		"deploy-local DATABASE_URL=x":    "make deploy-local takes no DATABASE_URL",
		"image ENVIRONMENT=x":            "make image takes no ENVIRONMENT",
		"test SQL=x":                     "make test takes no SQL",
		"faults-table ONLY=x":            "make faults-table takes no ONLY",
		"test-deploy ONLY=x":             "make test-deploy takes no ONLY",
		"lint SQL=x":                     "make lint takes no SQL",
		"synth ENVIRONMENT=dev SQL=x":    "make synth takes no",
		"revert STEPS=1 AGAINST=x TO=12": "make revert takes no AGAINST",
	} {
		started, printed, code := m.run(t, nil, strings.Fields(arguments)...)
		if code != 2 || !strings.Contains(printed, want) || len(started) > 0 {
			t.Errorf("make %s: exit code %d, started %q\n%s", arguments, code, started, printed)
		}
	}
}

// What is typed for one make is not typed for the makes that it starts.
func TestMakeTypedForOneMake(t *testing.T) {
	m := newMakefile(t)
	text, err := os.ReadFile(filepath.Join(m.folder, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(m.folder, "Makefile"), "override takes-outer = ONLY DATABASE_URL\n"+string(text)+
		"\nouter:\n\t@$(MAKE) run\n")
	if started, printed, code := m.run(t, nil, "outer", "ONLY=1"); code != 0 || len(started) == 0 {
		t.Errorf("exit code %d\n%s", code, printed)
	}
	if started, printed, _ := m.run(t, nil, "outer", "DATABASE_URL=x"); slices.Contains(started, "url=x") {
		t.Errorf("%q\n%s", started, printed)
	}
}

func TestMakeWithoutGo(t *testing.T) {
	m := newMakefile(t)
	if err := os.Remove(filepath.Join(m.folder, "bin", "go")); err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("/usr/bin/go"); err == nil {
		t.Skip("go is in /usr/bin, which make needs")
	}
	for _, target := range []string{"run", "test", "faults"} {
		if _, printed, code := m.run(t, nil, target); code != 2 ||
			!strings.Contains(printed, "there is no go on PATH: install Go 1.26 or newer") {
			t.Errorf("make %s: exit code %d\n%s", target, code, printed)
		}
	}
}

// Every setting has a row in this test.
func TestMakeSettingsAreAllTried(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	listed := regexp.MustCompile(`(?m)^override settings := (.*)$`).FindSubmatch(text)
	if listed == nil {
		t.Fatal("the Makefile has no list of settings")
	}
	want := slices.Sorted(maps.Keys(arguments))
	if got := slices.Sorted(slices.Values(strings.Fields(string(listed[1])))); !slices.Equal(got, want) {
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		t.Errorf("the Makefile has %s, tried are %s", a, b)
	}
}
