package check

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// SquawkVersion is the linter's version.
const SquawkVersion = "2.70.0"

// wheel is a package of PyPI that carries the program as it is.
type wheel struct{ platform, sum string } // SHA-256 of the file

// To change the version: `pip download --no-deps --platform … squawk-cli==…`
// for each, and the sums of what comes.
var wheels = map[string]wheel{
	"linux/amd64":  {"manylinux_2_28_x86_64", "e67651bb984b01276752ca685f870b281cf493d5d7bd318607148b657c359b52"},
	"linux/arm64":  {"manylinux_2_28_aarch64", "1c352fd18443d808d8ce48f5d4efa43646e210fc951437f6c3c25e51394f4a8f"},
	"darwin/amd64": {"macosx_10_12_x86_64", "699021805add4ec82274796081c0bc64ea2516ffd48be7690e3a3b6d60211411"},
	"darwin/arm64": {"macosx_11_0_arm64", "c6164a083f8bee368fc7c9c1cd7de4704c0775aa75767eefb371c0bd37d3bf08"},
}

// ErrNoLinter says that squawk is not available here.
var ErrNoLinter = errors.New("squawk " + SquawkVersion + " is not available")

// Find returns the linter: program where one is named, else the pinned one of
// the cache folder, which pip fetches first when it is missing. pip knows the
// machine's index, mirror, proxy and credentials. Failures are [ErrNoLinter],
// with what to do.
func Find(ctx context.Context, cache, program string, progress io.Writer) (*Squawk, error) {
	if program == "" {
		program = filepath.Join(cache, "squawk-"+SquawkVersion, "squawk")
		if _, err := os.Stat(program); err != nil {
			fmt.Fprintf(progress, "fetching squawk %s with pip\n", SquawkVersion)
			if err := fetch(ctx, program); err != nil {
				return nil, fmt.Errorf("%w: %w\nInstall it (pip install squawk-cli==%s) and name it with --squawk "+
					"FILE or SLIPWAY_SQUAWK; --no-sql checks names and versions alone", ErrNoLinter, err, SquawkVersion)
			}
		}
	}
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s does not start: %w", ErrNoLinter, program, err)
	}
	version := strings.TrimPrefix(strings.TrimSpace(string(out)), "squawk ")
	if version != SquawkVersion {
		fmt.Fprintf(progress, "%s is squawk %s, not %s: its rules may differ\n", program, version, SquawkVersion)
	}
	return &Squawk{Program: program, Version: version}, nil
}

// fetch puts the program there in one step.
func fetch(ctx context.Context, program string) error {
	w, ok := wheels[runtime.GOOS+"/"+runtime.GOARCH]
	if !ok {
		return fmt.Errorf("there is none for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	folder := filepath.Dir(program)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(folder, "part-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp) //nolint:errcheck // a leftover in the cache is no failure
	file, err := download(ctx, temp, w)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != w.sum {
		return fmt.Errorf("%s has the SHA-256 %x, expected %s", filepath.Base(file), sum, w.sum)
	}
	content, err := unzip(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	fresh := filepath.Join(temp, "squawk")
	if err := os.WriteFile(fresh, content, 0o755); err != nil {
		return err
	}
	return os.Rename(fresh, program)
}

// download has pip fetch the wheel, by version and hash.
func download(ctx context.Context, temp string, w wheel) (string, error) {
	requirements := filepath.Join(temp, "requirements.txt")
	line := "squawk-cli==" + SquawkVersion + " --hash=sha256:" + w.sum + "\n"
	if err := os.WriteFile(requirements, []byte(line), 0o644); err != nil {
		return "", err
	}
	args := []string{"download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:",
		"--require-hashes", "--platform", w.platform, "--dest", temp, "--requirement", requirements}
	var failures []string
	for _, pip := range [][]string{{"python3", "-m", "pip"}, {"pip3"}, {"python", "-m", "pip"}, {"pip"}} {
		command := exec.CommandContext(ctx, pip[0], append(pip[1:], args...)...)
		var stderr bytes.Buffer
		command.Stderr = &stderr
		if err := command.Run(); err != nil {
			failures = append(failures,
				fmt.Sprintf("%s: %v %s", strings.Join(pip, " "), err, lastLine(stderr.String())))
			continue
		}
		if found, _ := filepath.Glob(filepath.Join(temp, "*.whl")); len(found) == 1 {
			return found[0], nil
		}
		failures = append(failures, strings.Join(pip, " ")+": it left no file")
	}
	return "", errors.New(strings.Join(failures, "; "))
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

func unzip(raw []byte) ([]byte, error) {
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, err
	}
	for _, f := range archive.File {
		if !strings.HasSuffix(f.Name, "/scripts/squawk") {
			continue
		}
		content, err := f.Open()
		if err != nil {
			return nil, err
		}
		defer content.Close()
		return io.ReadAll(content)
	}
	return nil, errors.New("it holds no program")
}
