// Package change tells what a branch changes in the scripts: the work tree's
// files against those of the target branch, as git has both. It never touches
// the work tree, the index or a ref.
//
// It decides which branch is the target and which files count as one script;
// whether a change is allowed is its caller's.
package change

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"

	"slipway/lambda/script"
)

// ErrNoTarget says that the branch named as target does not exist, or shares
// no commit with the work tree.
var ErrNoTarget = errors.New("no such target branch")

// Entry is one file of a scripts folder.
type Entry struct {
	script.Name
	Path string // below the folder, with slashes
	Data []byte // content; of a symbolic link its target
	Link bool
	Bad  error // why the name means nothing; Name is empty then
}

// Checksum is what Flyway would record, for texts in an encoding in which line
// ends are single bytes.
func (e Entry) Checksum() int32 { return script.Checksum(e.Data) }

// SameBytes reports whether two files hold the same, line ends included, which
// [Entry.Checksum] does not see.
func (e Entry) SameBytes(other Entry) bool {
	return e.Link == other.Link && bytes.Equal(e.Data, other.Data)
}

// Key is the same for files that Flyway takes for the same script: by version,
// or for repeatable scripts by description, else by path.
func (e Entry) Key() string {
	switch e.Kind {
	case script.Versioned, script.Baseline, script.Undo:
		return string(e.Kind) + " " + e.Version.Key()
	case script.Repeatable:
		return "repeatable " + e.Description
	}
	return "file " + e.Path
}

// Tree are the files of a folder at one moment, by path, without those that
// belong to no release (see [script.Ignored]).
type Tree map[string]Entry

// Change is a work tree beside its target branch.
type Change struct {
	Folder  string // the scripts' folder in the work tree
	Prefix  string // the folder below the repository's root, "" at the root or without a repository
	Against string // the target branch's ref; "" when there is none, then everything is new
	Base    Tree   // the last commit that both branches have
	Tip     Tree   // the newest commit of the target branch
	Work    Tree   // the work tree, uncommitted files included

	BaseCommit, TipCommit string // short; "" without a target
	Head                  Head
	// The whole ids: a short one may be a tag's name.
	base, tip string
}

// Head is what is checked out.
type Head struct {
	Branch      string `json:"branch,omitempty"` // "" where a commit is checked out, and no branch
	Commit      string `json:"commit,omitempty"` // short; "" before the first
	Uncommitted bool   `json:"uncommitted"`      // the scripts' folder holds changes that are in no commit
}

// Find compares the folder with a target branch. An empty against tries
// origin/master, master, origin/main and main, and takes none of them for a
// project that has no target yet. A name that is given has to exist.
func Find(ctx context.Context, folder, against string) (*Change, error) {
	c := &Change{Folder: folder, Base: Tree{}, Tip: Tree{}}
	var err error
	if c.Work, err = readFolder(folder); err != nil {
		return nil, err
	}
	g, ok, err := open(ctx, folder)
	if err != nil {
		return nil, err
	}
	if !ok {
		if against != "" {
			return nil, fmt.Errorf("%w: %s is in no git repository", ErrNoTarget, folder)
		}
		return c, nil
	}
	c.Prefix = g.prefix
	if c.Head, err = g.head(ctx); err != nil {
		return nil, err
	}
	tip, err := g.target(ctx, &against)
	if err != nil || tip == "" {
		return c, err
	}
	c.Against = against
	base, err := g.mergeBase(ctx, tip, against)
	if err != nil {
		return nil, err
	}
	c.tip = tip
	c.base = base
	c.TipCommit = short(tip)
	c.BaseCommit = short(base)
	if c.Tip, err = g.tree(ctx, tip); err != nil {
		return nil, err
	}
	c.Base = c.Tip
	if base != tip {
		c.Base, err = g.tree(ctx, base)
	}
	return c, err
}

func short(commit string) string { return commit[:min(12, len(commit))] }

// New are the work tree's migrations that the target branch does not have:
// versioned ones by version, then repeatable ones that are new or changed, by
// description. Flyway would run them in this order after the merge.
func (c *Change) New() []Entry {
	var list []Entry
	known := c.Tip.byKey()
	for _, e := range c.Work {
		other, ok := known[e.Key()]
		switch {
		case e.Kind == script.Versioned && !ok, e.Kind == script.Repeatable &&
			(!ok || other.Checksum() != e.Checksum()):
			list = append(list, e)
		}
	}
	slices.SortFunc(list, Order)
	return list
}

// Order is the order in which Flyway runs scripts.
func Order(a, b Entry) int {
	rank := map[script.Kind]int{script.Versioned: 1, script.Baseline: 1, script.Repeatable: 2, script.Undo: 3}
	second := map[script.Kind]int{script.Baseline: 1} // at one version
	return cmp.Or(cmp.Compare(rank[a.Kind], rank[b.Kind]), a.Version.Compare(b.Version),
		cmp.Compare(second[a.Kind], second[b.Kind]), cmp.Compare(a.Description, b.Description),
		cmp.Compare(a.Path, b.Path))
}

func (t Tree) byKey() map[string]Entry {
	m := map[string]Entry{}
	for _, e := range t {
		m[e.Key()] = e
	}
	return m
}

// Merged is the folder as the merge would leave it: the target branch with
// what the branch added, edited and deleted.
func (c *Change) Merged() Tree {
	merged := Tree{}
	for p, e := range c.Tip {
		merged[p] = e
	}
	for p, e := range c.Work {
		if base, ok := c.Base[p]; !ok || string(base.Data) != string(e.Data) {
			merged[p] = e
		}
	}
	for p := range c.Base {
		if _, ok := c.Work[p]; !ok {
			delete(merged, p)
		}
	}
	return merged
}

// Write lays the tree out in a folder, which need not exist.
func (t Tree) Write(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for p, e := range t {
		if !filepath.IsLocal(filepath.FromSlash(p)) {
			return fmt.Errorf("the path %q leads out of its folder", p)
		}
		target := filepath.Join(folder, filepath.FromSlash(p))
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		var err error
		if e.Link {
			err = os.Symlink(string(e.Data), target)
		} else {
			err = os.WriteFile(target, e.Data, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Sorted are the tree's files by kind and version, see [Order].
func (t Tree) Sorted() []Entry {
	list := make([]Entry, 0, len(t))
	for _, e := range t {
		list = append(list, e)
	}
	slices.SortFunc(list, Order)
	return list
}

func newEntry(p string, data []byte, link bool) Entry {
	name, err := script.ParseFile(path.Base(p))
	if misleading := script.CheckPath(p); misleading != nil {
		name, err = script.Name{}, misleading
	}
	return Entry{Name: name, Path: p, Data: data, Link: link, Bad: err}
}

// FromTexts is a tree of texts by path.
func FromTexts(texts map[string]string) Tree {
	t := Tree{}
	for p, text := range texts {
		t[p] = newEntry(p, []byte(text), false)
	}
	return t
}
