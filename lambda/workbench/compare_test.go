package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// compared is a repository with a project in a folder of its own, whose app lays
// out what lies in made/: the templates of the environment prod.
type compared struct {
	*site
	repository string
}

func newCompared(t *testing.T) compared {
	t.Helper()
	s := newSite(t)
	repository, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	c := compared{s, repository}
	c.write("shop/cdk.json", `{"app": "cp -R made \"$CDK_OUTDIR\"", "context": {"environments": {"prod": {}}}}`)
	c.write("shop/sql/postgresql/V1__a.sql", "SELECT 1;")
	c.made("app")
	c.git("init", "-q", "-b", "master")
	c.commit("base")
	c.git("checkout", "-q", "-b", "feature")
	return c
}

// made writes what the app lays out, with that name of the database.
func (c compared) made(name string) {
	c.Helper()
	at := c.repository
	c.Chdir(at)
	c.assemble(functionTemplate, clusterTemplate(name))
	if err := os.RemoveAll("shop/made"); err != nil {
		c.Fatal(err)
	}
	if err := os.Rename("cdk.out", "shop/made"); err != nil {
		c.Fatal(err)
	}
	c.Chdir(filepath.Join(at, "shop"))
}

func (c compared) git(args ...string) {
	c.Helper()
	command := exec.Command("git", append([]string{"-C", c.repository, "-c", "user.name=t", "-c",
		"user.email=t@example.com"}, args...)...)
	if out, err := command.CombinedOutput(); err != nil {
		c.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func (c compared) commit(message string) {
	c.Helper()
	c.git("add", "-A")
	c.git("commit", "-q", "-m", message)
}

// check checks the branch and wants that exit code.
func (c compared) check(code int, arguments ...string) (out, errs string) {
	c.Helper()
	return c.workbench(code, append([]string{"check", "--no-sql"}, arguments...)...)
}

const replacedByName = `slipway-prod-database: the cluster Cluster (AWS::RDS::DBCluster) would be replaced: DatabaseName "app" → "shop"`

func TestCheckComparesTheBranch(t *testing.T) {
	c := newCompared(t)
	out, _ := c.check(0)
	c.wantAll(out, "0 errors, 0 warnings")

	// An edit that is not committed yet.
	c.made("shop")
	out, errs := c.check(1)
	c.wantAll(out, "shop/cdk.json: error [replaced-database]", replacedByName, "2 errors")
	c.wantAll(errs, "comparing what would be deployed with master")
	if strings.Contains(out, "slipway:allow") {
		t.Errorf("no script can allow it:\n%s", out)
	}
	out, _ = c.check(1, "--sarif")
	c.wantAll(out, `"uri": "shop/cdk.json"`)
	c.check(1, "--without", "replaced-database")
	c.check(0, "--no-templates")
	c.commit("another name")
	c.check(1)

	// It is meant.
	const meant = `{"app": "cp -R made \"$CDK_OUTDIR\"", "context": {"environments": {"prod": {"replace": ["database"]}}}}`
	c.write("cdk.json", meant)
	out, _ = c.check(0)
	c.wantAll(out, "waived [replaced-database]", replacedByName,
		`because environments.prod.replace of cdk.json has "database"`)

	// What a script waives does not count.
	c.git("checkout", "-q", "--", "shop/cdk.json")
	c.write("sql/postgresql/V2__b.sql", "-- slipway:allow-file replaced-database because of nothing\nSELECT 2;")
	c.check(1)
}

// What the target has changed since the branch began is none of the branch's doing.
func TestCheckLeavesOutWhatTheTargetChanged(t *testing.T) {
	c := newCompared(t)
	c.write("other.txt", "x")
	c.commit("a file")
	c.git("checkout", "-q", "master")
	c.made("shop")
	c.commit("another name on master")
	c.git("checkout", "-q", "feature")
	out, _ := c.check(0)
	c.wantAll(out, "0 errors")
}

// Scripts and texts for people start no app: this one would fail.
func TestScriptsAloneAreNotCompared(t *testing.T) {
	c := newCompared(t)
	c.write("cdk.json", `{"app": "false", "context": {"environments": {"prod": {}}}}`)
	c.commit("an app that fails")
	c.git("branch", "-f", "master")
	c.write("sql/postgresql/V2__b.sql", "SELECT 2;")
	c.write("notes/README.MD", "x")
	c.check(0)
	c.write("infra/new.go", "package main")
	_, errs := c.check(70)
	c.wantAll(errs, "master", "would deploy is not known", "false fails")
	// Scripts of another repository have no project here.
	c.check(0, "--sql", otherScripts(t))
}

func otherScripts(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if out, err := exec.Command("git", "init", "-q", folder).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	write(t, filepath.Join(folder, "V1__a.sql"), "SELECT 1;")
	return folder
}

// A project that has no cdk.json yet replaces nothing.
func TestTheFirstProjectIsNotCompared(t *testing.T) {
	c := newCompared(t)
	c.git("rm", "-q", "-r", "--cached", "shop/cdk.json")
	c.git("commit", "-q", "-m", "none")
	c.git("branch", "-f", "master")
	c.check(0)
}

// A review takes the branch's templates from what it is given, and never runs the
// branch's app: that would be a failure here.
func TestGivenTemplatesCount(t *testing.T) {
	c := newCompared(t)
	c.made("shop")
	taken := filepath.Join(t.TempDir(), "prod")
	if err := os.CopyFS(taken, os.DirFS("made")); err != nil {
		t.Fatal(err)
	}
	c.made("app")
	c.write("cdk.json", `{"app": "touch ran; false", "context": {"environments": {"prod": {}, "new": {}}}}`)
	out, _ := c.check(1, "--templates", "prod="+taken)
	c.wantAll(out, replacedByName)
	out, _ = c.check(1, "--templates", "prod="+filepath.Join(taken, "none"))
	c.wantAll(out, "prod: what would be deployed is not compared: its templates are not there")
	out, _ = c.check(0, "--templates", "new="+taken)
	c.wantAll(out, "0 errors")
	c.write("cdk.json", fmt.Sprintf(
		`{"app": "touch ran; false", "context": {"environments": {"prod": {"replace": %s}}}}`, `["database"]`))
	c.check(0, "--templates", "prod="+taken)
	if _, err := os.Stat("ran"); err == nil {
		t.Error("the branch's app was run")
	}
}
