//go:build faults

package faults

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"slipway/lambda/script"
	"slipway/lambda/workbench/assembly"
	"slipway/lambda/workbench/change"
)

var attackReviewFaults = []fault{
	{"attack-order-of-the-future",
		"a release that a commit of the future belongs to is refused at synthesis: every later one would count as " +
			"older", func(t *testbed) {
			r := t.repository()
			at := time.Now().Add(24 * time.Hour).Format(time.RFC3339)
			r.env = []string{"GIT_COMMITTER_DATE=" + at, "GIT_AUTHOR_DATE=" + at}
			r.commit("V2__two.sql", "SELECT 2;")
			_, err := script.Order(t.ctx, r.sql)
			t.check(errors.Is(err, script.ErrFuture), "order: %v", err)
			t.contains(err.Error(), r.git("rev-parse", "--short=12", "HEAD"))
			t.saw("refused, and the commit is named")
		}},
	{"attack-tag-named-like-a-branch",
		"a tag origin/master is not taken for the branch that scripts are compared with", func(t *testbed) {
			r := t.repository()
			base := r.git("rev-parse", "HEAD")
			r.git("update-ref", "refs/remotes/origin/master", base)
			r.commit("V2__two.sql", "SELECT 2;")
			r.git("tag", "origin/master")
			c, err := change.Find(t.ctx, r.sql, "origin/master")
			t.must(err)
			scripts := len(c.New())
			t.check(strings.HasPrefix(base, c.TipCommit) && scripts == 1, "compared with %s, %d new scripts",
				c.TipCommit, scripts)
			t.saw("compared with the branch, by which V2 is new")
		}},
	{"attack-repository-among-scripts",
		"files that look like a git repository in the scripts' folder are not obeyed", func(t *testbed) {
			r := t.repository()
			bare := filepath.Join(t.dir, "bare")
			r.git("clone", "-q", "--bare", r.git("rev-parse", "--show-toplevel"), bare)
			for _, part := range []string{"HEAD", "objects", "refs", "packed-refs"} {
				t.must(os.Rename(filepath.Join(bare, part), filepath.Join(r.sql, part)))
			}
			config := "[core]\n\tbare = false\n\tworktree = " + r.sql + "\n"
			t.must(os.WriteFile(filepath.Join(r.sql, "config"), []byte(config), 0o644))
			_, err := change.Find(t.ctx, r.sql, "master")
			t.check(err != nil, "it was obeyed")
			t.contains(err.Error(), "bare repository")
			t.saw("refused: cannot use bare repository")
		}},
	{"attack-approval-of-more-than-scripts",
		"a review's approval is withheld where a branch brings more than scripts", func(t *testbed) {
			r := t.repository()
			r.git("checkout", "-q", "-b", "feature")
			t.must(os.Symlink("V1__one.sql", filepath.Join(r.sql, "V3__three.sql")))
			t.must(os.WriteFile(filepath.Join(filepath.Dir(r.sql), "cdk.json"), []byte("{}"), 0o644))
			r.commit("V2__two.sql", "SELECT 2;")
			c, err := change.Find(t.ctx, r.sql, "master")
			t.must(err)
			beyond, err := c.Beyond(t.ctx)
			t.must(err)
			t.check(len(beyond) == 2, "%q", beyond)
			t.contains(strings.Join(beyond, "\n"), "cdk.json", "V3__three.sql")
			t.saw("%s", strings.Join(beyond, "; "))
		}},
	{"attack-assembly-of-a-branch",
		"of a branch's cloud assembly nothing is read but the templates of the known stacks in the known account",
		func(t *testbed) {
			folder := filepath.Join(t.dir, "made", "cdk.out")
			t.must(os.MkdirAll(folder, 0o755))
			manifest := `{"artifacts": {"x": {"type": "aws:cloudformation:stack", "environment": "aws://999988887777/us-east-1",
			"properties": {"stackName": "slipway-prod", "templateFile": "x.json"}}}}`
			t.must(os.WriteFile(filepath.Join(folder, "manifest.json"), []byte(manifest), 0o644))
			want := assembly.Expected{Stacks: []string{"slipway-prod"}, Account: "111122223333", Region: "us-east-1"}
			err := assembly.Extract(filepath.Dir(folder), filepath.Join(t.dir, "prod"), want)
			t.check(err != nil, "it was taken")
			t.contains(err.Error(), "aws://999988887777/us-east-1", "aws://111122223333/us-east-1")
			t.saw("refused: %v", err)
		}},
}

// project is a repository of a fault, whose branch master has V1.
type project struct {
	t   *testbed
	sql string
	env []string
}

func (t *testbed) repository() *project {
	p := &project{t: t, sql: filepath.Join(t.dir, "project", "sql")}
	t.must(os.MkdirAll(p.sql, 0o755))
	p.git("init", "-q", "-b", "master", "..")
	p.commit("V1__one.sql", "SELECT 1;")
	return p
}

func (p *project) commit(name, sql string) {
	p.t.must(os.WriteFile(filepath.Join(p.sql, name), []byte(sql), 0o644))
	p.git("add", "-A", "..")
	p.git("commit", "-q", "-m", name)
}

func (p *project) git(arguments ...string) string {
	own := []string{
		"-C", p.sql, "-c", "user.name=fault", "-c", "user.email=fault@example.com", "-c", "commit.gpgsign=false",
	}
	command := exec.CommandContext(p.t.ctx, "git", append(own, arguments...)...)
	command.Env = append(os.Environ(), p.env...)
	out, err := command.CombinedOutput()
	p.t.check(err == nil, "git %v: %s", arguments, out)
	return strings.TrimSpace(string(out))
}
