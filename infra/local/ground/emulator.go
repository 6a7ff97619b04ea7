package ground

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// runtimeEmulator is AWS's runtime interface emulator, which stands between
// the emulator's calls and the image function as Lambda does.
const runtimeEmulator = "github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie@v0.0.0-20261030222936-bef5c4ba774d"

type emulator struct {
	port    int
	process *exec.Cmd
	stdin   io.Closer
	ended   chan struct{}
	log     string // file of its log
	runtime string // file of AWS's runtime interface emulator
	events  string // file of the calls of image functions
}

func (e *emulator) url() string { return "http://127.0.0.1:" + strconv.Itoa(e.port) }

func (g *Ground) startEmulator(ctx context.Context) error {
	python, err := g.installEmulator(ctx)
	if err != nil {
		return err
	}
	lambda, err := g.installRuntimeEmulator(ctx)
	if err != nil {
		return err
	}
	e := &emulator{
		log: filepath.Join(g.folder, "emulator.log"), events: filepath.Join(g.folder, "events.jsonl"), runtime: lambda,
		ended: make(chan struct{}),
	}
	if e.port, err = freePort(g.engine.listen); err != nil {
		return err
	}
	g.emulator = e
	log, err := os.Create(e.log)
	if err != nil {
		return err
	}
	defer log.Close()
	// Not bound to ctx: it has to remove its containers, and ends with its standard input.
	e.process = exec.Command(python, filepath.Join(g.options.Root, "infra", "local", "emulator.py"))
	e.process.Dir, e.process.Stdout, e.process.Stderr = g.folder, log, log
	e.process.Env = append(g.awsEnvironment(),
		"TMPDIR="+g.folder, // it leaves the functions' code there
		"GATEWAY_PORT="+strconv.Itoa(e.port), "MINISTACK_REGION="+Region, "MINISTACK_ACCOUNT_ID="+Account,
		"LOCAL_BRIDGE="+g.engine.bridge,
		"LOCAL_SERVERS="+g.servers(), "LOCAL_DATABASE_HOST="+databaseHost,
		"LOCAL_CA="+filepath.Join(g.folder, "tls", "ca.pem"), "LOCAL_RIE="+lambda, "LOCAL_EVENTS="+e.events,
		"LOCAL_PERMISSIONS="+g.permissions(),
		"LOCAL_IDLE="+g.idle(),
		"LOCAL_REPOSITORIES="+g.repositories(), "LOCAL_PIPELINES="+g.pipelines(),
	)
	ownGroup(e.process)
	if e.stdin, err = e.process.StdinPipe(); err != nil {
		return err
	}
	if err := e.process.Start(); err != nil {
		return err
	}
	go func() {
		e.process.Wait()
		close(e.ended)
	}()
	g.onClose(g.stopEmulator)
	return e.ready(ctx)
}

// ready polls until it answers.
func (e *emulator) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url()+"/_ministack/health", nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-e.ended:
			return fmt.Errorf("it ended at once; its log:\n%s", tail(e.log))
		case <-ctx.Done():
			return fmt.Errorf("no answer: %w; its log:\n%s", ctx.Err(), tail(e.log))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// stopEmulator ends it, and removes what it left with the Docker engine.
func (g *Ground) stopEmulator() error {
	e := g.emulator
	err := e.stdin.Close()
	select {
	case <-e.ended:
	case <-time.After(20 * time.Second):
		err = errors.Join(err, errors.New("the emulator did not end in 20s and was killed"), e.process.Process.Kill())
		<-e.ended
	}
	docker := func(args ...string) []string {
		out, failure := exec.Command(g.engine.client, args...).Output()
		err = errors.Join(err, withStderr(failure))
		return strings.Fields(string(out))
	}
	host, _ := os.Hostname()
	if left := docker("ps", "--all", "--quiet", "--filter",
		fmt.Sprintf("label=ministack.instance=%s:%d", host, e.port)); len(left) > 0 {
		docker(append([]string{"rm", "--force"}, left...)...)
	}
	if images := docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}",
		fmt.Sprintf("localhost:%d/*", e.port)); len(images) > 0 {
		// The CDK gives each image a name of its own too, by its asset's hash, and takes an image of that name for
		// built.
		names := images
		for _, image := range images {
			if _, hash, ok := strings.Cut(image[len("localhost:"):], "/"); ok {
				_, hash, _ = strings.Cut(hash, ":")
				names = append(names, docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "cdkasset-"+
					hash)...)
			}
		}
		slices.Sort(names) // an image that two accounts have is there twice
		docker(append([]string{"image", "rm"}, slices.Compact(names)...)...)
	}
	return err
}

// installEmulator makes a virtual environment of Python with the emulator and
// all it needs, by their checksums, once, and returns its python.
func (g *Ground) installEmulator(ctx context.Context) (string, error) {
	pinned := filepath.Join(g.options.Root, "infra", "local", "requirements.lock")
	folder, err := g.installed("emulator", pinned, func(folder string) error {
		return g.python(ctx, folder, pinned)
	})
	return filepath.Join(folder, "bin", "python"), err
}

// python makes a virtual environment of Python and installs there what the file
// locks by checksums.
func (g *Ground) python(ctx context.Context, folder, locked string) error {
	if err := g.tool(ctx, "python3", "-m", "venv", folder); err != nil {
		return fmt.Errorf("a virtual environment of Python (on Debian and Ubuntu: apt install python3-venv): %w", err)
	}
	return g.tool(ctx, filepath.Join(folder, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check",
		"--require-hashes", "--only-binary=:all:", "--requirement", locked)
}

// installRuntimeEmulator builds AWS's runtime interface emulator for the
// engine's architecture, once, and returns the file.
func (g *Ground) installRuntimeEmulator(ctx context.Context) (string, error) {
	name := "aws-lambda-rie-" + g.engine.arch
	folder, err := g.installed(name, runtimeEmulator, func(folder string) error {
		cache, err := exec.CommandContext(ctx, "go", "env", "GOMODCACHE").Output()
		if err != nil {
			return err
		}
		build := g.command(ctx, "go", "install", "-trimpath", runtimeEmulator)
		build.Dir = folder
		// GOBIN refuses what is built for another system; below GOPATH it goes to a folder of that system.
		build.Env = append(os.Environ(), "GOPATH="+folder, "GOBIN=", "GOMODCACHE="+strings.TrimSpace(string(cache)),
			"GOOS=linux", "GOARCH="+g.engine.arch, "CGO_ENABLED=0")
		if err := run(build); err != nil {
			return err
		}
		built, err := filepath.Glob(filepath.Join(folder, "bin", "linux_*", "aws-lambda-rie"))
		if err != nil || len(built) == 0 {
			return err
		}
		return os.Rename(built[0], filepath.Join(folder, "bin", "aws-lambda-rie"))
	})
	return filepath.Join(folder, "bin", "aws-lambda-rie"), err
}
