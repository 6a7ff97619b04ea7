package migration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/infra/environment"
)

// Docker only warns of an argument that the Dockerfile does not have.
func TestBuildArgumentsAreTheDockerfiles(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "docker", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	args := *buildArgs(environment.Images{Flyway: "a", Go: "b"})
	if len(args) != 2 {
		t.Errorf("%d arguments for two images", len(args))
	}
	for name := range args {
		if !strings.Contains(string(raw), "\nARG "+name+"=") {
			t.Errorf("the Dockerfile has no ARG %s", name)
		}
	}
	if none := *buildArgs(environment.Images{}); len(none) != 0 {
		t.Errorf("nothing is configured, but these hide the Dockerfile's defaults: %v", none)
	}
}
