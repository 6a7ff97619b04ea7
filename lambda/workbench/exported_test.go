package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/workbench/postgres"
)

// elsewhere is a server with a database that Slipway did not make; tables tells
// which tables that has.
func elsewhere(t *testing.T, b *bench) (server *postgres.Server, tables func() string) {
	t.Helper()
	server, err := postgres.Start(t.Context(), postgres.Options{Cache: b.cache, Ephemeral: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	if _, err := server.CreateDatabase(t.Context(), "app", ""); err != nil {
		t.Fatal(err)
	}
	return server, func() string {
		connection, err := pgx.Connect(t.Context(), server.URL("app"))
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close(t.Context())
		var names string
		err = connection.QueryRow(t.Context(),
			`SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') FROM pg_catalog.pg_class
			WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`).Scan(&names)
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
}

// Many programs have an exported DATABASE_URL; make leaves that database alone.
// The whole project is real here, but for its place.
func TestExportedDatabaseIsLeftAlone(t *testing.T) {
	b, _, _ := testBench(t)
	server, tables := elsewhere(t, b)
	project := t.TempDir()
	for _, line := range [][]string{
		{"cp", "-R", "lambda", "go.mod", "go.sum", "Makefile", project},
		{"mkdir", "-p", filepath.Join(project, "sql")},
		{"cp", "-R", "sql/postgresql", filepath.Join(project, "sql")},
	} {
		if out, err := exec.Command(line[0], line[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", line, err, out)
		}
	}
	t.Cleanup(func() { _ = postgres.Remove(filepath.Join(project, ".slipway", "postgres")) })
	shell := func(command string) string {
		c := exec.Command("bash", "-c", command)
		c.Dir = project
		c.Env = append(os.Environ(), "DATABASE_URL="+server.URL("app"), "STEPS=3", "SLIPWAY_DATABASE_URL="+
			server.URL("app"), "SLIPWAY_COPY="+server.URL("app"))
		out, err := c.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
		if got := tables(); got != "" {
			t.Fatalf("%s changed the database of DATABASE_URL: %s\n%s", command, got, out)
		}
		return string(out)
	}
	shell("git init --quiet -b work . && git -c user.name=a -c user.email=a@b commit --quiet --allow-empty -m start " +
		"&& git branch master")
	for _, step := range []struct{ command, want string }{
		{"make run", "OK  5 applied"},
		{"make info", "as app, PostgreSQL"},
		{"make rehearse AGAINST=master", "new scripts ran"},
		{"make -e revert STEPS=1", "1 reverted, schema version 3"},
	} {
		if out := shell(step.command); !strings.Contains(out, step.want) {
			t.Errorf("%s lacks %q\n%s", step.command, step.want, out)
		}
	}
}

// A database that is named is used, and printed before it is changed; its
// password comes from PGPASSWORD and is not shown.
func TestNamedDatabaseIsPrinted(t *testing.T) {
	b, out, progress := testBench(t)
	server, tables := elsewhere(t, b)
	t.Setenv("PGPASSWORD", server.Password())
	sql := t.TempDir()
	write(t, filepath.Join(sql, "V1__one.sql"), "CREATE TABLE one (id int);")
	url := strings.Replace(server.URL("app"), ":"+server.Password()+"@", "@", 1)
	want := fmt.Sprintf(`: database "app" on 127.0.0.1:%d as user %q`, server.Port, postgres.Superuser)

	b.env[copyVariable] = url
	if code := call(t, b, "rehearse", "--sql", sql); code != 0 || !strings.Contains(progress.String(), "COPY"+want) ||
		!strings.Contains(tables(), "one") {
		t.Errorf("rehearse: exit code %d, tables %s\n%s%s", code, tables(), out, progress)
	}
	delete(b.env, copyVariable)

	progress.Reset()
	b.env[databaseVariable] = url
	write(t, filepath.Join(sql, "V2__two.sql"), "CREATE TABLE two (id int);")
	if code := call(t, b, "run", "--sql", sql); code != 0 ||
		!strings.HasPrefix(progress.String(), "DATABASE_URL"+want) || !strings.Contains(tables(), "two") {
		t.Errorf("run: exit code %d, tables %s\n%s%s", code, tables(), out, progress)
	}
	if text := out.String() + progress.String(); strings.Contains(text, server.Password()) {
		t.Errorf("the password is printed: %s", text)
	}
}

// A rehearsal changes its database, so it does not take one under a name that
// other programs use.
func TestRehearsalRefusesDatabaseURL(t *testing.T) {
	for _, arguments := range [][]string{{"rehearse"}, {"review"}} {
		var out, err bytes.Buffer
		code := execute(t.Context(), arguments,
			map[string]string{databaseVariable: "postgres://u:s3cret@127.0.0.1:1/d"}, &out, &err)
		if code != 2 || !strings.Contains(err.String(), "COPY=postgres://") ||
			strings.Contains(err.String(), "s3cret") {
			t.Errorf("%q: exit code %d, %s", arguments, code, err.String())
		}
	}
}

// A deployed environment has scripts and a database of its own.
func TestEnvironmentExcludesLocalSettings(t *testing.T) {
	for _, command := range []string{"info", "validate", "repair", "revert --steps 1"} {
		for _, env := range []map[string]string{{databaseVariable: "postgres://u@h/d"}, {}} {
			arguments := append(strings.Fields(command), "--environment", "dev")
			if len(env) == 0 && command == "repair" {
				continue // the scripts here are what the history is repaired by
			}
			if len(env) == 0 {
				arguments = append(arguments, "--sql", "sql/postgresql")
			}
			var out, err bytes.Buffer
			if code := execute(t.Context(), arguments, env, &out, &err); code != 2 ||
				!strings.Contains(err.String(), "--environment excludes") {
				t.Errorf("%q: exit code %d, %s", arguments, code, err.String())
			}
		}
	}
}

// Next steps can be pasted into a shell, whatever the folder is called.
func TestCommandLineIsQuoted(t *testing.T) {
	const folder = `it's "a" $HOME`
	line := where{sql: folder, databaseURL: "postgres://u:s3cret@h/d"}.commandLine()
	out, err := exec.Command("sh", "-c", strings.Replace(line, "make {}", "printf '%s\n'", 1)).Output()
	if want := "SQL=" + folder + "\nDATABASE_URL=…\n"; err != nil || string(out) != want {
		t.Errorf("%s gives %q, %v", line, out, err)
	}
}
