// Package golden compares templates with files that somebody has looked at. It
// is for tests.
package golden

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Compare compares a template, as JSON values, with testdata/golden/<name>.json,
// and writes that file first where update says so. It changes the template.
func Compare(t *testing.T, name string, template map[string]any, update bool) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name+".json")
	got := normalized(template)
	if update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the template is not the one of %s any more: look at what go test -update makes of it.\nFirst "+
			"difference: %s", file, firstDifference(got, string(want)))
	}
}

var hash = regexp.MustCompile(`[0-9a-f]{64}`)

// normalized leaves out what the CDK adds to every template, and the hashes of assets.
func normalized(template map[string]any) string {
	delete(template, "Rules")
	delete(template, "Parameters")
	var b strings.Builder
	write(&b, template, "")
	return hash.ReplaceAllString(b.String(), "<hash>") + "\n"
}

// write is JSON with what fits into a line on one.
func write(b *strings.Builder, v any, indent string) {
	if short := compact(v); len(short)+len(indent) <= 120 {
		b.WriteString(short)
		return
	}
	inner := indent + " "
	switch v := v.(type) {
	case map[string]any:
		b.WriteString("{\n")
		for i, key := range slices.Sorted(maps.Keys(v)) {
			fmt.Fprintf(b, "%s%q: ", inner, key)
			write(b, v[key], inner)
			b.WriteString(separator(i, len(v)))
		}
		b.WriteString(indent + "}")
	case []any:
		b.WriteString("[\n")
		for i, entry := range v {
			b.WriteString(inner)
			write(b, entry, inner)
			b.WriteString(separator(i, len(v)))
		}
		b.WriteString(indent + "]")
	default:
		raw, _ := json.Marshal(v)
		b.Write(raw)
	}
}

func separator(i, n int) string {
	if i < n-1 {
		return ",\n"
	}
	return "\n"
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d:\ngot  %s\nwant %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, not %d", len(g), len(w))
}

// compact is a value on one line.
func compact(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return strings.TrimSpace(b.String())
}
