package distribution

import (
	"os"
	"path/filepath"
	"testing"
)

// The cache may belong to another user than the one who fetches, as root.
func TestLockFollowsNoLink(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "made")
	cache := &Cache{Dir: t.TempDir()}
	if err := os.Symlink(outside, filepath.Join(cache.Dir, "x.lock")); err != nil {
		t.Fatal(err)
	}
	if unlock, err := cache.lock(t.Context(), "x"); err == nil {
		unlock()
		t.Error("the lock is taken through a link")
	}
	if _, err := os.Lstat(outside); err == nil {
		t.Error("a file was made where the link leads")
	}
}
