package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/lambda/workbench/distribution"
	"slipway/lambda/workbench/postgres"
)

// awkwardRole is the local role in tests: a name with what breaks programs that
// paste it into URLs, shells and SQL. It has no apostrophe: Flyway puts it
// between two of them as it is (SET ROLE '…').
const awkwardRole = `mäster@local:a/100% "b" \$`

// testBench is a bench on the real project with a folder of its own.
func testBench(t *testing.T) (b *bench, out, err *bytes.Buffer) {
	t.Helper()
	t.Chdir(filepath.Join("..", ".."))
	downloads, failure := distribution.DefaultDir()
	if failure != nil {
		t.Fatal(failure)
	}
	out, err = &bytes.Buffer{}, &bytes.Buffer{}
	b = &bench{
		env: map[string]string{"PATH": os.Getenv("PATH"), "HOME": os.Getenv("HOME"),
			"JAVA_HOME": os.Getenv("JAVA_HOME")},
		out: out, err: err, dir: filepath.Join(t.TempDir(), "state"), role: awkwardRole,
		cache: &distribution.Cache{Dir: downloads, Mirror: os.Getenv("SLIPWAY_MAVEN_MIRROR"), Progress: os.Stderr},
	}
	t.Cleanup(func() {
		if err := postgres.Remove(b.postgresFolder()); err != nil {
			t.Error(err)
		}
	})
	return b, out, err
}

// call runs one command of the table.
func call(t *testing.T, b *bench, name string, arguments ...string) int {
	t.Helper()
	for _, c := range commands() {
		if c.name == name {
			code, err := c.run(t.Context(), b, flag.NewFlagSet(name, flag.ContinueOnError), arguments)
			if err != nil {
				t.Errorf("%s %q: %v", name, arguments, err)
			}
			return code
		}
	}
	t.Fatalf("there is no command %s", name)
	return 0
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The program, Flyway and PostgreSQL are real: a first run, one with nothing to
// do, one with a script more, and one that fails. No output has the password.
func TestRun(t *testing.T) {
	b, out, progress := testBench(t)
	b.env["FLYWAY_PLACEHOLDERS_GREETING"] = "it's me"
	sql := filepath.Join(t.TempDir(), "shop")
	write(t, filepath.Join(sql, "V1__one.sql"), "CREATE TABLE one (id int);")
	write(t, filepath.Join(sql, "V2__two.sql"), "CREATE TABLE two AS SELECT $$${greeting}$$::text AS greeting;")

	var printed strings.Builder
	for _, step := range []struct {
		add, content string
		code         int
		applied      []string
		answer       string
	}{
		{"", "", 0, []string{"V1__one.sql", "V2__two.sql"}, "SchemaVersion=2 Applied=2 Pending=0"},
		{"", "", 0, []string{}, "SchemaVersion=2 Applied=0 Pending=0"},
		{"V3__three.sql", "CREATE TABLE three (id int);", 0, []string{"V3__three.sql"},
			"SchemaVersion=3 Applied=1 Pending=0"},
		{"V4__bad.sql", "CREATE TABLE three (id int);", 1, []string{}, "MIGRATION_FAILED in V4__bad.sql"},
	} {
		if step.add != "" {
			write(t, filepath.Join(sql, step.add), step.content)
		}
		out.Reset()
		progress.Reset()
		if code := call(t, b, "run", "--sql", sql, "--json"); code != step.code {
			t.Errorf("exit code %d, want %d; %s", code, step.code, progress)
		}
		var report struct{ Applied []struct{ Script string } }
		if err := json.Unmarshal(out.Bytes(), &report); err != nil {
			t.Fatalf("stdout is no JSON: %v: %s", err, out)
		}
		names := []string{}
		for _, s := range report.Applied {
			names = append(names, s.Script)
		}
		if strings.Join(names, " ") != strings.Join(step.applied, " ") {
			t.Errorf("applied %v, want %v", names, step.applied)
		}
		if !strings.Contains(progress.String(), step.answer) {
			t.Errorf("the answer lacks %q: %s", step.answer, progress)
		}
		printed.WriteString(out.String() + progress.String())
	}

	out.Reset()
	if code := call(t, b, "info", "--sql", sql, "--exit-code"); code != 3 ||
		!strings.Contains(out.String(), "3 applied, 1 pending") {
		t.Errorf("info: exit code %d: %s", code, out)
	}
	if secret := `p@:/%`; strings.Contains(printed.String()+out.String(), secret) {
		t.Errorf("the password is printed: %s", printed.String())
	}
}

// The release is the handler's to refuse, with its exit code.
func TestRunBadRelease(t *testing.T) {
	b, out, progress := testBench(t)
	sql := t.TempDir()
	write(t, filepath.Join(sql, "V1__one.sql"), "SELECT 1;")
	write(t, filepath.Join(sql, "V01__again.sql"), "SELECT 1;")
	if code := call(t, b, "run", "--sql", sql); code != 2 || !strings.Contains(out.String(), "BAD_RELEASE") {
		t.Errorf("exit code %d: %s%s", code, out, progress)
	}
}

func TestUsage(t *testing.T) {
	for arguments, want := range map[string]struct {
		code      int
		out, text string
	}{
		"":              {0, "out", "workbench run --sql"},
		"--help":        {0, "out", "Examples:"},
		"run --help":    {0, "out", "-json"},
		"nothing":       {2, "err", `no command "nothing"`},
		"run --nothing": {2, "err", "not defined"},
		"run more":      {2, "err", `unexpected argument "more"`},
		"stop now":      {2, "err", `unexpected argument "now"`},
	} {
		var out, err bytes.Buffer
		code := execute(t.Context(), strings.Fields(arguments), map[string]string{}, &out, &err)
		got := map[string]string{"out": out.String(), "err": err.String()}[want.out]
		if code != want.code || !strings.Contains(got, want.text) {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", arguments, code, out.String(), err.String())
		}
	}
}

func TestDatabaseName(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{"sql/postgresql", "./sql/postgresql/", filepath.Join(here, "sql", "postgresql")} {
		if got := databaseName(sql); got != "slipway" {
			t.Errorf("%s: %s", sql, got)
		}
	}
	a, b := databaseName("other/sql"), databaseName("another/sql")
	if a == b || !strings.HasPrefix(a, "sql_") || a != databaseName(filepath.Join(here, "other", "sql")) {
		t.Errorf("%s and %s", a, b)
	}
	for _, sql := range []string{"/", "Ünï cödé", strings.Repeat("long", 50)} {
		if got := databaseName(sql); got == "" || len(got) > 63 ||
			unusual.MatchString(strings.ReplaceAll(got, "_", "")) {
			t.Errorf("%s: %q", sql, got)
		}
	}
}

func TestExistingDatabase(t *testing.T) {
	authority := filepath.Join(t.TempDir(), "ca.pem")
	write(t, authority, "")
	insecure := map[string]string{"SLIPWAY_INSECURE_TLS": "true"}
	verified := map[string]string{"PGSSLROOTCERT": authority}
	for text, want := range map[string]map[string]string{
		"postgres://u:p@db.example:5433/app":                                  verified,
		"postgresql://u:p@db.example:5433/app?sslmode=verify-full":            verified,
		"postgres://u:p@db.example:5433/app?sslrootcert=/own/ca.pem":          {"PGSSLROOTCERT": "/own/ca.pem"},
		"postgres://u:p@db.example:5433/app?sslmode=require":                  insecure,
		"postgres://u:p@db.example:5433/app?sslmode=disable":                  insecure,
		"postgres://u:p@localhost:5433/app":                                   insecure,
		"postgres://u:p@localhost:5433/app?sslmode=verify-full&sslrootcert=x": {"PGSSLROOTCERT": "x"},
	} {
		b := &bench{env: verified}
		got, err := b.existing("DATABASE_URL", text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if !maps.Equal(got.env, want) {
			t.Errorf("%s: %v, want %v", text, got.env, want)
		}
		if s := got.secret; s["username"] != "u" || s["password"] != "p" || s["port"] != 5433 || s["dbname"] != "app" {
			t.Errorf("%s: %v", text, s)
		}
	}
	const password = "p@:/%'\"\\$\n€"
	got, err := (&bench{}).existing("COPY", "postgres://"+url.UserPassword("ü@", password).String()+"@localhost/app")
	if err != nil || got.secret["username"] != "ü@" || got.secret["password"] != password ||
		got.secret["port"] != 5432 {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{
		"nonsense", "mysql://u:s3cret@h/d", "postgres://u:s3cret@h:x/d", "postgres://u:s3cret@%zz/d", "postgres:///d",
		"postgres://u:s3cret@a,b/d", "postgres://u:s3cret@h/d?sslmode=s3cret-not",
	} {
		if _, err := (&bench{}).existing("COPY", text); err == nil {
			t.Errorf("%s is taken", text)
		} else if strings.Contains(err.Error(), "u:s3cret") {
			t.Errorf("the error has the password: %v", err)
		}
	}
}

func TestProgramEnvironment(t *testing.T) {
	b, _, progress := testBench(t)
	maps.Copy(b.env, map[string]string{
		"FLYWAY_PLACEHOLDERS_X": "1", "SLIPWAY_BASELINE_VERSION": "2", "FLYWAY_URL": "jdbc:x", "AWS_PROFILE": "mine",
		"SLIPWAY_MAVEN_MIRROR": "https://mirror.example", "OTHER": "x", "NO_COLOR": "",
	})
	env, err := b.programEnvironment(t.Context(), "some/sql")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"FLYWAY_PLACEHOLDERS_X": "1", "SLIPWAY_BASELINE_VERSION": "2", "FLYWAY_LOCATIONS": "filesystem:some/sql",
		"NO_COLOR": "",
	} {
		if got, ok := env[name]; !ok || got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	for _, name := range []string{"FLYWAY_URL", "AWS_PROFILE", "SLIPWAY_MAVEN_MIRROR", "OTHER"} {
		if got, ok := env[name]; ok {
			t.Errorf("%s is passed on: %q", name, got)
		}
	}
	if !strings.Contains(progress.String(), "ignoring FLYWAY_URL") {
		t.Errorf("progress is %q", progress)
	}
	if _, err := b.programEnvironment(t.Context(), "a,b"); err == nil {
		t.Error("a comma is taken")
	}
}
