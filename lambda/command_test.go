package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/lambda/report"
)

func TestCommandsAsProcesses(t *testing.T) {
	t.Parallel()
	p := newPlace(t, map[string]string{"V1__a.sql": "CREATE TABLE a (id int); SELECT '${dsn}', '${port}';"})
	// Data on stdout, progress on stderr, and the exit code of the outcome.
	code, out, err := p.run(nil, "info", "--exit-code", "--json")
	if rep := p.json(out); code != 3 || rep.Code != report.OK || len(rep.Pending) != 1 ||
		rep.Scripts[0].State != "Pending" {
		t.Errorf("info: exit %d %s%s", code, out, err)
	}
	code, out, err = p.run(nil, "migrate")
	if code != 0 || !strings.Contains(out, "Applied (1)") ||
		!strings.Contains(out, "OK  1 applied, schema version 1") || strings.Contains(out, "\x1b") ||
		!strings.Contains(err, "starting Flyway") {
		t.Errorf("migrate: exit %d %s%s", code, out, err)
	}
	code, out, err = p.run([]string{"JAVA_HOME=/nowhere", "PATH=" + fakeJava(t)}, "migrate", "--json")
	if rep := p.json(out); code != 0 || rep.FlywayVersion != "" || len(rep.Applied) > 0 {
		t.Errorf("migrate once more: exit %d %s%s", code, out, err)
	}
	if code, out, err = p.run(nil, "info", "--exit-code"); code != 0 || !strings.Contains(out, "1 applied, 0 pending") {
		t.Errorf("info: exit %d %s%s", code, out, err)
	}

	p.write("V2__b.sql", "SELECT 1;\nSELECT 1/0;")
	code, out, err = p.run(nil, "migrate", "--json")
	if rep := p.json(out); code != 1 || rep.Code != report.MigrationFailed || rep.Script != "V2__b.sql" ||
		rep.Line != 2 || rep.SQLState != "22012" {
		t.Errorf("a failure: exit %d %s%s", code, out, err)
	}
	code, out, _ = p.run(nil, "validate")
	if code != 1 || !strings.Contains(out, "VALIDATION_FAILED") ||
		!strings.Contains(out, "V2__b.sql: is not applied yet") {
		t.Errorf("validate: exit %d %s", code, out)
	}
	for name, c := range map[string]struct {
		env  string
		code int
		says string
	}{
		"no database":  {"PGDATABASE=missing", 6, "DATABASE_MISSING"},
		"no server":    {"PGPORT=1", 6, "DATABASE_UNREACHABLE"},
		"no secret":    {"MASTER_SECRET_ARN=arn:aws:secretsmanager:eu-west-1:1:secret:other", 6, "SECRET_UNREADABLE"},
		"no endpoint":  {"AWS_ENDPOINT_URL_SECRETS_MANAGER=http://127.0.0.1:1", 6, "SECRET_UNREADABLE"},
		"no TLS":       {"SLIPWAY_INSECURE_TLS=false", 2, "PGSSLROOTCERT"},
		"bad settings": {"FLYWAY_MIXED=true", 2, "FLYWAY_MIXED"},
	} {
		code, out, err := p.run([]string{c.env, "AWS_MAX_ATTEMPTS=1"}, "info")
		if code != c.code || !strings.Contains(out, c.says) || !strings.Contains(out, "Next: ") {
			t.Errorf("%s: exit %d %s%s", name, code, out, err)
		}
	}
	object := `{"username":"u","password":"` + strings.Repeat("x", 10)
	p.secrets.Set("db", object)
	if code, out, err := p.run(nil, "migrate"); code != 6 || !strings.Contains(out, "is not a JSON object") ||
		strings.Contains(out+err, "xxxxx") {
		t.Errorf("a broken secret: exit %d %s%s", code, out, err)
	}
}

// fakeJava is a folder with a java that can't run.
func fakeJava(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "java"), []byte("#!/bin/sh\nexit 9\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

const ours = "FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'slipway%'"

func TestTimeOfACommandEnds(t *testing.T) {
	t.Parallel()
	p := newPlace(t, map[string]string{"V1__a.sql": "SELECT pg_sleep(600);"})
	begun := time.Now()
	code, out, err := p.run(nil, "migrate", "--timeout", "6s", "--json")
	if rep := p.json(out); code != 5 || rep.Code != report.Deadline || time.Since(begun) > 9*time.Second {
		t.Errorf("exit %d after %s: %s%s", code, time.Since(begun), out, err)
	}
	// A server's process ends a moment after its client.
	for left := ""; left != "0"; time.Sleep(20 * time.Millisecond) {
		if left = p.ask("SELECT count(*) " + ours); left != "0" && time.Since(begun) > 12*time.Second {
			t.Fatalf("%s sessions are left", left)
		}
	}
}
