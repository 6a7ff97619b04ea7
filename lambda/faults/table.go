package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// tableFile holds the published table, below the project's root.
const tableFile = "lambda/faults/README.md"

const (
	tableBegin = "<!-- the table is written by `make faults-table`: do not edit -->\n"
	tableEnd   = "<!-- end of the table -->\n"
)

// table is the table of results, by group, as Markdown.
func table(results []result) string {
	byName := map[string]result{}
	for _, r := range results {
		byName[r.name] = r
	}
	var b strings.Builder
	for _, g := range groups {
		fmt.Fprintf(&b, "\n### %s\n\n| fault | Slipway promises | seen |\n| --- | --- | --- |\n", g.title)
		for _, f := range g.faults {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.name, cell(f.promise), cell(byName[f.name].seen))
		}
	}
	return b.String()
}

func cell(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "|", `\|`), "\n", " ") }

// keepTable compares the published table with the results, or writes it, and
// answers what is wrong with it.
func keepTable(results []result, write bool) (problem string) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return err.Error()
	}
	file := filepath.Join(strings.TrimSpace(string(root)), tableFile)
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	before, former, after, err := splitTable(string(text))
	if err != nil {
		return err.Error()
	}
	now := table(results)
	if former == now {
		return ""
	}
	if !write {
		return tableFile + " does not say what was seen: `make faults-table` writes it\n" + firstDifference(former, now)
	}
	if err := os.WriteFile(file, []byte(before+tableBegin+now+tableEnd+after), 0o644); err != nil {
		return err.Error()
	}
	return ""
}

func splitTable(text string) (before, table, after string, err error) {
	before, rest, ok1 := strings.Cut(text, tableBegin)
	table, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok1 || !ok2 {
		return "", "", "", fmt.Errorf("%s has no place for the table", tableFile)
	}
	return before, table, after, nil
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
