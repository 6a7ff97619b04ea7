package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The clone may belong to another user than the one who runs make, as root.
func TestStateFilesFollowNoLink(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	write(t, outside, "kept")
	b := &bench{dir: t.TempDir()}
	if err := os.Symlink(outside, b.keeperFile()); err != nil {
		t.Fatal(err)
	}
	if err := b.writeKeeper(); err != nil {
		t.Fatal(err)
	}
	if content, _ := os.ReadFile(outside); string(content) != "kept" {
		t.Errorf("what the link led to holds %q", content)
	}
	if b.keeper() != os.Getpid() {
		t.Errorf("the keeper is %d", b.keeper())
	}
}
