package script

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
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
	cmd := exec.Command("git", append([]string{"-C", r.root, "-c", "user.name=T", "-c", "user.email=t@example.com",
		"-c", "commit.gpgsign=false"}, args...)...)
	stamp := strconv.FormatInt(at, 10) + " +0000"
	cmd.Env = append(os.Environ(), "GIT_COMMITTER_DATE="+stamp, "GIT_AUTHOR_DATE="+stamp, "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_CONFIG_NOSYSTEM=1")
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

// refused are the words of an order's refusal.
func (r repository) refused(want error, words ...string) {
	r.t.Helper()
	got, err := Order(r.t.Context(), filepath.Join(r.root, "sql"))
	if err == nil || !errors.Is(err, want) {
		r.t.Fatalf("order %d, %v, want %v", got, err, want)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			r.t.Errorf("%q lacks %q", err, word)
		}
	}
}

func (r repository) head() string {
	r.t.Helper()
	out, err := exec.Command("git", "-C", r.root, "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// Whatever came after such a release would count as older, in silence.
func TestOrderInTheFutureIsRefused(t *testing.T) {
	now := time.Now().Unix()
	r := newRepository(t)
	r.commit(now+3600, "sql/V1__a.sql")
	r.refused(ErrFuture, r.head(), "git commit --amend")
	// The scripts' folder counts, not what was committed beside it.
	r.commit(now, "README.md")
	r.refused(ErrFuture)
	// A way out for who can't rewrite the branch. The commit is still there.
	r.commit(now-60, "sql/README.md")
	r.order(now - 60)
	// Clocks differ a little.
	r.commit(now+120, "sql/V2__b.sql")
	r.order(now + 120)
	// A merge is the commit that counts.
	r.git(now, "checkout", "-q", "-b", "feature")
	r.commit(now+3600, "sql/V3__c.sql")
	r.git(now, "checkout", "-q", "main")
	r.git(now+180, "merge", "-q", "--no-ff", "-m", "merge", "feature")
	r.order(now + 180)
	r.git(now, "checkout", "-q", "-b", "other")
	r.commit(now, "sql/V4__d.sql")
	r.git(now, "checkout", "-q", "main")
	r.git(now+7200, "merge", "-q", "--no-ff", "-m", "merge", "other")
	r.refused(ErrFuture, r.head())
}

func TestOrderOfAFileOfTheFutureIsRefused(t *testing.T) {
	at := time.Now().Add(time.Hour)
	dirty := newRepository(t)
	dirty.commit(day, "sql/V1__a.sql")
	dirty.write("sql/V2__b.sql", "")
	for name, root := range map[string]string{"uncommitted": dirty.root,
		"no repository": folder(t, map[string]string{"sql/V2__b.sql": ""})} {
		t.Run(name, func(t *testing.T) {
			if err := os.Chtimes(filepath.Join(root, "sql/V2__b.sql"), at, at); err != nil {
				t.Fatal(err)
			}
			repository{t, root}.refused(ErrFuture, "V2__b.sql", "touch")
		})
	}
	// A folder's time is its last file's, which may be gone.
	gone := folder(t, map[string]string{"sql/V1__a.sql": ""})
	if err := os.Chtimes(filepath.Join(gone, "sql"), at, at); err != nil {
		t.Fatal(err)
	}
	repository{t, gone}.refused(ErrFuture, filepath.Join(gone, "sql"))
}

// A commit of a machine whose clock is slow comes after the one before it.
func TestOrderDoesNotFallWithASlowClock(t *testing.T) {
	r := newRepository(t)
	r.commit(day+500, "sql/V1__a.sql")
	r.commit(day+100, "sql/V2__b.sql")
	r.order(day + 500)
	r.commit(100_000_001, "sql/V3__c.sql") // about the oldest that git takes
	r.order(day + 500)
	r.commit(day+501, "sql/V4__d.sql")
	r.order(day + 501)
	// Who goes back on purpose goes back.
	r.git(day, "checkout", "-q", "HEAD~1")
	r.order(day + 500)
}

// What git is configured to print, or to pass over, changes no order.
func TestOrderWithAConfigurationOfOnesOwn(t *testing.T) {
	r := newRepository(t)
	r.commit(day, "sql/V1__a.sql")
	r.git(day, "config", "log.showSignature", "true")
	r.git(day, "config", "status.showUntrackedFiles", "no")
	r.order(day)
	r.write("sql/V2__new.sql", "")
	for name, at := range map[string]int64{"sql": day, "sql/V1__a.sql": day, "sql/V2__new.sql": day + 5} {
		if err := os.Chtimes(filepath.Join(r.root, name), time.Unix(at, 0), time.Unix(at, 0)); err != nil {
			t.Fatal(err)
		}
	}
	r.order(day + 5)
}

// Files can look like a repository whose configuration starts a program.
func TestOrderObeysNoRepositoryAmongTheFiles(t *testing.T) {
	r := newRepository(t)
	r.commit(day, "sql/V1__a.sql")
	marker := filepath.Join(t.TempDir(), "ran")
	sql := filepath.Join(r.root, "sql")
	if out, err := exec.Command("git", "clone", "-q", "--bare", r.root, sql+"/bare").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, part := range []string{"HEAD", "objects", "refs", "packed-refs"} {
		if err := os.Rename(filepath.Join(sql, "bare", part), filepath.Join(sql, part)); err != nil {
			t.Fatal(err)
		}
	}
	r.write("sql/config", "[core]\n\tbare = false\n\tworktree = "+sql+"\n\tfsmonitor = touch "+marker+"; false\n")
	if _, err := Order(t.Context(), sql); err == nil {
		t.Error("an order was made of it")
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("a program that the files name was started")
	}
}

// A folder that git refuses to look at is not one without a repository: the
// times of a checkout's files are above those of all commits.
func TestOrderNeedsGit(t *testing.T) {
	r := newRepository(t)
	r.commit(day, "sql/V1__a.sql")
	t.Setenv("PATH", t.TempDir())
	if order, err := Order(t.Context(), filepath.Join(r.root, "sql")); err == nil {
		t.Errorf("order %d without git", order)
	}
}
