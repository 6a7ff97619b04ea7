//go:build faults

package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/workbench/postgres"
)

// shop is the application beside the migrations: its role, and its application_name.
const shop = "shop"

// testbed is where one fault is injected. A run of the program under it goes
// against its database, with its scripts.
type testbed struct {
	*testing.T
	*shared
	fault
	ctx    context.Context
	number int
	dir    string // holds sql/ and tmp/; every process of the fault names it in its command line
	limit  time.Duration

	server   *postgres.Server // the shared one, or the fault's own
	database string
	role     string
	password string
	admin    *pgx.Conn // the superuser's session in the database
	env      map[string]string
	mine     map[uint32]bool // sessions of the fault itself
	scripts  map[string]string

	seen []string
}

// newTestbed makes the database, the role, the secret, and the folders.
func newTestbed(ctx context.Context, parent *testing.T, s *shared, number int, f fault) *testbed {
	t := &testbed{
		T: parent, shared: s, fault: f, ctx: ctx, number: number, dir: filepath.Join(s.dir, f.name),
		limit: 30 * time.Second, mine: map[uint32]bool{}, scripts: map[string]string{},
	}
	t.Cleanup(func() {
		_ = os.RemoveAll(t.dir)
		_ = os.RemoveAll(t.dir + "-server")
	})
	for _, folder := range []string{"sql", "tmp"} {
		t.must(os.MkdirAll(filepath.Join(t.dir, folder), 0o755))
	}
	t.role, t.password = fmt.Sprintf("migrator_%d", t.number), "p'w \"of/"+t.name
	t.database = strings.ReplaceAll(t.name, "-", "_")
	t.env = map[string]string{
		"PATH": t.path, "HOME": t.dir, "TMPDIR": filepath.Join(t.dir, "tmp"),
		"JAVA_HOME": t.javaHome, "SLIPWAY_FLYWAY_HOME": t.flyway, "SLIPWAY_CLASS_ARCHIVE": t.archive,
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIAFAULTS", "AWS_SECRET_ACCESS_KEY": "fault",
		"AWS_EC2_METADATA_DISABLED":        "true",
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": t.secrets.URL,
		"SLIPWAY_INSECURE_TLS":             "true",
		"FLYWAY_LOCATIONS":                 "filesystem:" + filepath.Join(t.dir, "sql"),
		"SLIPWAY_LOCK_TIMEOUT":             "1s", "SLIPWAY_LOCK_WAIT": "20s", "SLIPWAY_CONNECT_WAIT": "3s",
	}
	t.use(t.shared.server)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if t.admin != nil {
			t.admin.Close(ctx)
		}
		if t.server == t.shared.server {
			_ = t.server.DropDatabase(ctx, t.database)
		}
	})
	return t
}

// use moves the fault to that server: database, role, secret.
func (t *testbed) use(s *postgres.Server) {
	t.server = s
	t.must(s.CreateRole(t.ctx, t.role, t.password))
	_, err := s.CreateDatabase(t.ctx, t.database, t.role)
	t.must(err)
	t.connectAdmin()
	// As the master user of RDS has it: other sessions are seen as they are.
	t.exec("GRANT pg_monitor TO " + t.role)
	t.setSecret(t.password)
}

func (t *testbed) connectAdmin() {
	var err error
	t.await("the server takes connections", func() bool {
		t.admin, err = pgx.Connect(t.ctx, t.server.URL(t.database))
		return err == nil
	})
}

// secret is the value of a secret as RDS writes it.
func (t *testbed) secret(password string) string {
	text, err := json.Marshal(map[string]any{
		"engine": "postgres", "host": "127.0.0.1", "port": t.server.Port, "dbname": t.database, "username": t.role,
		"password": password,
	})
	t.must(err)
	return string(text)
}

func (t *testbed) setSecret(password string) {
	t.env["MASTER_SECRET_ARN"] = t.secrets.Set(t.name, t.secret(password))
}

// script puts a script into the release.
func (t *testbed) script(name, sql string) {
	path := filepath.Join(t.dir, "sql", name)
	t.must(os.MkdirAll(filepath.Dir(path), 0o755))
	t.must(os.WriteFile(path, []byte(sql), 0o644))
	t.scripts[name] = sql
}

func (t *testbed) remove(name string) error {
	delete(t.scripts, name)
	return os.Remove(filepath.Join(t.dir, "sql", name))
}

// one, two and three are a small release. Scripts of faults make a table
// t<version> each, by which testbed.answered tells what really was applied.
func (t *testbed) one() { t.script("V1__one.sql", "CREATE TABLE t1 (id int, name text);") }

func (t *testbed) two() { t.script("V2__two.sql", "CREATE TABLE t2 (id int);") }

func (t *testbed) three() { t.script("V3__three.sql", "CREATE TABLE t3 (id int);") }

// slow makes version 2 a script that lasts until [testbed.quick] is called.
func (t *testbed) slow() {
	t.exec("CREATE SCHEMA lab; CREATE TABLE lab.knob (seconds float); INSERT INTO lab.knob VALUES (300); GRANT ALL " +
		"ON SCHEMA lab TO PUBLIC; GRANT ALL ON lab.knob TO PUBLIC")
	t.script("V2__slow.sql", "CREATE TABLE t2 (id int);\nSELECT pg_sleep(seconds) FROM lab.knob;")
}

func (t *testbed) quick() { t.exec("UPDATE lab.knob SET seconds = 0") }

// migrated has version 1 applied already, with rows in its table.
func (t *testbed) migrated() {
	t.one()
	t.completes("1")
	t.seen = nil
	t.exec("INSERT INTO t1 SELECT i, 'n' FROM generate_series(1, 100) i")
}

func (t *testbed) exec(sql string, args ...any) {
	_, err := t.admin.Exec(t.ctx, sql, args...)
	t.must(err)
}

// ask returns a query's single value as text.
func (t *testbed) ask(sql string, args ...any) string {
	var value any
	err := t.admin.QueryRow(t.ctx, sql, args...).Scan(&value)
	if err != nil {
		t.fail("%s: %v", sql, err)
	}
	return fmt.Sprint(value)
}

// session is a session of the application.
func (t *testbed) session() *pgx.Conn {
	c, err := pgx.Connect(t.ctx, t.server.URLFor(shop, shop, t.database)+"&application_name="+shop)
	t.must(err)
	t.mine[c.PgConn().PID()] = true
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func (t *testbed) do(c *pgx.Conn, sql string) {
	_, err := c.Exec(t.ctx, sql)
	t.must(err)
}

// await polls until the condition holds.
func (t *testbed) await(what string, holds func() bool) {
	deadline := time.Now().Add(45 * time.Second)
	for !holds() {
		if time.Now().After(deadline) || t.ctx.Err() != nil {
			t.fail("waited in vain until %s", what)
		}
		time.Sleep(15 * time.Millisecond)
	}
}

// awaitStatement waits until Flyway runs a statement like that, and returns its session.
func (t *testbed) awaitStatement(like string) (pid int) {
	t.await("Flyway runs "+like, func() bool {
		text := t.ask(`SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'slipway/%' AND state = 'active' AND query LIKE $2`, t.database, like)
		pid, _ = strconv.Atoi(text)
		return pid != 0
	})
	return pid
}

// fail ends the fault as a broken promise.
func (t *testbed) fail(format string, args ...any) {
	t.Helper()
	t.Fatalf("promised: %s\nseen: %s", t.promise, strings.Join(append(t.seen, fmt.Sprintf(format, args...)), "; "))
}

// cannot skips a fault that this machine can't bring about. CI has to.
func (t *testbed) cannot(format string, args ...any) {
	t.Helper()
	if t.ci {
		t.Fatalf("CI has to run this: "+format, args...)
	}
	t.Skipf(format, args...)
}

func (t *testbed) must(err error) {
	t.Helper()
	if err != nil {
		t.fail("%v", err)
	}
}

func (t *testbed) check(holds bool, format string, args ...any) {
	t.Helper()
	if !holds {
		t.fail(format, args...)
	}
}

// saw adds to what the table says was seen.
func (t *testbed) saw(format string, args ...any) {
	t.seen = append(t.seen, fmt.Sprintf(format, args...))
}

// contains fails unless the text has all the parts.
func (t *testbed) contains(text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		t.check(strings.Contains(text, part), "%q is not in %q", part, text)
	}
}

func (t *testbed) environ(more map[string]string) []string {
	env := maps.Clone(t.env)
	maps.Copy(env, more)
	var list []string
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	return list
}
