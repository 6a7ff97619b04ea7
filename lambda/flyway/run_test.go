package flyway

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fake is a run with testdata/java in Flyway's place.
func fake(t *testing.T, behaviour string, settings map[string]string) (Runner, Command) {
	t.Helper()
	all := map[string]string{"FAKE": behaviour}
	for name, value := range settings {
		all[name] = value
	}
	return Runner{Installation: jars(t), Grace: Grace{Interrupt: time.Minute, Terminate: 300 * time.Millisecond}},
		Command{Verb: "migrate", Locations: []string{"sql"}, Settings: all, TempDir: t.TempDir(), Password: "hush"}
}

func TestAnswerAndExitCodeAreJudgedTogether(t *testing.T) {
	for name, c := range map[string]struct {
		answer, code, errors string
		reason               string // of an ExitError; "" for a success
		message              string // of Flyway's own error
	}{
		"success":                {`{"operation":"migrate","success":true}`, "0", "", "", ""},
		"success without saying": {`{"operation":"migrate"}`, "0", "", "", ""},
		"exit 0 with an error": {`{"operation":"migrate","success":true,"error":{"message":"no"}}`, "0", "", "",
			"no"},
		"exit 0 with a failure":    {`{"operation":"migrate","success":false}`, "0", "", "it failed, and not why", ""},
		"exit 0 and nothing":       {"", "0", "", "no JSON", ""},
		"exit 0 and half of it":    {`{"operation":"migrate","succ`, "0", "", "unexpected EOF", ""},
		"exit 0 for another verb":  {`{"operation":"info"}`, "0", "", `answer is for "info"`, ""},
		"exit 0 for several verbs": {`{"individualResults":[]}`, "0", "", `answer is for ""`, ""},
		"exit 1 and nothing":       {"", "1", "Could not find or load main class", "no JSON", ""},
		"exit 1 with an error":     {`{"error":{"message":"no"}}`, "1", "", "", "no"},
		"exit 1 with a success":    {`{"operation":"migrate","success":true}`, "1", "", "names no error", ""},
		"exit 35":                  {`{"operation":"migrate"}`, "35", "", "paid edition", ""},
		"out of memory":            {"", "3", "Terminating due to java.lang.OutOfMemoryError", "no JSON", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, command := fake(t, "answer", map[string]string{"FAKE_ANSWER": c.answer, "FAKE_CODE": c.code,
				"FAKE_ERRORS": c.errors})
			var lines []string
			r.Log = func(line string) { lines = append(lines, line) }
			result, err := r.Run(t.Context(), command)
			var exit *ExitError
			var answer *Error
			switch {
			case c.message != "":
				if !errors.As(err, &answer) || answer.Message != c.message {
					t.Errorf("got %v", err)
				}
			case c.reason != "":
				if !errors.As(err, &exit) || !strings.Contains(exit.Reason, c.reason) ||
					!strings.Contains(exit.Error(), "exit code "+c.code) || result != nil {
					t.Errorf("got %v, %v", result, err)
				}
				if c.errors != "" && (exit.Stderr != c.errors || !strings.Contains(exit.Error(), c.errors) ||
					len(lines) != 1) {
					t.Errorf("what it printed: %q, logged %q", exit.Stderr, lines)
				}
			case err != nil || result == nil:
				t.Errorf("got %v, %v", result, err)
			}
		})
	}
}

func TestNothingIsLeftInTheTemporaryFolder(t *testing.T) {
	r, command := fake(t, "answer", map[string]string{"FAKE_ANSWER": `{"operation":"migrate"}`})
	if _, err := r.Run(t.Context(), command); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(command.TempDir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestJavaThatIsNotThere(t *testing.T) {
	r, command := fake(t, "answer", nil)
	r.Java = filepath.Join(t.TempDir(), "java")
	if _, err := r.Run(t.Context(), command); err == nil || !strings.Contains(err.Error(), r.Java) {
		t.Errorf("got %v", err)
	}
	r, command = fake(t, "answer", nil)
	command.TempDir = filepath.Join(t.TempDir(), "missing")
	if _, err := r.Run(t.Context(), command); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("got %v", err)
	}
}

func TestMuchOutputNeitherBlocksNorStays(t *testing.T) {
	r, command := fake(t, "noise", nil)
	lines, longest := 0, 0
	r.Log = func(line string) { lines, longest = lines+1, max(longest, len(line)) }
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	result, err := r.Run(ctx, command)
	if err != nil || len(result.Warnings) != 1 {
		t.Fatalf("%+v, %v", result, err)
	}
	if lines < 1_000_001 || longest > maxLine {
		t.Errorf("%d lines, the longest of %d bytes", lines, longest)
	}
}
