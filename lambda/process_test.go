package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/lambda/proof/pgtest"
	"slipway/lambda/report"
	"slipway/lambda/workbench/distribution"
	"slipway/lambda/workbench/secrets"
)

// The test binary is the program as well: started with this variable, it is
// slipway, so that tests have a process without a build of their own.
const asSlipway = "TEST_AS_SLIPWAY"

func TestMain(m *testing.M) {
	if os.Getenv(asSlipway) != "" {
		main()
		os.Exit(0)
	}
	pgtest.Main(m)
}

// downloads are the homes of Flyway's jars and of Java.
var downloads = sync.OnceValues(func() ([2]string, error) {
	dir, err := distribution.DefaultDir()
	if err != nil {
		return [2]string{}, err
	}
	cache := &distribution.Cache{Dir: dir, Mirror: os.Getenv("SLIPWAY_MAVEN_MIRROR"), Progress: os.Stderr}
	jars, err := cache.Flyway(context.Background())
	if err != nil {
		return [2]string{}, err
	}
	java, err := cache.Java(context.Background(), os.Getenv("JAVA_HOME"))
	return [2]string{jars, java}, err
})

const hush = `hush: @ % ' " \ $ ü`

// place is what a process of the program needs around it: a database with a
// role of its own, its secret, a folder of scripts.
type place struct {
	*testing.T
	secrets  *secrets.Server
	arn      string
	folder   string
	database string
	super    string // URL of the database for the superuser
	env      []string
	output   []string // of all processes
	mu       sync.Mutex
}

func newPlace(t *testing.T, scripts map[string]string) *place {
	t.Helper()
	found, err := downloads()
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(pgtest.NewDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	p := &place{T: t, folder: t.TempDir(), database: strings.TrimPrefix(u.Path, "/")}
	p.super = pgtest.Server(t).URL(p.database)
	user := "App of " + p.database
	if err := pgtest.Server(t).CreateRole(t.Context(), user, hush); err != nil {
		t.Fatal(err)
	}
	p.exec("GRANT ALL ON SCHEMA public TO " + pgx.Identifier{user}.Sanitize())
	if p.secrets, err = secrets.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.secrets.Close() })
	if p.arn, err = p.secrets.SetJSON("db", map[string]any{"username": user, "password": hush}); err != nil {
		t.Fatal(err)
	}
	for name, text := range scripts {
		p.write(name, text)
	}
	p.env = []string{
		asSlipway + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "JAVA_HOME=" + found[1],
		"SLIPWAY_FLYWAY_HOME=" + found[0],
		"AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_ENDPOINT_URL_SECRETS_MANAGER=" +
			p.secrets.URL,
		"MASTER_SECRET_ARN=" + p.arn, "PGHOST=" + u.Hostname(), "PGPORT=" + u.Port(), "PGDATABASE=" + p.database,
		"SLIPWAY_INSECURE_TLS=true",
		"FLYWAY_LOCATIONS=filesystem:" + p.folder, "SLIPWAY_CONNECT_WAIT=2s",
	}
	t.Cleanup(func() { // whatever was printed in this test
		object, _ := json.Marshal(hush)
		for _, output := range p.output {
			for _, form := range []string{hush, string(object[1 : len(object)-1]), url.QueryEscape(hush)} {
				if strings.Contains(output, form) {
					t.Errorf("the password shows in:\n%s", output)
				}
			}
		}
	})
	return p
}

func (p *place) write(name, text string) {
	p.Helper()
	if err := os.WriteFile(filepath.Join(p.folder, name), []byte(text), 0o644); err != nil {
		p.Fatal(err)
	}
}

func (p *place) exec(sql string) {
	p.Helper()
	conn, err := pgx.Connect(p.Context(), p.super)
	if err != nil {
		p.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(p.Context(), sql); err != nil {
		p.Fatalf("%s: %v", sql, err)
	}
}

// ask answers one value.
func (p *place) ask(sql string) (value string) {
	p.Helper()
	conn, err := pgx.Connect(context.Background(), p.super)
	if err != nil {
		p.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(context.Background(), "SELECT ("+sql+")::text").Scan(&value); err != nil {
		p.Fatalf("%s: %v", sql, err)
	}
	return value
}

// await polls until the query answers true.
func (p *place) await(what, sql string) {
	p.Helper()
	for end := time.Now().Add(20 * time.Second); p.ask(sql) != "true"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.Fatalf("no sign of %s", what)
		}
	}
}

// process is the program, not yet started.
func (p *place) process(env []string, args ...string) (cmd *exec.Cmd, out, err *bytes.Buffer) {
	p.Helper()
	self, failure := os.Executable()
	if failure != nil {
		p.Fatal(failure)
	}
	cmd = exec.Command(self, args...)
	cmd.Env = append(append([]string{}, p.env...), env...)
	out, err = &bytes.Buffer{}, &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, err
	cmd.WaitDelay = 5 * time.Second
	p.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.output = append(p.output, out.String(), err.String())
	})
	return cmd, out, err
}

// run starts the program and waits for its end.
func (p *place) run(env []string, args ...string) (code int, out, err string) {
	p.Helper()
	cmd, o, e := p.process(env, args...)
	_ = cmd.Run()
	p.output = append(p.output, o.String(), e.String())
	return cmd.ProcessState.ExitCode(), o.String(), e.String()
}

func (p *place) json(out string) (rep report.Report) {
	p.Helper()
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	if err := d.Decode(&rep); err != nil || d.More() {
		p.Errorf("not one report: %v\n%s", err, out)
	}
	return rep
}
