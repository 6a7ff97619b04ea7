package ground

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// Workbench runs the laptop's program in the working copy, with the emulator
// for AWS, and answers what it printed, on standard output and error, also when
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
	cmd.Dir, cmd.Env = g.Project, append(g.awsEnvironment(g.emulator), "NO_COLOR=1")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("workbench %v: %w", args, err)
	}
	return out.String(), nil
}

// CreateStack has CloudFormation make a stack of a template. The stack may
// still be in the making when it returns.
func (g *Ground) CreateStack(ctx context.Context, name, template string) error {
	_, err := g.query(ctx, "cloudformation", url.Values{"Action": {"CreateStack"}, "StackName": {name}, "TemplateBody": {template}, "Version": {"2010-05-15"}, "Capabilities.member.1": {"CAPABILITY_NAMED_IAM"}})
	return err
}
