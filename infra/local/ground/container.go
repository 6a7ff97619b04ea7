package ground

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Docker runs Docker's command line and returns its standard output.
func (g *Ground) Docker(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, g.engine.client, args...).Output()
	return strings.TrimSpace(string(out)), withStderr(err)
}

// LocalImage is the local name of the image behind a URI of ECR.
func (g *Ground) LocalImage(uri string) string {
	_, name, _ := strings.Cut(uri, "/")
	return fmt.Sprintf("localhost:%d/%s", g.emulator.port, name)
}

// Sandbox are the flags of `docker run` for the image as Lambda would run it,
// with so much memory: a user of its own, nothing but /tmp writable, and the
// ground's emulator, authority and database in reach. The secret is its ARN.
func (g *Ground) Sandbox(secret string, memoryMB int) []string {
	return []string{
		"--read-only", "--tmpfs", "/tmp:mode=1777,size=512m", "--user", "993:990", "--cap-drop", "ALL",
		"--memory", fmt.Sprintf("%dm", memoryMB), "--cpus", fmt.Sprintf("%.2f", float64(memoryMB)/1769),
		"--add-host", databaseHost + ":" + g.engine.bridge, "--add-host", "host.docker.internal:" + g.engine.bridge,
		"--volume", filepath.Join(g.folder, "tls", "ca.pem") + ":/local/ca.pem:ro", "--env",
		"PGSSLROOTCERT=/local/ca.pem",
		"--env", "MASTER_SECRET_ARN=" + secret, "--env", "AWS_REGION=" + Region,
		"--env", fmt.Sprintf("AWS_ENDPOINT_URL=http://host.docker.internal:%d", g.emulator.port),
		"--env", "AWS_ACCESS_KEY_ID=" + Account, "--env", "AWS_SECRET_ACCESS_KEY=" + secretKey,
	}
}

// RuntimeEmulator are the flags of `docker run` that start the image as the
// child of AWS's runtime interface emulator, behind port 8080.
func (g *Ground) RuntimeEmulator() []string {
	return []string{"--volume", g.emulator.runtime + ":/local/aws-lambda-rie:ro", "--entrypoint",
		"/local/aws-lambda-rie"}
}

// BuildImage builds the working copy's image under a name.
func (g *Ground) BuildImage(ctx context.Context, name string) error {
	return g.Step("docker build", func() error {
		build := g.command(ctx, g.engine.client, "build", "--quiet", "--tag", name, "--file",
			filepath.Join(g.Project, "docker", "Dockerfile"), g.Project)
		build.Env = append(os.Environ(), "DOCKER_BUILDKIT="+g.engine.buildKit)
		return run(build)
	})
}
