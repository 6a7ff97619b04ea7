//go:build faults

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var unusual = regexp.MustCompile(`[^a-z0-9]+`)

// file is the path of the group's table.
func (g group) file() string {
	name := unusual.ReplaceAllString(strings.ToLower(strings.ReplaceAll(g.title, "'", "")), "-")
	return filepath.Join("table", name+".md")
}

// table is the group's table, as Markdown. seen gives, by the fault's name,
// what was seen.
func (g group) table(seen map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Faults: %s\n\n<!-- written by `make faults-table`: do not edit -->\n\n", g.title)
	b.WriteString("| fault | Slipway promises | seen |\n| --- | --- | --- |\n")
	for _, f := range g.faults {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.name, cell(f.promise), cell(seen[f.name]))
	}
	return b.String()
}

func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(s)
}

// checkTable compares the group's published table with what was seen, or writes
// it. It passes over a group of which a fault did not run to its end.
func checkTable(t *testing.T, g group, seen map[string]string) {
	t.Helper()
	for _, f := range g.faults {
		if _, ok := seen[f.name]; !ok {
			return
		}
	}
	former, err := os.ReadFile(g.file())
	now := g.table(seen)
	if err == nil && string(former) == now {
		return
	}
	if !*updateTables {
		t.Errorf("%s does not say what was seen: `make faults-table` writes it\n%s",
			g.file(), firstDifference(string(former), now))
		return
	}
	if err := os.WriteFile(g.file(), []byte(now), 0o644); err != nil {
		t.Error(err)
	}
}

func firstDifference(former, now string) string {
	a, b := strings.Split(former, "\n"), strings.Split(now, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return "there: " + a[i] + "\nnow:   " + b[i]
		}
	}
	return fmt.Sprintf("there: %d lines, now: %d", len(a), len(b))
}

// The published tables name exactly these faults and promises. What was seen is
// compared by TestFaults.
func TestTables(t *testing.T) {
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
		if link := "- [" + g.title + "](" + g.file() + ")\n"; !strings.Contains(string(index), link) {
			t.Errorf("README.md lacks %q", link)
		}
		text, err := os.ReadFile(g.file())
		if err != nil {
			t.Error(err)
			continue
		}
		seen := map[string]string{}
		for _, m := range row.FindAllStringSubmatch(string(text), -1) {
			seen[m[1]] = strings.NewReplacer(`\|`, "|", "&lt;", "<").Replace(m[2])
		}
		if now := g.table(seen); string(text) != now || len(seen) != len(g.faults) {
			t.Errorf("%s is not of these faults: `make faults-table` writes it\n%s",
				g.file(), firstDifference(string(text), now))
		}
	}
}
