package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// npm compares what it fetches with the lock file, if that has a checksum.
func TestCommandLineIsLocked(t *testing.T) {
	raw, err := os.ReadFile("cli/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct{ Version, Integrity string }
	}
	if err := json.Unmarshal(raw, &lock); err != nil {
		t.Fatal(err)
	}
	for name, p := range lock.Packages {
		if name != "" && !strings.HasPrefix(p.Integrity, "sha512-") {
			t.Errorf("%s has no checksum: %+v", name, p)
		}
	}
	if got := lock.Packages["node_modules/aws-cdk"].Version; got != cliVersion() {
		t.Errorf("locked is %s, named is %s", got, cliVersion())
	}
}

// infra/cdk installs by the lock file, in a folder where no other settings of
// npm lie, and starts what was installed.
func TestCommandLineInstallsByItsLock(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	cache, bin, elsewhere := t.TempDir(), t.TempDir(), t.TempDir()
	npm := "#!/bin/sh\nset -e\necho \"npm $*\"\ntest -e package-lock.json\ntest ! -e .npmrc\nmkdir -p " +
		"node_modules/.bin\nprintf '#!/bin/sh\\necho cdk \"$@\"\\n' >node_modules/.bin/cdk\nchmod +x " +
		"node_modules/.bin/cdk\n"
	for name, text := range map[string]string{filepath.Join(bin, "npm"): npm,
		filepath.Join(bin, "npx"):          "#!/bin/sh\necho npx\n",
		filepath.Join(elsewhere, ".npmrc"): "registry=https://attacker.example\n"} {
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for run, want := range []string{"npm ci --ignore-scripts --no-audit --no-fund --loglevel=error\ncdk synth a b\n",
		"cdk synth a b\n"} {
		command := exec.Command(filepath.Join(here, "cdk"), "synth", "a b")
		command.Dir, command.Env = elsewhere, []string{"PATH=" + bin + ":/usr/bin:/bin", "XDG_CACHE_HOME=" + cache,
			"HOME=/nowhere"}
		out, err := command.CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("run %d: %v\n%s\nwant\n%s", run, err, out, want)
		}
	}
	left, _ := filepath.Glob(filepath.Join(cache, "slipway", "*"))
	if len(left) != 1 {
		t.Errorf("the cache holds %q", left)
	}
}

// pip compares what it fetches with the lock files, which hold all that the
// wanted packages need.
func TestPythonToolsAreLocked(t *testing.T) {
	wanted := map[string]string{"lint/requirements.lock": "lint/requirements.txt",
		"local/requirements.lock": "local/requirements.txt", "local/awscli.lock": ""}
	line := regexp.MustCompile(`^([A-Za-z0-9._-]+)==(\S+)( ;.*)? \\?$`)
	for file, from := range wanted {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
		locked := map[string]string{}
		for i, text := range lines {
			if strings.HasPrefix(text, "#") || strings.HasPrefix(text, "    --hash=sha256:") {
				continue
			}
			m := line.FindStringSubmatch(text)
			if m == nil || i+1 == len(lines) || !strings.HasPrefix(lines[i+1], "    --hash=sha256:") {
				t.Errorf("%s:%d has no checksum: %s", file, i+1, text)
				continue
			}
			locked[m[1]] = m[2]
		}
		if from == "" {
			continue
		}
		asked, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^([a-z-]+)(?:\[\w+\])?==(\S+)$`).FindAllStringSubmatch(string(asked),
			-1) {
			if locked[m[1]] != m[2] {
				t.Errorf("%s has %s %s, %s has %q", from, m[1], m[2], file, locked[m[1]])
			}
		}
	}
}
