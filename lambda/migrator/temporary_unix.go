//go:build linux || darwin

package migrator

import (
	"io/fs"
	"os"
	"syscall"
)

// lockFile locks the file until it is closed, or fails where another process has it.
func lockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// ownedByUs: in the folder for temporary files, others may put what they like.
func ownedByUs(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(s.Uid) == os.Geteuid()
}
