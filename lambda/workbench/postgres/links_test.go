package postgres

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The folder belongs to the user that PostgreSQL runs as. Whatever links it
// puts there, nothing outside is written, emptied or handed over.
func TestLinksInTheFolderAreNotFollowed(t *testing.T) {
	for _, name := range []string{"server.log", "password", "lock", "data", "data.new"} {
		t.Run(name, func(t *testing.T) {
			outside := filepath.Join(t.TempDir(), "outside")
			if err := os.WriteFile(outside, []byte("kept"), 0o600); err != nil {
				t.Fatal(err)
			}
			before, err := os.Lstat(outside)
			if err != nil {
				t.Fatal(err)
			}
			folder := filepath.Join(t.TempDir(), "postgres")
			place := Place(folder)
			t.Cleanup(func() { os.RemoveAll(place) })
			if err := os.MkdirAll(place, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(outside, filepath.Join(place, name)); err != nil {
				t.Fatal(err)
			}
			server, err := Start(t.Context(), Options{Cache: cache(t), Folder: folder})
			if err == nil {
				defer server.Stop()
			} else if name != "lock" || !strings.Contains(err.Error(), "is no file: remove it") {
				t.Error(err)
			}
			after, err := os.Lstat(outside)
			if err != nil {
				t.Fatal(err)
			}
			content, _ := os.ReadFile(outside)
			if string(content) != "kept" || ownedBy(before, Unprivileged) != ownedBy(after, Unprivileged) ||
				before.Mode() != after.Mode() {
				t.Errorf("what the link leads to was changed: %q, %s", content, after.Mode())
			}
		})
	}
}

// A dangling link makes no file where it leads, and a link in place of the
// folder itself is not entered by root.
func TestLinksMakeNothing(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "postgres")
	place := Place(folder)
	t.Cleanup(func() { os.RemoveAll(place) })
	if err := os.MkdirAll(place, 0o755); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "made")
	if err := os.Symlink(outside, filepath.Join(place, "lock")); err != nil {
		t.Fatal(err)
	}
	if InUse(folder) {
		t.Error("a link is taken for a lock")
	}
	if err := Remove(folder); err == nil {
		t.Error("a folder with a link for a lock is removed as if it were locked")
	}
	if _, err := os.Lstat(outside); err == nil {
		t.Error("a file was made outside")
	}
	if os.Geteuid() != 0 {
		return
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(place, link); err != nil {
		t.Fatal(err)
	}
	if _, err := enter(link); err == nil {
		t.Error("root enters a folder through a link")
	}
}
