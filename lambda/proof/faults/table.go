package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// tableFolder holds the published table, a file for each group, below the
// project's root.
const tableFolder = "lambda/proof/faults/table"

var unusual = regexp.MustCompile(`[^a-z0-9]+`)

// file is the name of the group's file in [tableFolder].
func (g group) file() string {
	return unusual.ReplaceAllString(strings.ToLower(strings.ReplaceAll(g.title, "'", "")), "-") + ".md"
}

// table is the group's part of the table, as Markdown. seen gives, by the
// fault's name, what was seen.
func (g group) table(seen map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Faults: %s\n\n<!-- written by `make faults-table`: do not edit -->\n\n| fault | Slipway promises | seen |\n| --- | --- | --- |\n", g.title)
	for _, f := range g.faults {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.name, cell(f.promise), cell(seen[f.name]))
	}
	return b.String()
}

func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(s)
}

// keepTable compares the published table with the results, or writes it, and
// answers what is wrong with it.
func keepTable(results []result, write bool) (problem string) {
	seen := map[string]string{}
	for _, r := range results {
		seen[r.name] = r.seen
	}
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return err.Error()
	}
	for _, g := range groups {
		file := filepath.Join(strings.TrimSpace(string(root)), tableFolder, g.file())
		former, err := os.ReadFile(file)
		now := g.table(seen)
		switch {
		case err == nil && string(former) == now:
		case write:
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				return err.Error()
			}
			if err := os.WriteFile(file, []byte(now), 0o644); err != nil {
				return err.Error()
			}
		default:
			return fmt.Sprintf("%s/%s does not say what was seen: `make faults-table` writes it\n%s", tableFolder, g.file(), firstDifference(string(former), now))
		}
	}
	return ""
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
