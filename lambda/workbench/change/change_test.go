package change_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"slipway/lambda/proof/changetest"
	"slipway/lambda/workbench/change"
)

type files = map[string]string

func paths(t change.Tree) string {
	var list []string
	for p := range t {
		list = append(list, p)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func TestThreeTrees(t *testing.T) {
	base := files{"V1__a.sql": "1", "V2__b.sql": "2", "sub dir/R__ü.sql": "r"}
	folder := changetest.Branch(t, base,
		files{"V1__a.sql": "edited", "sub dir/R__ü.sql": "r", "V3__mine.sql": "3", "README.md": "x",
			".hidden/V9__x.sql": "9", "x.sh": "x"},
		files{"V1__a.sql": "1", "V2__b.sql": "2", "sub dir/R__ü.sql": "changed there", "V4__theirs.sql": "4",
			"a.py": "x", "notes.txt": "x"})
	before := status(t, folder)
	c, err := change.Find(t.Context(), folder, "")
	if err != nil {
		t.Fatal(err)
	}
	if c.Against != "master" || c.Prefix != "db/sql" || c.BaseCommit == c.TipCommit || len(c.TipCommit) != 12 {
		t.Errorf("%+v", c)
	}
	for name, got := range map[string][2]string{
		"base":   {paths(c.Base), "V1__a.sql V2__b.sql sub dir/R__ü.sql"},
		"tip":    {paths(c.Tip), "V1__a.sql V2__b.sql V4__theirs.sql a.py sub dir/R__ü.sql"},
		"work":   {paths(c.Work), "V1__a.sql V3__mine.sql sub dir/R__ü.sql x.sh"},
		"merged": {paths(c.Merged()), "V1__a.sql V3__mine.sql V4__theirs.sql a.py sub dir/R__ü.sql x.sh"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s has %s, want %s", name, got[0], got[1])
		}
	}
	merged := c.Merged()
	if string(merged["V1__a.sql"].Data) != "edited" || string(merged["sub dir/R__ü.sql"].Data) != "changed there" {
		t.Error("the merge does not take each side's edits")
	}
	if after := status(t, folder); after != before {
		t.Errorf("the repository was touched:\n%s\nthen\n%s", before, after)
	}
	out := filepath.Join(t.TempDir(), "out")
	if err := merged.Write(out); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(out, "sub dir", "R__ü.sql")); err != nil ||
		string(text) != "changed there" {
		t.Errorf("%q, %v", text, err)
	}
}

// status is everything that a look could touch: refs, index, work tree.
func status(t *testing.T, folder string) string {
	t.Helper()
	var all string
	for _, args := range [][]string{{"status", "--porcelain"}, {"show-ref"}, {"ls-files", "-s"}, {"stash", "list"}} {
		out, err := exec.Command("git", append([]string{"-C", folder}, args...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		all += string(out) + "\n"
	}
	return all
}

func TestTargets(t *testing.T) {
	folder := changetest.Branch(t, files{"V1__a.sql": "1"}, files{"V1__a.sql": "1", "V2__b.sql": "2"}, nil)
	if _, err := change.Find(t.Context(), folder, "nowhere"); !errors.Is(err, change.ErrNoTarget) {
		t.Error(err)
	}
	if _, err := change.Find(t.Context(), folder, "--help"); !errors.Is(err, change.ErrNoTarget) {
		t.Errorf("an option passed for a branch: %v", err)
	}
	if _, err := change.Find(t.Context(), filepath.Join(folder, "none"), ""); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	root := filepath.Dir(filepath.Dir(folder))
	orphan := exec.Command("git", "-C", root, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit-tree",
		"-m", "x", "HEAD^{tree}")
	out, err := orphan.Output()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := change.Find(t.Context(), folder, strings.TrimSpace(string(out))); !errors.Is(err,
		change.ErrNoTarget) || !strings.Contains(err.Error(), "unshallow") {
		t.Error(err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := change.Find(t.Context(), folder, ""); err == nil {
		t.Error("without git every script passed for new")
	}
}

func TestPathsStayInside(t *testing.T) {
	if err := change.FromTexts(files{"../V1__a.sql": "1"}).Write(t.TempDir()); err == nil {
		t.Error("a file was written outside its folder")
	}
}

func TestNew(t *testing.T) {
	c := &change.Change{
		Tip: change.FromTexts(files{"V1__a.sql": "1", "R__same.sql": "s", "R__edited.sql": "e"}),
		Work: change.FromTexts(files{"V01__a.sql": "1", "V10__c.sql": "", "V2__b.sql": "", "R__same.sql": "s",
			"R__edited.sql": "E", "U2__b.sql": "", "beforeMigrate.sql": ""}),
	}
	var got []string
	for _, e := range c.New() {
		got = append(got, e.Path)
	}
	if s := strings.Join(got, " "); s != "V2__b.sql V10__c.sql R__edited.sql" {
		t.Error(s)
	}
}
