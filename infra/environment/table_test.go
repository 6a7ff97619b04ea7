package environment_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/infra/environment"
)

var update = flag.Bool("update", false, "write the table of keys to infra/README.md")

func TestReadmeHasTheTable(t *testing.T) {
	readme := filepath.Join("..", "README.md")
	raw, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- keys -->\n", "<!-- /keys -->"
	head, rest, _ := strings.Cut(string(raw), begin)
	old, tail, found := strings.Cut(rest, end)
	if !found {
		t.Fatalf("%s has no place for the table between %s and %s", readme, begin, end)
	}
	switch {
	case old == environment.Table():
	case *update:
		if err := os.WriteFile(readme, []byte(head+begin+environment.Table()+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is behind keys.go: go test ./infra/environment -update", readme)
	}
}
