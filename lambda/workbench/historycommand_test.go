package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// historyBench is a bench in a project of its own, whose program is the real
// one: cdk.json with these keys of the pipeline, and the cloud assembly in which
// prod's function has these variables.
func historyBench(t *testing.T, pipeline map[string]any, variables map[string]any, scripts map[string]string) (b *bench,
	printed func() string) {
	t.Helper()
	b, out, progress := testBench(t)
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	project := t.TempDir()
	for _, name := range []string{"lambda", "go.mod", "go.sum"} {
		if err := os.Symlink(filepath.Join(root, name), filepath.Join(project, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(project)
	pipeline["environments"] = []string{"dev", "prod"}
	variables["MASTER_SECRET_ARN"] = map[string]string{"Ref": "Secret"}
	function := map[string]any{"Type": "AWS::Lambda::Function",
		"Properties": map[string]any{"Environment": map[string]any{"Variables": variables}}}
	for name, content := range map[string]any{
		"cdk.json":                           map[string]any{"context": map[string]any{"pipeline": pipeline}},
		"cdk.out/slipway-prod.template.json": map[string]any{"Resources": map[string]any{"Function": function}},
	} {
		text, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(project, name), string(text))
	}
	for name, text := range scripts {
		write(t, filepath.Join(project, "sql", "postgresql", name), text)
	}
	return b, func() string {
		defer func() { out.Reset(); progress.Reset() }()
		return out.String() + progress.String()
	}
}

// All scripts run on an empty database, again and again, with what the
// environment would have: placeholders, schemas that are there, roles.
func TestHistoryRunsAllScriptsOnAnEmptyDatabase(t *testing.T) {
	b, printed := historyBench(t, map[string]any{"roles": []string{"app", "rds_iam"}},
		map[string]any{"FLYWAY_PLACEHOLDERS_TENANT": "acme", "FLYWAY_SCHEMAS": "shop",
			"SLIPWAY_COMMAND": "make {} ENVIRONMENT=prod"},
		map[string]string{
			"V1__a.sql":      "CREATE TABLE a AS SELECT '${tenant}'::text AS tenant; GRANT SELECT ON a TO app;",
			"V2__b.sql":      "CREATE INDEX CONCURRENTLY b ON shop.a (tenant); ",
			"R__v.sql":       "CREATE OR REPLACE VIEW v AS SELECT * FROM shop.a;",
			"U2__b.sql":      "DROP INDEX shop.b;",
			"V3__extend.sql": "CREATE EXTENSION IF NOT EXISTS pgcrypto; GRANT rds_iam TO app;",
		})
	// What the process itself has does not count, nor the name of the local role.
	b.role = "app"
	b.env["FLYWAY_PLACEHOLDERS_TENANT"], b.env["FLYWAY_SCHEMAS"], b.env[databaseVariable] = "other", "other",
		"postgres://nobody@127.0.0.1:1/none"
	for range 2 {
		code := call(t, b, "history")
		if text := printed(); code != 0 || !strings.Contains(text, "SchemaVersion=3 Applied=4 Pending=0") {
			t.Fatalf("exit code %d\n%s", code, text)
		}
	}
}

func TestHistoryThatAnEmptyDatabaseDoesNotTake(t *testing.T) {
	b, printed := historyBench(t, map[string]any{}, map[string]any{}, map[string]string{
		"V1__a.sql": "CREATE TABLE a (id int);", "V2__b.sql": "ALTER TABLE older ADD COLUMN b int;"})
	code := call(t, b, "history")
	text := printed()
	for _, want := range []string{"V2__b.sql", "42P01", "pipeline.roles", `"history": false`} {
		if code != 1 || !strings.Contains(text, want) {
			t.Errorf("exit code %d, no %q in\n%s", code, want, text)
		}
	}
	if strings.Contains(text, "ENVIRONMENT=") {
		t.Errorf("a next step is for a deployed environment:\n%s", text)
	}
}

// A commit that takes the run out passes with the commands of the one before.
func TestHistoryThatIsNotRun(t *testing.T) {
	b, printed := historyBench(t, map[string]any{"history": false}, map[string]any{},
		map[string]string{"V1__a.sql": "SELEKT 1;"})
	code := call(t, b, "history")
	if text := printed(); code != 0 || !strings.Contains(text, "not run: pipeline.history is false") {
		t.Errorf("exit code %d\n%s", code, text)
	}
}
