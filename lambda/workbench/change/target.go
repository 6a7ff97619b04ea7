package change

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// repository is the git repository that a folder is in.
type repository struct{ top, prefix string }

// open finds the repository; ok is false where there is none. Another failure
// is no such answer: without git, or in a folder that git refuses as somebody
// else's, every script would pass for new.
func open(ctx context.Context, folder string) (r repository, ok bool, err error) {
	out, err := git(ctx, folder, "rev-parse", "--show-toplevel", "--show-prefix")
	if err != nil && strings.Contains(err.Error(), "not a git repository") {
		return repository{}, false, nil
	}
	if err != nil {
		return repository{}, false, err
	}
	top, prefix, _ := strings.Cut(strings.TrimSuffix(string(out), "\n"), "\n")
	return repository{top: top, prefix: strings.TrimSuffix(prefix, "/")}, true, nil
}

// gitCommand is one git command. A repository that lies among the files of
// another one is not obeyed, nor are objects that stand in for others: either
// would show a branch as another one than it is.
func gitCommand(ctx context.Context, folder string, args ...string) *exec.Cmd {
	own := []string{
		"-C", folder, "--no-optional-locks", "--literal-pathspecs",
		"-c", "core.quotePath=false", "-c", "safe.bareRepository=explicit",
	}
	command := exec.CommandContext(ctx, "git", append(own, args...)...)
	command.Env = append(os.Environ(), "LC_ALL=C", "GIT_NO_REPLACE_OBJECTS=1") // its messages are read
	return command
}

// git runs one git command; its error has what git said.
func git(ctx context.Context, folder string, args ...string) ([]byte, error) {
	out, err := gitCommand(ctx, folder, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, fmt.Errorf("git %s: %w: %s", args[0], err, bytes.TrimSpace(exit.Stderr))
	}
	return out, err
}

// head is what is checked out.
func (r repository) head(ctx context.Context) (h Head, err error) {
	if h.Commit = short(r.commit(ctx, "HEAD")); h.Commit == "" {
		return h, nil
	}
	name, err := git(ctx, r.top, "rev-parse", "--abbrev-ref", "HEAD")
	if h.Branch = strings.TrimSpace(string(name)); h.Branch == "HEAD" || err != nil {
		h.Branch = ""
	}
	args := []string{"status", "--porcelain", "--untracked-files=all"}
	if r.prefix != "" {
		args = append(args, "--", r.prefix+"/")
	}
	out, err := git(ctx, r.top, args...)
	h.Uncommitted = len(out) > 0
	return h, err
}

// commit is the id of the commit that git takes the revision for, "" for none.
func (r repository) commit(ctx context.Context, revision string) string {
	out, err := git(ctx, r.top, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// target is the target branch's newest commit, "" if there is no such branch.
func (r repository) target(ctx context.Context, against *string) (string, error) {
	if *against != "" {
		return r.resolve(ctx, *against)
	}
	for _, branch := range r.usual(ctx) {
		for _, folder := range []string{remotes, heads} {
			ref := folder + branch
			if folder == remotes {
				ref = folder + "origin/" + branch
			}
			if commit := r.commit(ctx, ref); commit != "" {
				*against = strings.TrimPrefix(ref, folder)
				return commit, nil
			}
		}
	}
	return "", nil
}

// Folders of refs.
const (
	heads   = "refs/heads/"
	remotes = "refs/remotes/"
	tags    = "refs/tags/"
)

// usual are the usual names of a target branch. Where the remote has both,
// which of them it is stands in the clone.
func (r repository) usual(ctx context.Context) []string {
	head, err := git(ctx, r.top, "symbolic-ref", "--quiet", remotes+"origin/HEAD")
	if err == nil && strings.TrimSpace(string(head)) == remotes+"origin/main" {
		return []string{"main", "master"}
	}
	return []string{"master", "main"}
}

var (
	// exact are names that mean one thing, whatever branches and tags there are.
	exact = regexp.MustCompile(`^(refs/.*|([0-9a-f]{40}|[0-9a-f]{64}|@|HEAD|[A-Z]+_HEAD)([~^@].*)?)$`)
	// suffix is what git allows behind a name: main~2, main^, main@{yesterday}.
	suffix = regexp.MustCompile(`[~^].*$|@\{.*$`)
)

// resolve finds the commit of a name that a person gave. It is a branch's, of
// here or of a remote. git would prefer a tag of that name.
func (r repository) resolve(ctx context.Context, name string) (string, error) {
	unknown := fmt.Errorf("%w: %s is unknown here; fetch it first", ErrNoTarget, name)
	if exact.MatchString(name) {
		if commit := r.commit(ctx, name); commit != "" {
			return commit, nil
		}
		return "", unknown
	}
	var refs, commits []string
	for _, folder := range []string{heads, remotes, "refs/"} {
		if commit := r.commit(ctx, folder+name); commit != "" {
			refs = append(refs, folder+name)
			commits = append(commits, commit)
		}
	}
	switch {
	case len(slices.Compact(slices.Sorted(slices.Values(commits)))) > 1:
		return "", fmt.Errorf("%w: %s may be %s; give the one that is meant by that name",
			ErrNoTarget, name, strings.Join(refs, " or "))
	case len(commits) > 0:
		return commits[0], nil
	}
	base := suffix.ReplaceAllString(name, "")
	if r.commit(ctx, tags+base) != "" {
		return "", fmt.Errorf("%w: there is no branch %s here, but a tag; fetch the branch, or name the tag: %s%s",
			ErrNoTarget, base, tags, name)
	}
	if commit := r.commit(ctx, name); commit != "" {
		return commit, nil
	}
	return "", unknown
}

func (r repository) mergeBase(ctx context.Context, tip, against string) (string, error) {
	head := r.commit(ctx, "HEAD")
	if head == "" {
		return tip, nil // a branch without commits: all that it has is uncommitted
	}
	out, err := git(ctx, r.top, "merge-base", tip, head)
	if err != nil {
		return "", fmt.Errorf("%w: %s and the work tree share no commit; a shallow clone needs `git fetch --unshallow`",
			ErrNoTarget, against)
	}
	return strings.TrimSpace(string(out)), nil
}
