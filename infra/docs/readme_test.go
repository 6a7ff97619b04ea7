package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// lines are the README's commands below a mark.
func lines(t *testing.T, mark string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(content), "<!-- "+mark+" -->\n```\n")
	block, _, ended := strings.Cut(after, "\n```\n")
	if !found || !ended {
		t.Fatalf("the README has no commands below %q", mark)
	}
	return block
}

// bash runs commands in a folder. Git is that of nobody's configuration.
func bash(t *testing.T, dir, commands string, env ...string) string {
	t.Helper()
	c := exec.Command("bash", "-c", commands)
	c.Dir = dir
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a",
		"GIT_COMMITTER_EMAIL=a@example.com")
	c.Env = append(c.Env, env...)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", commands, err, out)
	}
	return string(out)
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A newer version of Slipway that edits, deletes, renames and adds what is in
// sql/ and cdk.json leaves both in a project as they were, and brings the rest.
func TestUpdateLeavesScriptsAndSettings(t *testing.T) {
	for name, newer := range map[string]struct {
		files   map[string]string
		deleted string
	}{
		"edited": {files: map[string]string{"sql/postgresql/V1__a.sql": "SELECT 11;",
			"sql/postgresql/V2__b.sql": "SELECT 22;", "cdk.json": `{"a": 3}`}},
		"added": {files: map[string]string{"sql/postgresql/V3__mine.sql": "theirs",
			"sql/postgresql/V9__c.sql": "SELECT 9;", "sql/oracle/V1__a.sql": "x"}},
		"deleted":       {deleted: "sql/postgresql/V2__b.sql cdk.json"},
		"all deleted":   {deleted: "sql"},
		"nothing of it": {},
	} {
		t.Run(name, func(t *testing.T) {
			slipway, project := t.TempDir(), filepath.Join(t.TempDir(), "shop")
			write(t, slipway, map[string]string{
				"sql/postgresql/V1__a.sql": "SELECT 1;", "sql/postgresql/V2__b.sql": "SELECT 2;",
				"cdk.json": `{"a": 1}`, "lambda/main.go": "one",
			})
			bash(t, slipway, "git init -q -b master && git add -A && git commit -qm one")

			bash(t, t.TempDir(), fmt.Sprintf("git clone -q --origin slipway '%s' '%s'", slipway, project))
			bash(t, project, "git rm -q sql/postgresql/V1__a.sql")
			write(t, project, map[string]string{"sql/postgresql/V2__b.sql": "mine",
				"sql/postgresql/V3__mine.sql": "mine", "cdk.json": `{"a": 2}`})
			bash(t, project, "git add -A && git commit -qm mine")

			if newer.deleted != "" {
				bash(t, slipway, "git rm -rq "+newer.deleted)
			}
			write(t, slipway, newer.files)
			write(t, slipway, map[string]string{"lambda/main.go": "two", "lambda/new.go": "new"})
			bash(t, slipway, "git add -A && git commit -qm two && git tag v0.2.0")

			bash(t, project, lines(t, "update"))
			if changed := bash(t, project,
				"git diff --name-only HEAD^1"); changed != "lambda/main.go\nlambda/new.go\n" {
				t.Errorf("the update changed\n%s", changed)
			}
			if left := bash(t, project, "git status --short; git merge-base --is-ancestor v0.2.0 HEAD"); left != "" {
				t.Errorf("the update left\n%s", left)
			}
		})
	}
}

// The loop that an application waits in ends at the version and above it, and
// goes on below it and where there is no answer.
func TestApplicationWaits(t *testing.T) {
	loop := lines(t, "wait")
	for _, c := range []struct{ answers, asked string }{
		{"14", "1"}, {"15", "1"}, {"14.1", "1"}, {"100", "1"}, {"20260509.1", "1"},
		{"13 14", "2"}, {"9 14", "2"}, {"0 14", "2"}, {"13.9 14", "2"}, {"- 14", "2"}, {"- 2 - 14", "4"},
	} {
		bin := t.TempDir()
		// aws prints the next of the answers; "-" is a failure that prints nothing.
		write(t, bin, map[string]string{
			"aws": "#!/bin/bash\ncd \"${0%/*}\"; echo \"$@\" >> asked\nanswers=(" + c.answers + ")\n" +
				"answer=${answers[$(wc -l < asked) - 1]}\n[ \"$answer\" != - ] && echo \"$answer\"\n",
			"sleep": "#!/bin/bash\n",
		})
		if err := os.Chmod(filepath.Join(bin, "aws"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(bin, "sleep"), 0o755); err != nil {
			t.Fatal(err)
		}
		bash(t, bin, loop, "PATH="+bin+":"+os.Getenv("PATH"))
		if asked := strings.TrimSpace(bash(t, bin, "wc -l < asked")); asked != c.asked {
			t.Errorf("answers %s: asked %s times, not %s", c.answers, asked, c.asked)
		}
	}
}
