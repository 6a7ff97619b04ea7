package change_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"slipway/lambda/proof/changetest"
	"slipway/lambda/workbench/change"
)

// clone is a project with three commits, of which names tell one from another:
// V1 is in all, V2 in the second, V3 in the third, on whose branch it is.
type clone struct {
	t      *testing.T
	sql    string
	commit map[string]string // by its last script's name
}

func newClone(t *testing.T) clone {
	t.Helper()
	all := []files{{"V1__a.sql": "1"}, {"V1__a.sql": "1", "V2__b.sql": "2"}, {"V1__a.sql": "1", "V3__c.sql": "3"}}
	c := clone{t, changetest.Branch(t, all[0], all[1], nil), map[string]string{}}
	c.commit["V1"] = c.git("rev-parse", "HEAD")
	c.git("add", "-A")
	c.git("commit", "-q", "-m", "two")
	c.commit["V2"] = c.git("rev-parse", "HEAD")
	c.git("checkout", "-q", "-b", "work", c.commit["V1"])
	if err := os.WriteFile(filepath.Join(c.sql, "V3__c.sql"), []byte("3"), 0o644); err != nil {
		t.Fatal(err)
	}
	c.git("add", "-A")
	c.git("commit", "-q", "-m", "three")
	c.commit["V3"] = c.git("rev-parse", "HEAD")
	c.git("branch", "-q", "-D", "master", "feature")
	return c
}

func (c clone) git(args ...string) string {
	c.t.Helper()
	command := exec.Command("git", append([]string{"-C", c.sql, "-c", "user.name=t", "-c", "user.email=t@example.com",
		"-c", "commit.gpgsign=false"}, args...)...)
	out, err := command.CombinedOutput()
	if err != nil {
		c.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// refs sets refs to commits; one that begins with @ points at another ref.
func (c clone) refs(refs files) {
	c.t.Helper()
	for ref, to := range refs {
		if other, ok := strings.CutPrefix(to, "@"); ok {
			c.git("symbolic-ref", ref, other)
			continue
		}
		// As a file: git's own commands refuse some of the names.
		file := filepath.Join(c.git("rev-parse", "--absolute-git-dir"), filepath.FromSlash(ref))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			c.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(c.commit[to]+"\n"), 0o644); err != nil {
			c.t.Fatal(err)
		}
	}
}

// A name is a branch's, whatever else bears it. On the old code git's own rules
// held, by which a tag comes first.
func TestNamesOfTargets(t *testing.T) {
	for name, c := range map[string]struct {
		refs    files
		against string
		want    string // the commit, or what the error says
		is      string // the name that reports print, if another one
	}{
		"a tag named like the default": {refs: files{"refs/remotes/origin/master": "V1",
			"refs/tags/origin/master": "V2"}, want: "V1", is: "origin/master"},
		"that tag alone": {refs: files{"refs/tags/origin/master": "V2", "refs/tags/master": "V2",
			"refs/heads/main": "V1"}, want: "V1", is: "main"},
		"a tag named like the one given": {refs: files{"refs/remotes/origin/next": "V1",
			"refs/tags/origin/next": "V2"}, against: "origin/next", want: "V1"},
		"a tag like a local branch": {refs: files{"refs/heads/next": "V1", "refs/tags/next": "V2"},
			against: "next", want: "V1"},
		"a tag where no branch is": {refs: files{"refs/tags/origin/next": "V2"}, against: "origin/next",
			want: "name the tag: refs/tags/origin/next"},
		"a tag's forerunner": {refs: files{"refs/tags/v2": "V2"}, against: "v2~1",
			want: "refs/tags/v2~1"},
		"a tag that is meant": {refs: files{"refs/tags/v2": "V2", "refs/heads/refs/tags/v2": "V1"},
			against: "refs/tags/v2", want: "V2"},
		"a local branch like a remote's": {refs: files{"refs/remotes/origin/next": "V1",
			"refs/heads/origin/next": "V2"}, against: "origin/next",
			want: "refs/heads/origin/next or refs/remotes/origin/next"},
		"the same twice": {refs: files{"refs/remotes/origin/next": "V1",
			"refs/heads/origin/next": "V1"}, against: "origin/next", want: "V1"},
		"a whole name": {refs: files{"refs/remotes/origin/next": "V1",
			"refs/heads/origin/next": "V2"}, against: "refs/remotes/origin/next", want: "V1"},
		"a whole name as a branch and a tag": {refs: files{"refs/remotes/origin/next": "V1",
			"refs/heads/refs/remotes/origin/next": "V2", "refs/tags/refs/remotes/origin/next": "V2"},
			against: "refs/remotes/origin/next", want: "V1"},
		"half a name": {refs: files{"refs/heads/next": "V1", "refs/tags/heads/next": "V2"},
			against: "heads/next", want: "V1"},
		"a forerunner": {refs: files{"refs/remotes/origin/next": "V2", "refs/tags/origin/next": "V2"},
			against: "origin/next~1", want: "V1"},
		"a branch named HEAD": {refs: files{"refs/heads/HEAD": "V2", "refs/tags/HEAD": "V2"}, against: "HEAD",
			want: "V3"},
		"before a branch named HEAD": {refs: files{"refs/heads/HEAD": "V2", "refs/tags/HEAD": "V2"},
			against: "HEAD^", want: "V1"},
		"a branch named like a commit": {refs: files{"refs/heads/<V1>": "V2", "refs/tags/<V1>": "V2",
			"refs/remotes/<V1>": "V2"}, against: "<V1>", want: "V1"},
		"an option":                     {against: "--all", want: "unknown here"},
		"a branch named like an option": {refs: files{"refs/heads/--all": "V1"}, against: "--all", want: "V1"},
		"an empty revision":             {against: "^", want: "unknown here"},
		"nothing of that name":          {against: "next", want: "next is unknown here; fetch it first"},
		"the remote's own choice": {refs: files{"refs/remotes/origin/master": "V2",
			"refs/remotes/origin/main": "V1", "refs/remotes/origin/HEAD": "@refs/remotes/origin/main"}, want: "V1",
			is: "origin/main"},
	} {
		t.Run(name, func(t *testing.T) {
			made := newClone(t)
			commits := strings.NewReplacer("<V1>", made.commit["V1"])
			for ref, to := range c.refs {
				made.refs(files{commits.Replace(ref): to})
			}
			against := commits.Replace(c.against)
			got, err := change.Find(t.Context(), made.sql, against)
			commit, found := made.commit[c.want]
			switch {
			case !found && (!errors.Is(err, change.ErrNoTarget) || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want an error with %q", err, c.want)
			case found && err != nil:
				t.Error(err)
			case found && !strings.HasPrefix(commit, got.TipCommit):
				t.Errorf("taken for %s, not for %s", got.TipCommit, commit)
			case found && c.is != "" && got.Against != c.is:
				t.Errorf("called %s, not %s", got.Against, c.is)
			}
		})
	}
}

// A branch can bring files that make a repository of the scripts' folder, in
// which commits stand for others. What is on the target branch then looked like
// what the branch wants.
func TestARepositoryAmongTheFilesIsNotObeyed(t *testing.T) {
	made := newClone(t)
	made.refs(files{"refs/remotes/origin/master": "V1"})
	bare := filepath.Join(t.TempDir(), "bare")
	made.git("clone", "-q", "--bare", made.git("rev-parse", "--show-toplevel"), bare)
	for _, part := range []string{"HEAD", "objects", "refs", "packed-refs"} {
		if err := os.Rename(filepath.Join(bare, part), filepath.Join(made.sql, part)); err != nil {
			t.Fatal(err)
		}
	}
	config := "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = " + made.sql + "\n"
	if err := os.WriteFile(filepath.Join(made.sql, "config"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	if c, err := change.Find(t.Context(), made.sql, made.commit["V1"]); err == nil ||
		!strings.Contains(err.Error(), "bare repository") {
		t.Errorf("compared by way of %q: %v", c.Prefix, err)
	}
}

// Objects that stand in for others are somebody's own view of a history.
func TestReplacedCommitsAreNotObeyed(t *testing.T) {
	made := newClone(t)
	made.git("replace", made.commit["V1"], made.commit["V2"])
	c, err := change.Find(t.Context(), made.sql, made.commit["V1"])
	if err != nil {
		t.Fatal(err)
	}
	if got := paths(c.Tip); got != "V1__a.sql" {
		t.Errorf("the target has %s", got)
	}
}
