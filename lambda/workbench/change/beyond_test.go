package change_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"slipway/lambda/proof/changetest"
	"slipway/lambda/workbench/change"
)

// What a branch commits besides scripts, each way of it.
func TestBeyondScripts(t *testing.T) {
	outside := func(name string) string { return `"` + name + `" is outside db/sql/` }
	for name, c := range map[string]struct {
		script string // in the repository's root
		want   []string
	}{
		"scripts": {script: "echo 2 >db/sql/V2__b.sql; echo x >db/sql/R__v.sql; echo y " +
			">db/sql/V2__b.sql.conf; echo z >db/sql/README.md; git rm -q db/sql/V1__a.sql"},
		"the program": {script: "mkdir lambda; echo x >lambda/main.go",
			want: []string{outside("lambda/main.go")}},
		"cdk.json and more": {script: "echo x >cdk.json; mkdir -p docker infra; echo x >docker/Dockerfile; " +
			"echo x >Makefile; echo x >infra/go.mod",
			want: []string{outside("Makefile"), outside("cdk.json"), outside("docker/Dockerfile"),
				outside("infra/go.mod")}},
		"a folder named alike": {script: "mkdir db/sql2; echo x >db/sql2/V2__b.sql",
			want: []string{outside("db/sql2/V2__b.sql")}},
		"a letter's case": {script: "mkdir -p DB/sql; echo x >DB/sql/V2__b.sql",
			want: []string{outside("DB/sql/V2__b.sql")}},
		"a rename out of it": {script: "git mv db/sql/V1__a.sql V1__a.sql", want: []string{outside("V1__a.sql")}},
		"a rename into it":   {script: "git mv tool.txt db/sql/tool.txt", want: []string{outside("tool.txt")}},
		"a deletion":         {script: "git rm -q tool.txt", want: []string{outside("tool.txt")}},
		"a mode": {script: "chmod +x db/sql/V1__a.sql",
			want: []string{`"db/sql/V1__a.sql" is a file that can be run`}},
		"a mode elsewhere": {script: "chmod +x tool.txt", want: []string{outside("tool.txt")}},
		"a link": {script: "ln -s ../../tool.txt db/sql/V2__b.sql",
			want: []string{`"db/sql/V2__b.sql" is a symbolic link`}},
		"a submodule": {script: "mkdir db/sql/lib.sql; git update-index --add --cacheinfo 160000,$(git " +
			"rev-parse HEAD),db/sql/lib.sql", want: []string{`"db/sql/lib.sql" is a submodule`}},
		"a submodule in disguise": {script: "printf '[submodule \"x\"]\\n\\tpath = db/sql/x\\n\\turl = " +
			".\\n\\tignore = all\\n' >.gitmodules; mkdir db/sql/x; git update-index --add --cacheinfo 160000,$(git " +
			"rev-parse HEAD),db/sql/x", want: []string{outside(".gitmodules"), `"db/sql/x" is a submodule`}},
		"attributes": {script: "echo '*.sql text eol=crlf' >db/sql/.gitattributes",
			want: []string{`"db/sql/.gitattributes" is hidden`}},
		"a hidden folder": {script: "mkdir db/sql/.x; echo x >db/sql/.x/V2__b.sql",
			want: []string{`"db/sql/.x/V2__b.sql" is hidden`}},
		"a program of Flyway's": {script: "echo x >db/sql/beforeMigrate.sh",
			want: []string{`"db/sql/beforeMigrate.sh" is not a script`}},
		"a name with a line's end": {script: "echo x >$'a\\nb'", want: []string{`"a\nb" is outside db/sql/`}},
		"taken back":               {script: "echo x >cdk.json; git add -A; git commit -q -m x; git rm -q cdk.json"},
		"a configured rename": {script: "git config diff.renames copies; git mv tool.txt db/sql/tool.txt",
			want: []string{outside("tool.txt")}},
	} {
		t.Run(name, func(t *testing.T) {
			folder := changetest.Branch(t, files{"V1__a.sql": "1"}, files{"V1__a.sql": "1"}, nil)
			root := filepath.Dir(filepath.Dir(folder))
			shell(t, root, "git checkout -q master; echo x >tool.txt; git add -A; git commit -q -m tool; git "+
				"checkout -q feature; git merge -q master")
			shell(t, root, c.script)
			shell(t, root, "git add -A; git commit -q --allow-empty -m change")
			wantBeyond(t, folder, c.want)
		})
	}
}

// Where a branch began is not one commit: what either of two lacks is brought.
func TestBeyondOfACrossedHistory(t *testing.T) {
	folder := changetest.Branch(t, files{"V1__a.sql": "1"}, files{"V1__a.sql": "1"}, nil)
	root := filepath.Dir(filepath.Dir(folder))
	// git names the newer one of two bases: the one that has the file already.
	shell(t, root, `at() { export GIT_COMMITTER_DATE="2026-01-0$1T00:00:00Z"; }
		at 2; echo evil >cdk.json; git add -A; git commit -q -m a
		at 1; git checkout -q master; echo x >db/sql/V2__b.sql; git add -A; git commit -q -m b; git branch b; at 3
		git merge -q -s ours -m m1 feature
		git checkout -q feature; git merge -q -m m2 b`)
	if bases := shell(t, root, "git merge-base --all master feature | wc -l"); bases != "2" {
		t.Fatalf("%s bases", bases)
	}
	wantBeyond(t, folder, []string{`"cdk.json" is outside db/sql/`})
}

// What only the target has is not the branch's.
func TestBeyondLeavesTheTargetsChangesOut(t *testing.T) {
	folder := changetest.Branch(t, files{"V1__a.sql": "1"}, files{"V1__a.sql": "1"}, nil)
	root := filepath.Dir(filepath.Dir(folder))
	shell(t, root, "git checkout -q master; echo x >cdk.json; git add -A; git commit -q -m theirs; git checkout -q "+
		"feature")
	wantBeyond(t, folder, nil)
}

func wantBeyond(t *testing.T, folder string, want []string) {
	t.Helper()
	c, err := change.Find(t.Context(), folder, "master")
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Beyond(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func shell(t *testing.T, folder, script string) string {
	t.Helper()
	command := exec.Command("bash", "-ec", script)
	command.Dir = folder
	command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=t",
		"GIT_AUTHOR_EMAIL=t@example.com", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.com")
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}
