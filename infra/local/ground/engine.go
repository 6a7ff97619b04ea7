package ground

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// engine is the Docker engine and the client that builds images with it.
type engine struct {
	client   string // for CDK_DOCKER
	buildKit string // for DOCKER_BUILDKIT
	arch     string // amd64 or arm64
	bridge   string // this machine as containers see it: an address, or hostGateway
	listen   string // where a server listens that containers shall reach
}

// hostGateway is Docker's own name for this machine, for engines whose bridge
// is not here: Docker Desktop runs in a virtual machine and leads that name to
// our 127.0.0.1.
const hostGateway = "host-gateway"

func (g *Ground) findEngine(ctx context.Context) error {
	client, buildKit, err := findClient(ctx, os.Getenv("CDK_DOCKER"))
	if err != nil {
		return err
	}
	docker := func(args ...string) (string, error) {
		out, err := exec.CommandContext(ctx, client, args...).Output()
		return strings.TrimSpace(string(out)), withStderr(err)
	}
	machine, err := docker("info", "--format", "{{.Architecture}}")
	if err != nil {
		return fmt.Errorf("no Docker engine answers: start one (%w)", err)
	}
	arch, ok := map[string]string{"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[machine]
	if !ok {
		return fmt.Errorf("the Docker engine runs on %s; images are for amd64 and arm64", machine)
	}
	bridge, err := docker("network", "inspect", "bridge", "--format",
		`{{index .Options "com.docker.network.bridge.name"}}`)
	if err != nil {
		return err
	}
	g.engine = engine{client: client, buildKit: buildKit, arch: arch, bridge: hostGateway, listen: "127.0.0.1"}
	if address := addressOf(bridge); address != "" {
		g.engine.bridge, g.engine.listen = address, address
	}
	return g.nameGoImage(docker)
}

// officialMirror is where Amazon serves Docker's official images.
const officialMirror = "public.ecr.aws/docker/library/"

// nameGoImage gives Go's image, where the engine has it under the name that it
// has on Docker Hub, the name that the Dockerfile begins with: it is the same
// one, and need not be fetched.
func (g *Ground) nameGoImage(docker func(args ...string) (string, error)) error {
	dockerfile, err := os.ReadFile(filepath.Join(g.options.Root, "docker", "Dockerfile"))
	if err != nil {
		return err
	}
	found := goImage.FindSubmatch(dockerfile)
	if found == nil {
		return nil
	}
	wanted, onDockerHub := officialMirror+string(found[1]), string(found[1])
	if _, err := docker("image", "inspect", wanted); err == nil {
		return nil
	}
	if _, err := docker("image", "inspect", onDockerHub); err != nil {
		return nil // the build fetches it
	}
	_, err = docker("tag", onDockerHub, wanted)
	return err
}

var goImage = regexp.MustCompile(`(?m)^ARG GO_IMAGE=` + regexp.QuoteMeta(officialMirror) + `(\S+)$`)

// findClient prefers a client that has BuildKit: the newer ones with the
// plugin buildx, those before 23 without. Where several are installed, the
// first on PATH may be one that has neither.
func findClient(ctx context.Context, chosen string) (client, buildKit string, err error) {
	candidates := []string{"docker", "/usr/bin/docker", "/usr/local/bin/docker"}
	if chosen != "" {
		candidates = []string{chosen}
	}
	for _, candidate := range candidates {
		path, err := exec.LookPath(candidate)
		if err != nil {
			continue
		}
		if client == "" {
			client, buildKit = path, "0"
		}
		version, err := exec.CommandContext(ctx, path, "version", "--format", "{{.Client.Version}}").Output()
		major, _, _ := strings.Cut(string(version), ".")
		number, convErr := strconv.Atoi(major)
		old := err == nil && convErr == nil && number < 23
		if old || exec.CommandContext(ctx, path, "buildx", "version").Run() == nil {
			return path, "1", nil
		}
	}
	if client == "" {
		return "", "", errors.New("docker is not installed, or CDK_DOCKER names none")
	}
	return client, buildKit, nil
}

// addressOf is the IPv4 address of an interface of this machine, "" if it has no such interface.
func addressOf(name string) string {
	device, err := net.InterfaceByName(name)
	if err != nil {
		return ""
	}
	addresses, err := device.Addrs()
	if err != nil {
		return ""
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	return ""
}

// freePort is a port that is free on 127.0.0.1 and on the address.
func freePort(address string) (int, error) {
	for range 20 {
		first, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		port := first.Addr().(*net.TCPAddr).Port
		var second net.Listener
		if address != "127.0.0.1" {
			second, err = net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
		}
		first.Close()
		if err == nil {
			if second != nil {
				second.Close()
			}
			return port, nil
		}
	}
	return 0, fmt.Errorf("no port is free on both 127.0.0.1 and %s", address)
}

// withStderr adds what a command printed to its exit code.
func withStderr(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return err
}
