package ground

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// installed is a folder of the user's cache that install fills, once for each
// pin: a file's name, whose content counts, or a text. An interrupted
// installation is done again.
func (g *Ground) installed(name, pin string, install func(folder string) error) (string, error) {
	content, err := os.ReadFile(pin)
	if errors.Is(err, os.ErrNotExist) {
		content = []byte(pin)
	} else if err != nil {
		return "", err
	}
	folder := filepath.Join(g.cache, fmt.Sprintf("%s-%x", name, sha256.Sum256(content))[:len(name)+1+12])
	done := filepath.Join(folder, ".complete")
	if _, err := os.Stat(done); err == nil {
		return folder, nil
	}
	if err := os.MkdirAll(g.cache, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(folder+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if _, err := os.Stat(done); err == nil { // another process was quicker
		return folder, nil
	}
	if err := errors.Join(os.RemoveAll(folder), os.MkdirAll(folder, 0o755)); err != nil {
		return "", err
	}
	if err := install(folder); err != nil {
		return "", err
	}
	return folder, os.WriteFile(done, nil, 0o644)
}

// command is a program in a process group of its own, so that a Ctrl-C of the
// terminal leaves its end to ctx.
func (g *Ground) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	ownGroup(cmd)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func (g *Ground) tool(ctx context.Context, name string, args ...string) error {
	return run(g.command(ctx, name, args...))
}

// run runs a command; its output is in the error.
func run(cmd *exec.Cmd) error {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, last(out.String()))
	}
	return nil
}

// tail is the end of a file.
func tail(file string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return last(string(content))
}

// last are at most the last 4,000 bytes of a text.
func last(text string) string {
	if len(text) > 4000 {
		return "…" + strings.ToValidUTF8(text[len(text)-4000:], "")
	}
	return text
}
