package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The published table names exactly these faults and promises. What was seen is
// compared by a full run.
func TestTableIsOfTheseFaults(t *testing.T) {
	index, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("table/*")
	if len(files) != len(groups) {
		t.Errorf("there are %d groups and %v", len(groups), files)
	}
	row := regexp.MustCompile("(?m)^\\| `(.+)` \\| .* \\| (.+) \\|$")
	for _, g := range groups {
		if link := "- [" + g.title + "](table/" + g.file() + ")\n"; !strings.Contains(string(index), link) {
			t.Errorf("README.md lacks %q", link)
		}
		text, err := os.ReadFile(filepath.Join("table", g.file()))
		if err != nil {
			t.Error(err)
			continue
		}
		seen := map[string]string{}
		for _, m := range row.FindAllStringSubmatch(string(text), -1) {
			seen[m[1]] = strings.NewReplacer(`\|`, "|", "&lt;", "<").Replace(m[2])
		}
		if now := g.table(seen); string(text) != now || len(seen) != len(g.faults) {
			t.Errorf("table/%s is not of these faults: `make faults-table` writes it\n%s", g.file(), firstDifference(string(text), now))
		}
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
