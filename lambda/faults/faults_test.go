package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The published table names exactly these faults and promises. What was seen is
// compared by a full run.
func TestTableIsOfTheseFaults(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, published, _, err := splitTable(string(text))
	if err != nil {
		t.Fatal(err)
	}
	seen := regexp.MustCompile(`(?m)^(\| .* \| .* \|) [^|]+ \|$`)
	got := seen.ReplaceAllString(strings.ReplaceAll(published, `\|`, "/"), "$1")
	want := seen.ReplaceAllString(strings.ReplaceAll(strings.ReplaceAll(table(nil), "|  |", "| - |"), `\|`, "/"), "$1")
	if got != want {
		t.Errorf("README.md is not of these faults: `make faults-table` writes it\n%s", firstDifference(got, want))
	}
}

func TestNames(t *testing.T) {
	known := map[string]bool{}
	for _, f := range choose("") {
		if known[f.name] || !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`).MatchString(f.name) {
			t.Errorf("the name %q is taken or none", f.name)
		}
		known[f.name] = true
		if f.promise == "" || strings.Contains(f.promise, "\n") {
			t.Errorf("%s promises %q", f.name, f.promise)
		}
	}
	for only, want := range map[string]int{"sigkill-both": 1, "sigkill": 3, "sigint,sigterm-jvm": 3, "sig": 0, "": len(known)} {
		if got := len(choose(only)); got != want {
			t.Errorf("%q chooses %d faults, not %d", only, got, want)
		}
	}
}
