package migrator

import (
	"os"
	"path/filepath"
	"time"
)

const (
	temporaryPrefix = "slipway-run-"
	aliveFile       = ".alive" // locked for as long as its run lives
	settled         = time.Minute
)

// temporaryFolder makes the folder for all files of a run. Those of runs that
// were killed are removed: on Lambda, /tmp outlives them. release frees what
// tells others that the run lives.
func temporaryFolder() (root string, release func(), err error) {
	parent, err := filepath.EvalSymlinks(os.TempDir())
	if err != nil {
		return "", nil, err
	}
	sweepTemporary(parent)
	if root, err = os.MkdirTemp(parent, temporaryPrefix); err != nil {
		return "", nil, err
	}
	alive, err := os.OpenFile(filepath.Join(root, aliveFile), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = lockFile(alive)
	}
	if err != nil {
		_ = os.RemoveAll(root)
		return "", nil, err
	}
	return root, func() { _ = alive.Close() }, nil
}

// sweepTemporary removes the folders of runs that are gone. One that was made
// just now may not be locked yet.
func sweepTemporary(parent string) {
	left, _ := filepath.Glob(filepath.Join(parent, temporaryPrefix+"*"))
	for _, folder := range left {
		info, err := os.Lstat(folder)
		if err != nil || !info.IsDir() || !ownedByUs(info) || time.Since(info.ModTime()) < settled {
			continue
		}
		alive, err := os.OpenFile(filepath.Join(folder, aliveFile), os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if lockFile(alive) == nil {
			_ = os.RemoveAll(folder)
		}
		_ = alive.Close()
	}
}
