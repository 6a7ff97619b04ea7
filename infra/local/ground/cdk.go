package ground

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// installCDK installs the CDK's command line by the lock file of infra/cdk.
func (g *Ground) installCDK(ctx context.Context) error {
	cli := filepath.Join(g.options.Root, "infra", "cli")
	lock := filepath.Join(cli, "package-lock.json")
	folder, err := g.installed("aws-cdk", lock, func(folder string) error {
		if err := g.tool(ctx, "cp", filepath.Join(cli, "package.json"), lock, folder); err != nil {
			return err
		}
		return g.tool(ctx, "npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder)
	})
	g.cdk = filepath.Join(folder, "node_modules", ".bin", "cdk")
	return err
}

// buildApp builds the CDK app, so that not each start of it asks the compiler.
func (g *Ground) buildApp(ctx context.Context) error {
	g.app = filepath.Join(g.folder, "app")
	build := g.command(ctx, "go", "build", "-o", g.app, "./infra")
	build.Dir = g.options.Root
	return run(build)
}

// awsEnvironment is this process's environment with the emulator in place of AWS.
func (g *Ground) awsEnvironment() []string { return g.home().Over(os.Environ()) }

// CDK runs the CDK's command line on the working copy and returns what it
// printed, on standard output and error, also when it fails.
func (g *Ground) CDK(ctx context.Context, args ...string) (string, error) {
	return g.cdkIn(ctx, g.Project, args...)
}

func (g *Ground) cdkIn(ctx context.Context, folder string, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := g.command(ctx, g.cdk, append([]string{"--no-color", "--no-notices"}, args...)...)
	cmd.Dir, cmd.Env = folder, g.awsEnvironment()
	cmd.Stdout = io.Writer(&out)
	if g.options.Output != nil {
		cmd.Stdout = io.MultiWriter(&out, g.options.Output)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("cdk %s: %w", strings.Join(args, " "), err)
	}
	return out.String(), nil
}

// bootstrap runs in a folder without a cdk.json, or it would start the app.
func (g *Ground) bootstrap(ctx context.Context) error {
	out, err := g.cdkIn(ctx, g.folder, "bootstrap", "aws://"+Account+"/"+Region)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, last(out))
	}
	return nil
}

// Deploy deploys an environment, its database's stack included, and answers
// what the CDK printed.
func (g *Ground) Deploy(ctx context.Context, environment string) (out string, err error) {
	err = g.Step("cdk deploy slipway-"+environment, func() error {
		out, err = g.CDK(ctx, "deploy", "slipway-"+environment, "--require-approval", "never", "--progress", "events")
		return err
	})
	return out, err
}

// Destroy deletes one stack.
func (g *Ground) Destroy(ctx context.Context, stack string) (out string, err error) {
	err = g.Step("cdk destroy "+stack, func() error {
		out, err = g.CDK(ctx, "destroy", "--force", "--exclusively", stack)
		return err
	})
	return out, err
}
