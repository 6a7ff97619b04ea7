package change

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// counts reports whether a path is one that Slipway reads: .sql and .sql.conf
// files outside hidden folders.
func counts(p string) bool {
	for folder := range strings.SplitSeq(path.Dir(p), "/") {
		if folder != "." && strings.HasPrefix(folder, ".") {
			return false
		}
	}
	lower := strings.ToLower(p)
	return strings.HasSuffix(lower, ".sql") || strings.HasSuffix(lower, ".sql.conf")
}

func readFolder(folder string) (Tree, error) {
	t := Tree{}
	root, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return nil, fmt.Errorf("the folder of the scripts can't be read: %w", err)
	}
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		p, err := filepath.Rel(root, file)
		p = filepath.ToSlash(p)
		if err != nil || d.IsDir() || !counts(p) {
			return err
		}
		link := d.Type()&fs.ModeSymlink != 0
		var data []byte
		switch {
		case link:
			var to string
			to, err = os.Readlink(file)
			data = []byte(to)
		case d.Type().IsRegular():
			data, err = os.ReadFile(file)
		}
		t[p] = newEntry(p, data, link)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the folder of the scripts can't be read: %w", err)
	}
	return t, nil
}

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

// git runs one git command; its error has what git said.
func git(ctx context.Context, folder string, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "git", append([]string{"-C", folder, "--no-optional-locks", "-c", "core.quotePath=false"}, args...)...)
	command.Env = append(os.Environ(), "LC_ALL=C") // its messages are read
	out, err := command.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, fmt.Errorf("git %s: %w: %s", args[0], err, bytes.TrimSpace(exit.Stderr))
	}
	return out, err
}

func (r repository) commit(ctx context.Context, ref string) string {
	out, err := git(ctx, r.top, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// target is the target branch's newest commit, "" if there is no such branch.
func (r repository) target(ctx context.Context, against *string) (string, error) {
	if *against != "" {
		commit := r.commit(ctx, *against)
		if commit == "" {
			return "", fmt.Errorf("%w: %s is unknown here; fetch it first", ErrNoTarget, *against)
		}
		return commit, nil
	}
	for _, ref := range []string{"origin/master", "master", "origin/main", "main"} {
		if commit := r.commit(ctx, ref); commit != "" {
			*against = ref
			return commit, nil
		}
	}
	return "", nil
}

func (r repository) mergeBase(ctx context.Context, tip, against string) (string, error) {
	head := r.commit(ctx, "HEAD")
	if head == "" {
		return tip, nil // a branch without commits: all that it has is uncommitted
	}
	out, err := git(ctx, r.top, "merge-base", tip, head)
	if err != nil {
		return "", fmt.Errorf("%w: %s and the work tree share no commit; a shallow clone needs `git fetch --unshallow`", ErrNoTarget, against)
	}
	return strings.TrimSpace(string(out)), nil
}

// tree reads the scripts' folder of a commit; one without the folder is an empty tree.
func (r repository) tree(ctx context.Context, commit string) (Tree, error) {
	args := []string{"ls-tree", "-r", "-z", "--full-tree", commit}
	if r.prefix != "" {
		args = append(args, "--", r.prefix+"/")
	}
	out, err := git(ctx, r.top, args...)
	if err != nil {
		return nil, err
	}
	var paths, objects []string
	links := map[string]bool{}
	for record := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		head, p, _ := strings.Cut(record, "\t")
		p = strings.TrimPrefix(p, r.prefix+"/")
		fields := strings.Fields(head) // mode, type, object
		if len(fields) != 3 || fields[1] != "blob" || !counts(p) {
			continue
		}
		paths, objects = append(paths, p), append(objects, fields[2])
		links[p] = fields[0] == "120000"
	}
	return r.blobs(ctx, paths, objects, links)
}

// blobs reads objects with one git process.
func (r repository) blobs(ctx context.Context, paths, objects []string, links map[string]bool) (Tree, error) {
	command := exec.CommandContext(ctx, "git", "-C", r.top, "cat-file", "--batch")
	command.Stdin = strings.NewReader(strings.Join(objects, "\n") + "\n")
	pipe, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if len(objects) == 0 {
		return Tree{}, nil
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	t, in := Tree{}, bufio.NewReader(pipe)
	for _, p := range paths {
		data, err := blob(in)
		if err != nil {
			_ = command.Process.Kill()
			_ = command.Wait()
			return nil, fmt.Errorf("git cat-file: %s: %w", p, err)
		}
		t[p] = newEntry(p, data, links[p])
	}
	_, _ = io.Copy(io.Discard, in)
	return t, command.Wait()
}

// blob reads one answer of cat-file: object, type and size, then the content.
func blob(in *bufio.Reader) ([]byte, error) {
	head, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(head)
	if len(fields) != 3 {
		return nil, fmt.Errorf("git has no such object (%s); a partial clone has to fetch it first", strings.TrimSpace(head))
	}
	size, err := strconv.Atoi(fields[2])
	if err != nil {
		return nil, err
	}
	data := make([]byte, size+1) // and the line end behind it
	_, err = io.ReadFull(in, data)
	return data[:size], err
}
