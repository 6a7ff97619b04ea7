package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/workbench/postgres"
)

// shop is the application beside the migrations: its role, and its application_name.
const shop = "shop"

// lab is where one fault is injected.
type lab struct {
	*bench
	ctx    context.Context
	name   string
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

	seen    []string
	log     bytes.Buffer
	closing []func()
}

// open makes the database, the role, the secret, and the folders.
func (l *lab) open() {
	for _, folder := range []string{"sql", "tmp"} {
		l.must(os.MkdirAll(filepath.Join(l.dir, folder), 0o755))
	}
	l.scripts = map[string]string{}
	l.role, l.password = fmt.Sprintf("migrator_%d", l.number), "p'w \"of/"+l.name
	l.database = strings.ReplaceAll(l.name, "-", "_")
	l.env = map[string]string{
		"PATH": l.path, "HOME": l.dir, "TMPDIR": filepath.Join(l.dir, "tmp"),
		"JAVA_HOME": l.javaHome, "SLIPWAY_FLYWAY_HOME": l.flyway, "SLIPWAY_CLASS_ARCHIVE": l.archive,
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIAFAULTS", "AWS_SECRET_ACCESS_KEY": "fault", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": l.secrets.URL,
		"SLIPWAY_INSECURE_TLS":             "true",
		"FLYWAY_LOCATIONS":                 "filesystem:" + filepath.Join(l.dir, "sql"),
		"SLIPWAY_LOCK_TIMEOUT":             "1s", "SLIPWAY_LOCK_WAIT": "20s", "SLIPWAY_CONNECT_WAIT": "3s",
	}
	l.use(l.bench.server)
	l.later(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if l.admin != nil {
			l.admin.Close(ctx)
		}
		if l.server == l.bench.server {
			_ = l.server.DropDatabase(ctx, l.database)
		}
	})
}

// use moves the fault to that server: database, role, secret.
func (l *lab) use(s *postgres.Server) {
	l.server = s
	l.must(s.CreateRole(l.ctx, l.role, l.password))
	_, err := s.CreateDatabase(l.ctx, l.database, l.role)
	l.must(err)
	l.connectAdmin()
	// As the master user of RDS has it: other sessions are seen as they are.
	l.exec("GRANT pg_monitor TO " + l.role)
	l.setSecret(l.password)
}

func (l *lab) connectAdmin() {
	var err error
	l.await("the server takes connections", func() bool {
		l.admin, err = pgx.Connect(l.ctx, l.server.URL(l.database))
		return err == nil
	})
}

func (l *lab) close() {
	for i := len(l.closing) - 1; i >= 0; i-- {
		l.closing[i]()
	}
}

func (l *lab) later(f func()) { l.closing = append(l.closing, f) }

// secret is the value of a secret as RDS writes it.
func (l *lab) secret(password string) string {
	text, err := json.Marshal(map[string]any{
		"engine": "postgres", "host": "127.0.0.1", "port": l.server.Port, "dbname": l.database, "username": l.role, "password": password,
	})
	l.must(err)
	return string(text)
}

func (l *lab) setSecret(password string) {
	l.env["MASTER_SECRET_ARN"] = l.secrets.Set(l.name, l.secret(password))
}

// script puts a script into the release.
func (l *lab) script(name, sql string) {
	path := filepath.Join(l.dir, "sql", name)
	l.must(os.MkdirAll(filepath.Dir(path), 0o755))
	l.must(os.WriteFile(path, []byte(sql), 0o644))
	l.scripts[name] = sql
}

func (l *lab) remove(name string) error {
	delete(l.scripts, name)
	return os.Remove(filepath.Join(l.dir, "sql", name))
}

// one, two and three are a small release. Scripts of faults make a table
// t<version> each, by which lab.answered tells what really was applied.
func (l *lab) one() { l.script("V1__one.sql", "CREATE TABLE t1 (id int, name text);") }

func (l *lab) two() { l.script("V2__two.sql", "CREATE TABLE t2 (id int);") }

func (l *lab) three() { l.script("V3__three.sql", "CREATE TABLE t3 (id int);") }

// slow makes version 2 a script that lasts until [lab.quick] is called.
func (l *lab) slow() {
	l.exec("CREATE SCHEMA lab; CREATE TABLE lab.knob (seconds float); INSERT INTO lab.knob VALUES (300); GRANT ALL ON SCHEMA lab TO PUBLIC; GRANT ALL ON lab.knob TO PUBLIC")
	l.script("V2__slow.sql", "CREATE TABLE t2 (id int);\nSELECT pg_sleep(seconds) FROM lab.knob;")
}

func (l *lab) quick() { l.exec("UPDATE lab.knob SET seconds = 0") }

// migrated has version 1 applied already, with rows in its table.
func (l *lab) migrated() {
	l.one()
	l.completes("1")
	l.seen = nil
	l.exec("INSERT INTO t1 SELECT i, 'n' FROM generate_series(1, 100) i")
}

func (l *lab) exec(sql string, args ...any) {
	_, err := l.admin.Exec(l.ctx, sql, args...)
	l.must(err)
}

// ask answers a query's single value as text.
func (l *lab) ask(sql string, args ...any) string {
	var value any
	err := l.admin.QueryRow(l.ctx, sql, args...).Scan(&value)
	if err != nil {
		l.fail("%s: %v", sql, err)
	}
	return fmt.Sprint(value)
}

// session is a session of the application.
func (l *lab) session() *pgx.Conn {
	c, err := pgx.Connect(l.ctx, l.server.URLFor(shop, shop, l.database)+"&application_name="+shop)
	l.must(err)
	l.mine[c.PgConn().PID()] = true
	l.later(func() { c.Close(context.Background()) })
	return c
}

func (l *lab) do(c *pgx.Conn, sql string) {
	_, err := c.Exec(l.ctx, sql)
	l.must(err)
}

// await polls until the condition holds.
func (l *lab) await(what string, holds func() bool) {
	deadline := time.Now().Add(45 * time.Second)
	for !holds() {
		if time.Now().After(deadline) || l.ctx.Err() != nil {
			l.fail("waited in vain until %s", what)
		}
		time.Sleep(15 * time.Millisecond)
	}
}

// awaitStatement waits until Flyway runs a statement like that, and answers the session.
func (l *lab) awaitStatement(like string) (pid int) {
	l.await("Flyway runs "+like, func() bool {
		text := l.ask(`SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'slipway/%' AND state = 'active' AND query LIKE $2`, l.database, like)
		pid, _ = strconv.Atoi(text)
		return pid != 0
	})
	return pid
}

func (l *lab) fail(format string, args ...any) { panic(failed(fmt.Sprintf(format, args...))) }

// cannot ends a fault that this machine can't bring about.
func (l *lab) cannot(format string, args ...any) { panic(unable(fmt.Sprintf(format, args...))) }

func (l *lab) must(err error) {
	if err != nil {
		l.fail("%v", err)
	}
}

func (l *lab) check(holds bool, format string, args ...any) {
	if !holds {
		l.fail(format, args...)
	}
}

// saw adds to what the table says was seen.
func (l *lab) saw(format string, args ...any) { l.seen = append(l.seen, fmt.Sprintf(format, args...)) }

// contains fails unless the text has all the parts.
func (l *lab) contains(text string, parts ...string) {
	for _, part := range parts {
		l.check(strings.Contains(text, part), "%q is not in %q", part, text)
	}
}

func (l *lab) environ(more map[string]string) []string {
	env := maps.Clone(l.env)
	maps.Copy(env, more)
	var list []string
	for name, value := range env {
		list = append(list, name+"="+value)
	}
	return list
}
