package distribution

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// The image's build accepts the jars that laptops fetch, and no others.
func TestSumsOfTheImageAreThePins(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "docker", "flyway.sums"))
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, p := range flywayPins {
		want.WriteString(p.sum + "  " + path.Base(p.path) + "\n")
	}
	_, got, _ := strings.Cut(string(raw), "\n")
	if got != want.String() {
		t.Errorf("docker/flyway.sums holds\n%s\nnot\n%s", got, want.String())
	}
}
