package script

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ErrFuture says that a release's order is above the current time. Every later
// release would count as older than this one, and nothing of it would run.
var ErrFuture = errors.New("the order of the release lies in the future")

// slack is how far two machines' clocks may be apart.
const slack = 5 * time.Minute

// Order is a number that never falls from release to release of the folder, in
// unix seconds: the time of the last commit on this line of history that touched
// it, or, where there are uncommitted changes or no repository, the newest
// modification time in it. It needs a full clone: a shallow one knows one commit
// only. The error is [ErrFuture] for a commit or a file of the future.
func Order(ctx context.Context, folder string) (int64, error) {
	committed, clean, err := lastCommit(ctx, folder)
	if err != nil {
		return 0, fmt.Errorf("order of the release in %s: %w", folder, err)
	}
	if clean {
		return committed, nil
	}
	newest, file, err := newestFile(folder)
	if err != nil {
		return 0, fmt.Errorf("order of the release in %s: %w", folder, err)
	}
	if future(newest) {
		return 0, fmt.Errorf("%w: %s was changed at %s by its modification time, and it is %s now; "+
			"correct it with `touch`, or this machine's clock", ErrFuture, file, clock(newest),
			clock(time.Now().Unix()))
	}
	return max(newest, committed), nil
}

func future(seconds int64) bool { return seconds > time.Now().Add(slack).Unix() }

func clock(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }

// newestFile is the newest modification time in the folder, and whose it is.
func newestFile(folder string) (seconds int64, file string, err error) {
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if changed := info.ModTime().Unix(); file == "" || changed > seconds {
			seconds = changed
			file = path
		}
		return nil
	})
	return seconds, file, err
}

// commits is how many commits of the folder are looked at: an order must not
// fall because somebody's clock was slow.
const commits = "50"

// lastCommit is the time of the last commit that touched the folder, 0 if there
// is none, and whether the folder is as that commit left it. Only the first
// parents count: a merge brings older commits at the time of the merge. A commit
// that is dated before its forerunner counts with the forerunner's time.
func lastCommit(ctx context.Context, folder string) (seconds int64, clean bool, err error) {
	log, err := runGit(ctx, folder, "log", "-"+commits, "--first-parent", "--format=%H %ct", "--", ".")
	if err != nil || log == "" {
		return 0, false, err
	}
	for i, line := range strings.Split(log, "\n") {
		commit, stamp, _ := strings.Cut(line, " ")
		at, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil {
			return 0, false, fmt.Errorf("commit %.12s has no valid date: git says %q", commit, stamp)
		}
		switch {
		case !future(at):
			seconds = max(seconds, at)
		case i == 0:
			return 0, false, fmt.Errorf("%w: commit %.12s is dated %s, and it is %s now; "+
				"date it anew with `git commit --amend --no-edit`, or, where it has been pushed, "+
				"add a commit that changes anything in the folder", ErrFuture, commit, clock(at),
				clock(time.Now().Unix()))
		}
	}
	changes, err := runGit(ctx, folder, "status", "--porcelain", "--untracked-files=all", "--", ".")
	return seconds, err == nil && changes == "", err
}

// runGit runs one git command. Outside a repository, and in one without a
// commit, it returns "". A repository that lies among the files of another one
// is not obeyed: its configuration names programs that git would start.
func runGit(ctx context.Context, folder string, args ...string) (string, error) {
	if _, err := os.Stat(folder); err != nil {
		return "", err
	}
	own := []string{"-C", folder, "-c", "safe.bareRepository=explicit", "-c", "log.showSignature=false"}
	command := exec.CommandContext(ctx, "git", append(own, args...)...)
	command.Env = append(os.Environ(), "LC_ALL=C", "GIT_NO_REPLACE_OBJECTS=1") // its messages are read
	out, err := command.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return strings.TrimSpace(string(out)), err
	}
	said := strings.TrimSpace(string(exit.Stderr))
	if strings.Contains(said, "not a git repository") || strings.Contains(said, "does not have any commits yet") {
		return "", nil
	}
	return "", fmt.Errorf("git %s: %s", args[0], said)
}
