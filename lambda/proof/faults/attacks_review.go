package main

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
		"a release that a commit of the future belongs to is refused at synthesis: every later one would count as older", func(l *lab) {
			r := l.repository()
			at := time.Now().Add(24 * time.Hour).Format(time.RFC3339)
			r.env = []string{"GIT_COMMITTER_DATE=" + at, "GIT_AUTHOR_DATE=" + at}
			r.commit("V2__two.sql", "SELECT 2;")
			_, err := script.Order(l.ctx, r.sql)
			l.check(errors.Is(err, script.ErrFuture), "order: %v", err)
			l.contains(err.Error(), r.git("rev-parse", "--short=12", "HEAD"))
			l.saw("refused, and the commit is named")
		}},
	{"attack-tag-named-like-a-branch",
		"a tag origin/master is not taken for the branch that scripts are compared with", func(l *lab) {
			r := l.repository()
			base := r.git("rev-parse", "HEAD")
			r.git("update-ref", "refs/remotes/origin/master", base)
			r.commit("V2__two.sql", "SELECT 2;")
			r.git("tag", "origin/master")
			c, err := change.Find(l.ctx, r.sql, "origin/master")
			l.must(err)
			scripts := len(c.New())
			l.check(strings.HasPrefix(base, c.TipCommit) && scripts == 1, "compared with %s, %d new scripts", c.TipCommit, scripts)
			l.saw("compared with the branch, by which V2 is new")
		}},
	{"attack-repository-among-scripts",
		"files that look like a git repository in the scripts' folder are not obeyed", func(l *lab) {
			r := l.repository()
			bare := filepath.Join(l.dir, "bare")
			r.git("clone", "-q", "--bare", r.git("rev-parse", "--show-toplevel"), bare)
			for _, part := range []string{"HEAD", "objects", "refs", "packed-refs"} {
				l.must(os.Rename(filepath.Join(bare, part), filepath.Join(r.sql, part)))
			}
			config := "[core]\n\tbare = false\n\tworktree = " + r.sql + "\n"
			l.must(os.WriteFile(filepath.Join(r.sql, "config"), []byte(config), 0o644))
			_, err := change.Find(l.ctx, r.sql, "master")
			l.check(err != nil, "it was obeyed")
			l.contains(err.Error(), "bare repository")
			l.saw("refused: cannot use bare repository")
		}},
	{"attack-approval-of-more-than-scripts",
		"a review's approval is withheld where a branch brings more than scripts", func(l *lab) {
			r := l.repository()
			r.git("checkout", "-q", "-b", "feature")
			l.must(os.Symlink("V1__one.sql", filepath.Join(r.sql, "V3__three.sql")))
			l.must(os.WriteFile(filepath.Join(filepath.Dir(r.sql), "cdk.json"), []byte("{}"), 0o644))
			r.commit("V2__two.sql", "SELECT 2;")
			c, err := change.Find(l.ctx, r.sql, "master")
			l.must(err)
			beyond, err := c.Beyond(l.ctx)
			l.must(err)
			l.check(len(beyond) == 2, "%q", beyond)
			l.contains(strings.Join(beyond, "\n"), "cdk.json", "V3__three.sql")
			l.saw("%s", strings.Join(beyond, "; "))
		}},
	{"attack-assembly-of-a-branch",
		"of a branch's cloud assembly nothing is read but the templates of the known stacks in the known account", func(l *lab) {
			folder := filepath.Join(l.dir, "made", "cdk.out")
			l.must(os.MkdirAll(folder, 0o755))
			manifest := `{"artifacts": {"x": {"type": "aws:cloudformation:stack", "environment": "aws://999988887777/us-east-1",
			"properties": {"stackName": "slipway-prod", "templateFile": "x.json"}}}}`
			l.must(os.WriteFile(filepath.Join(folder, "manifest.json"), []byte(manifest), 0o644))
			want := assembly.Expected{Stacks: []string{"slipway-prod"}, Account: "111122223333", Region: "us-east-1"}
			err := assembly.Extract(filepath.Dir(folder), filepath.Join(l.dir, "prod"), want)
			l.check(err != nil, "it was taken")
			l.contains(err.Error(), "aws://999988887777/us-east-1", "aws://111122223333/us-east-1")
			l.saw("refused: %v", err)
		}},
}

// project is a repository of a fault, whose branch master has V1.
type project struct {
	l   *lab
	sql string
	env []string
}

func (l *lab) repository() *project {
	p := &project{l: l, sql: filepath.Join(l.dir, "project", "sql")}
	l.must(os.MkdirAll(p.sql, 0o755))
	p.git("init", "-q", "-b", "master", "..")
	p.commit("V1__one.sql", "SELECT 1;")
	return p
}

func (p *project) commit(name, sql string) {
	p.l.must(os.WriteFile(filepath.Join(p.sql, name), []byte(sql), 0o644))
	p.git("add", "-A", "..")
	p.git("commit", "-q", "-m", name)
}

func (p *project) git(arguments ...string) string {
	own := []string{
		"-C", p.sql, "-c", "user.name=fault", "-c", "user.email=fault@example.com", "-c", "commit.gpgsign=false",
	}
	command := exec.CommandContext(p.l.ctx, "git", append(own, arguments...)...)
	command.Env = append(os.Environ(), p.env...)
	out, err := command.CombinedOutput()
	p.l.check(err == nil, "git %v: %s", arguments, out)
	return strings.TrimSpace(string(out))
}
