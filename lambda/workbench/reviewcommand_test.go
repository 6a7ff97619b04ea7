package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"slipway/lambda/proof/changetest"
	"slipway/lambda/workbench/check"
	"slipway/lambda/workbench/distribution"
)

// branchCall runs a command on a branch and returns its exit code and output.
func branchCall(t *testing.T, arguments ...string) (code int, out, progress string) {
	t.Helper()
	env := map[string]string{}
	for _, name := range []string{"PATH", "HOME", "XDG_CACHE_HOME", "JAVA_HOME", "SLIPWAY_MAVEN_MIRROR",
		"SLIPWAY_SQUAWK"} {
		if value, ok := os.LookupEnv(name); ok {
			env[name] = value
		}
	}
	var stdout, stderr bytes.Buffer
	code = execute(t.Context(), arguments, env, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// needLinter leaves the test out where squawk can't be had, never in CI.
func needLinter(t *testing.T) {
	t.Helper()
	dir, err := distribution.DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	_, err = check.Find(t.Context(), dir, os.Getenv("SLIPWAY_SQUAWK"), os.Stderr)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skipf("not run: the linter is missing: %v", err)
	}
}

var oneTable = map[string]string{"V1__a.sql": "CREATE TABLE a (id bigint PRIMARY KEY);"}

func withScript(name, text string) map[string]string {
	return map[string]string{"V1__a.sql": oneTable["V1__a.sql"], name: text}
}

func TestCheckCommand(t *testing.T) {
	needLinter(t)
	good := changetest.Branch(t, oneTable, withScript("V2__b.sql", "CREATE TABLE b (id bigint);"), nil)
	bad := changetest.Branch(t, oneTable, withScript("V2__b.sql", "CREATE INDEX i ON a (id);"), nil)
	for _, c := range []struct {
		code      int
		out       string
		arguments []string
	}{
		{0, "0 errors", []string{"check", "--sql", good}},
		{1, "require-concurrent-index-creation", []string{"check", "--sql", bad}},
		{0, "no SQL linted", []string{"check", "--sql", bad, "--no-sql"}},
		{0, "0 errors", []string{"check", "--sql", bad, "--without", "require-concurrent-index-creation"}},
		{2, "", []string{"check", "--sql", bad, "--against", "nowhere"}},
		{2, "", []string{"check", "--sql", filepath.Join(bad, "nowhere")}},
		{2, "", []string{"check", "--json", "--sarif"}},
		{70, "", []string{"check", "--sql", bad, "--squawk", filepath.Join(bad, "no-such-file")}},
	} {
		code, out, progress := branchCall(t, c.arguments...)
		if code != c.code || !strings.Contains(out, c.out) {
			t.Errorf("%v: %d\n%s\n%s", c.arguments, code, out, progress)
		}
	}
	code, out, _ := branchCall(t, "check", "--sql", bad, "--json")
	var result check.Result
	if err := json.Unmarshal([]byte(out), &result); err != nil || code != 1 || result.Findings[0].Line != 1 ||
		result.Scripts[0].Change != "new" {
		t.Errorf("%d, %v\n%s", code, err, out)
	}
	code, out, _ = branchCall(t, "check", "--sql", bad, "--sarif")
	if code != 1 || !strings.Contains(out, `"uri": "db/sql/V2__b.sql"`) {
		t.Errorf("%d\n%s", code, out)
	}
}

func TestReviewCommand(t *testing.T) {
	needLinter(t)
	folder := changetest.Branch(t, oneTable, map[string]string{
		"V1__a.sql": oneTable["V1__a.sql"], "V2__b.sql": "ALTER TABLE a ADD COLUMN b text NOT NULL;",
		"U2__b.sql": "SELECT 1;",
	}, nil)
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	write(t, file("dev.txt"), "[+] AWS::Thing")
	code, out, progress := branchCall(t, "review", "--sql", folder, "--title", "Add b", "--diff", "dev="+
		file("dev.txt"),
		"--markdown", file("c.md"), "--html", file("p.html"), "--json", file("r.json"), "--sarif", file("r.sarif"))
	if code != 1 || out != "" {
		t.Fatalf("%d\n%s\n%s", code, out, progress)
	}
	for name, want := range map[string][]string{
		"c.md":    {"adding-required-field", `**MIGRATION\_FAILED**`, "23502", "[+] AWS::Thing"},
		"p.html":  {"<svg", "Add b", "prefers-color-scheme"},
		"r.json":  {`"ok": false`, `"sqlState": "23502"`},
		"r.sarif": {`"version": "2.1.0"`},
	} {
		text, err := os.ReadFile(file(name))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(text), w) {
				t.Errorf("%s lacks %q:\n%.3000s", name, w, text)
			}
		}
	}
	// A linter that is missing is said, and the rest is done all the same.
	code, out, _ = branchCall(t, "review", "--sql", folder, "--rows", "0", "--squawk", file("none"))
	if code != 70 || !strings.Contains(out, "could not be judged in full") || !strings.Contains(out, "`V2__b.sql`") ||
		!strings.Contains(out, "does not restore") {
		t.Errorf("%d\n%s", code, out)
	}
}

// The role that runs a branch's scripts may not leave the database.
func TestRehearsedScriptsCanNotRunPrograms(t *testing.T) {
	folder := changetest.Branch(t, oneTable, withScript("V2__b.sql", "COPY a TO PROGRAM 'cat >/dev/null';"), nil)
	code, out, progress := branchCall(t, "rehearse", "--sql", folder, "--rows", "0")
	if code != 1 || !strings.Contains(out, "42501") {
		t.Errorf("%d\n%s\n%s", code, out, progress)
	}
	if code, out, _ = branchCall(t, "rehearse", "--sql", folder, "--rows", "0", "--superuser"); code != 0 {
		t.Errorf("as a superuser: %d\n%s", code, out)
	}
}

// A machine approves scripts when nothing blocks the merge, and says why not else.
func TestApprovalIsForScriptsAlone(t *testing.T) {
	rehearsed := filepath.Join(t.TempDir(), "rehearsal.json")
	if err := os.WriteFile(rehearsed, []byte(`{"rehearsal": {"scripts": []}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	waived := map[string]string{"V2__b.sql": "-- slipway:allow deleted-script in V1__a.sql because it never " +
		"ran\nSELECT 1;\n"}
	for name, c := range map[string]struct {
		work map[string]string
		also string // a file beside the scripts' folder
		want string
		code int
	}{
		"scripts": {work: withScript("V2__b.sql", "SELECT 1;"), want: approves},
		"something else as well": {work: withScript("V2__b.sql", "SELECT 1;"), also: "cdk.json",
			want: "\"cdk.json\" is outside db/sql/\n"},
		"a waiver": {work: waived, want: "\"V1__a.sql\" waives deleted-script\n"},
		"both": {work: waived, also: "go.work",
			want: "\"go.work\" is outside db/sql/\n\"V1__a.sql\" waives deleted-script\n"},
		"what blocks the merge": {work: map[string]string{"V2__b.sql": "SELECT 1;"}, want: "1 thing blocks the merge\n",
			code: 1},
	} {
		t.Run(name, func(t *testing.T) {
			sql := changetest.Branch(t, oneTable, c.work, nil)
			root := filepath.Dir(filepath.Dir(sql))
			if c.also != "" {
				if err := os.WriteFile(filepath.Join(root, c.also), []byte("x"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for _, args := range [][]string{{"add", "-A"},
				{"-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "x"}} {
				if out, err := exec.Command("git",
					append([]string{"-C", root}, args...)...).CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
			}
			approval := filepath.Join(t.TempDir(), "approval")
			markdown := filepath.Join(t.TempDir(), "review.md")
			page := filepath.Join(t.TempDir(), "review.html")
			code, _, progress := branchCall(t, "review", "--sql", sql, "--no-sql", "--rehearsal", rehearsed,
				"--approval", approval, "--markdown", markdown, "--html", page)
			said, err := os.ReadFile(approval)
			if code != c.code || err != nil || string(said) != c.want {
				t.Errorf("code %d, %v, %q, want %q\n%s", code, err, said, c.want, progress)
			}
			for _, file := range []string{markdown, page} {
				text, err := os.ReadFile(file)
				withheld := strings.Contains(string(text), "Not approved by this review")
				if err != nil || withheld != strings.HasPrefix(c.want, `"`) {
					t.Errorf("%v: %v\n%s", file, err, text)
				}
			}
		})
	}
}
