package change

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Project is the folder of the project that the scripts belong to, in the work
// tree and in the commit at which the branch began.
type Project struct {
	Prefix string // below the repository's root, "" at the root
	change *Change
	top    string
}

// Project finds the project in a folder. ok is false where there is nothing to
// compare: no target branch, scripts of another repository, or a branch that
// changes nothing but scripts and Markdown.
func (c *Change) Project(ctx context.Context, folder string) (p Project, ok bool, err error) {
	if c.base == "" {
		return Project{}, false, nil
	}
	scripts, ok, err := open(ctx, c.Folder)
	if err != nil || !ok {
		return Project{}, false, err
	}
	here, ok, err := open(ctx, folder)
	if err != nil || !ok || here.top != scripts.top {
		return Project{}, false, err
	}
	p = Project{Prefix: here.prefix, change: c, top: here.top}
	changed, err := p.changed(ctx, scripts.prefix)
	return p, changed, err
}

// changed reports whether a file that is neither a script nor Markdown differs
// in the work tree, those that git does not know yet included.
func (p Project) changed(ctx context.Context, scripts string) (bool, error) {
	var files []string
	for _, args := range [][]string{
		{"diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--ignore-submodules=none", p.change.base, "--"},
		{"ls-files", "--others", "--exclude-standard", "-z"},
	} {
		out, err := git(ctx, p.top, args...)
		if err != nil {
			return false, err
		}
		files = append(files, strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")...)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		inside := scripts == "" || strings.HasPrefix(file, scripts+"/")
		return file != "" && !inside && !strings.HasSuffix(strings.ToLower(file), ".md")
	}), nil
}

// Checkout lays out the project as it was where the branch began, in that new
// folder, and returns the project's folder there. Git's own index and the work
// tree stay as they are.
func (p Project) Checkout(ctx context.Context, folder string) (string, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return "", err
	}
	for _, args := range [][]string{
		{"-c", "core.sparseCheckout=false", "read-tree", p.change.base},
		{"checkout-index", "--all", "--quiet", "--prefix=" + folder + "/tree/"},
	} {
		command := gitCommand(ctx, p.top, args...)
		command.Env = append(command.Env, "GIT_INDEX_FILE="+filepath.Join(folder, "index"))
		if out, err := command.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s can't be laid out beside the work tree: git %s: %w: %s", p.change.Against, args,
				err, out)
		}
	}
	return filepath.Join(folder, "tree", filepath.FromSlash(p.Prefix)), nil
}
