package script

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// repository is a git repository of a test, whose commits have given times.
type repository struct {
	t    *testing.T
	root string
}

func newRepository(t *testing.T) repository {
	r := repository{t, t.TempDir()}
	r.git(0, "init", "-q", "-b", "main")
	return r
}

func (r repository) git(at int64, args ...string) {
	r.t.Helper()
	cmd := exec.Command("git", append([]string{"-C", r.root, "-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"}, args...)...)
	stamp := strconv.FormatInt(at, 10) + " +0000"
	cmd.Env = append(os.Environ(), "GIT_COMMITTER_DATE="+stamp, "GIT_AUTHOR_DATE="+stamp, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// commit writes a file and commits everything at that time.
func (r repository) commit(at int64, name string) {
	r.t.Helper()
	r.write(name, strconv.FormatInt(at, 10))
	r.git(at, "add", ".")
	r.git(at, "commit", "-q", "-m", name)
}

func (r repository) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r repository) order(want int64) {
	r.t.Helper()
	got, err := Order(r.t.Context(), filepath.Join(r.root, "sql"))
	if err != nil {
		r.t.Fatal(err)
	}
	if got != want {
		r.t.Errorf("order %d, want %d", got, want)
	}
}

const day = 1_700_000_000

func TestOrderIsTheLastCommitOfTheFolder(t *testing.T) {
	r := newRepository(t)
	r.commit(day, "sql/V1__a.sql")
	r.order(day)
	r.commit(day+100, "README.md")
	r.order(day)
	r.commit(day+200, "sql/sub/V2__b.sql")
	r.order(day + 200)
	r.git(day+300, "rm", "-q", "sql/sub/V2__b.sql")
	r.git(day+300, "commit", "-q", "-m", "gone")
	r.order(day + 300)
}

func TestOrderOfAMergeIsTheMerges(t *testing.T) {
	r := newRepository(t)
	r.commit(day, "sql/V1__a.sql")
	r.git(day, "checkout", "-q", "-b", "feature")
	r.commit(day+100, "sql/V2__b.sql")
	r.git(day, "checkout", "-q", "main")
	r.commit(day+200, "sql/V3__c.sql")
	r.order(day + 200)
	r.git(day+300, "merge", "-q", "--no-ff", "-m", "merge", "feature")
	r.order(day + 300)
}

func TestOrderOfADirtyTreeIsItsNewestFile(t *testing.T) {
	r := newRepository(t)
	r.commit(day, "sql/V1__a.sql")
	for _, name := range []string{"sql/V1__a.sql", "sql/V2__new.sql"} {
		r.write(name, "dirty")
		at := time.Unix(day+500, 0)
		if err := os.Chtimes(filepath.Join(r.root, name), at, at); err != nil {
			t.Fatal(err)
		}
		old := time.Unix(day-500, 0)
		for _, other := range []string{"sql/V1__a.sql", "sql"} {
			if other != name {
				if err := os.Chtimes(filepath.Join(r.root, other), old, old); err != nil {
					t.Fatal(err)
				}
			}
		}
		r.order(day + 500)
	}
	// Dirty elsewhere is not dirty here.
	r.git(day+600, "add", ".")
	r.git(day+600, "commit", "-q", "-m", "clean")
	r.write("README.md", "dirty")
	r.order(day + 600)
}

func TestOrderOfADirtyTreeIsNeverBelowItsCommit(t *testing.T) {
	r := newRepository(t)
	r.commit(day, "sql/V1__a.sql")
	r.write("sql/V2__b.sql", "")
	old := time.Unix(day-1000, 0)
	for _, name := range []string{"sql/V1__a.sql", "sql/V2__b.sql", "sql"} {
		if err := os.Chtimes(filepath.Join(r.root, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	r.order(day)
}

func TestOrderWithoutARepository(t *testing.T) {
	root := folder(t, map[string]string{"sql/V1__a.sql": ""})
	for _, name := range []string{"sql/V1__a.sql", "sql"} {
		at := time.Unix(day+7, 0)
		if err := os.Chtimes(filepath.Join(root, name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	repository{t, root}.order(day + 7)
	if _, err := Order(t.Context(), filepath.Join(root, "missing")); err == nil {
		t.Error("a missing folder has an order")
	}
}

func TestOrderOfAFolderThatWasNeverCommitted(t *testing.T) {
	r := newRepository(t)
	r.commit(day, "README.md")
	r.write("sql/V1__a.sql", "")
	at := time.Unix(day+9, 0)
	for _, name := range []string{"sql/V1__a.sql", "sql"} {
		if err := os.Chtimes(filepath.Join(r.root, name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	r.order(day + 9)
}
