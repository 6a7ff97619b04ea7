package distribution

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lock takes the lock of the named part of the cache, which the system frees
// when the process ends, however it ends. While another process holds it, lock
// waits until ctx is done. It leaves nothing of interrupted downloads behind.
func (c *Cache) lock(ctx context.Context, name string) (unlock func(), err error) {
	if c.Dir == "" {
		return nil, errors.New("no folder for downloads is set")
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("the folder for downloads: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(c.Dir, name+".lock"), os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o644)
	if err != nil {
		return nil, fmt.Errorf("the folder for downloads: %w", err)
	}
	for waiting := false; ; {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			file.Close()
			return nil, fmt.Errorf("locking %s: %w", file.Name(), err)
		}
		if !waiting && c.Progress != nil {
			fmt.Fprintf(c.Progress, "waiting for another process that fetches %s\n", name)
		}
		waiting = true
		select {
		case <-ctx.Done():
			file.Close()
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	for _, pattern := range []string{name + ".*.part", filepath.Join(name, "*.part")} {
		left, _ := filepath.Glob(filepath.Join(c.Dir, pattern))
		for _, path := range left {
			os.RemoveAll(path)
		}
	}
	return func() { file.Close() }, nil
}
