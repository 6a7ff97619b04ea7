package script

import (
	"context"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Order is a number that grows with every release of the folder, in unix
// seconds: the time of the last commit on this line of history that touched it,
// or, where there are uncommitted changes or no repository, the newest
// modification time in it. It needs a full clone: a shallow one knows one commit only.
func Order(ctx context.Context, folder string) (int64, error) {
	committed, clean := lastCommit(ctx, folder)
	if clean {
		return committed, nil
	}
	newest := committed
	err := filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			newest = max(newest, info.ModTime().Unix())
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("order of the release in %s: %w", folder, err)
	}
	return newest, nil
}

// lastCommit is the time of the last commit that touched the folder, 0 if there
// is none, and whether the folder is as that commit left it. Only the first
// parents count: a merge brings older commits at the time of the merge.
func lastCommit(ctx context.Context, folder string) (seconds int64, clean bool) {
	git := func(args ...string) (string, bool) {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", folder}, args...)...).Output()
		return strings.TrimSpace(string(out)), err == nil
	}
	stamp, ok := git("log", "-1", "--first-parent", "--format=%ct", "--", ".")
	if !ok || stamp == "" {
		return 0, false
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return 0, false
	}
	changes, ok := git("status", "--porcelain", "--", ".")
	return seconds, ok && changes == ""
}
