package ground

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Workbench runs the laptop's program in the working copy, with the emulator
// for AWS, and returns what it printed, on standard output and error, also when
// it fails.
func (g *Ground) Workbench(ctx context.Context, args ...string) (string, error) {
	program := filepath.Join(g.folder, "workbench")
	if _, err := os.Stat(program); err != nil {
		build := g.command(ctx, "go", "build", "-o", program, "./lambda/workbench")
		build.Dir = g.options.Root
		if err := run(build); err != nil {
			return "", err
		}
	}
	var out bytes.Buffer
	cmd := g.command(ctx, program, args...)
	cmd.Dir, cmd.Env = g.Project, append(g.awsEnvironment(), "NO_COLOR=1")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("workbench %v: %w", args, err)
	}
	return out.String(), nil
}
