package check

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pip is what a machine's pip could do: this one answers another file.
func TestAnotherFileIsRefused(t *testing.T) {
	bin, cache := t.TempDir(), t.TempDir()
	script := "#!/bin/sh\nwhile [ $# -gt 1 ]; do [ \"$1\" = --dest ] && echo other > \"$2/squawk_cli.whl\"; shift; " +
		"done\n"
	if err := os.WriteFile(filepath.Join(bin, "python3"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	_, err := Find(t.Context(), cache, "", io.Discard)
	if err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Error(err)
	}
	left, _ := filepath.Glob(filepath.Join(cache, "*", "*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
