package migrator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/jackc/pgx/v5"

	"slipway/lambda/database"
	"slipway/lambda/flyway"
	"slipway/lambda/migrator"
	"slipway/lambda/proof/pgtest"
	"slipway/lambda/report"
	"slipway/lambda/script"
	"slipway/lambda/settings"
	"slipway/lambda/workbench/catalog"
	"slipway/lambda/workbench/distribution"
)

// TestMain is also the program that tests start and kill: one revert.
func TestMain(m *testing.M) {
	if folder := os.Getenv("TEST_REVERT_FOLDER"); folder != "" {
		y := &yard{url: os.Getenv("TEST_REVERT_URL"), folder: folder}
		secret, err := y.secret()
		if err != nil {
			panic(err)
		}
		m := &migrator.Migrator{Config: configOf(folder), Secrets: fixedSecret(secret),
			Log: slog.New(slog.DiscardHandler)}
		rep, _ := m.Run(context.Background(), migrator.Request{Command: "revert", To: "0"})
		_ = rep.WriteText(os.Stdout, false)
		os.Exit(rep.Code.Exit())
	}
	pgtest.Main(m)
}

// yard is one database with a folder of scripts, and what works on it: the
// migrator, and Flyway's own command line.
type yard struct {
	*testing.T
	url    string
	folder string
	config migrator.Config
	log    *bytes.Buffer
	logger *slog.Logger // one for all migrators, since they may run at the same time
}

// fixedSecret answers every request with the same secret.
type fixedSecret string

func (s fixedSecret) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput,
	...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	text := string(s)
	return &secretsmanager.GetSecretValueOutput{SecretString: &text}, nil
}

// userCache holds what was fetched for the user.
func userCache() (*distribution.Cache, error) {
	dir, err := distribution.DefaultDir()
	return &distribution.Cache{Dir: dir, Mirror: os.Getenv("SLIPWAY_MAVEN_MIRROR"), Progress: os.Stderr}, err
}

var installation = sync.OnceValues(func() (flyway.Installation, error) {
	cache, err := userCache()
	if err != nil {
		return flyway.Installation{}, err
	}
	home, err := cache.Flyway(context.Background())
	if err != nil {
		return flyway.Installation{}, err
	}
	java, err := cache.Java(context.Background(), os.Getenv("JAVA_HOME"))
	if err != nil {
		return flyway.Installation{}, err
	}
	command, err := flyway.FindJava(java, exec.LookPath)
	return archived(flyway.Installation{Home: home, Java: command}), err
})

// newYard makes an empty database and a folder of these scripts.
func newYard(t *testing.T, scripts map[string]string) *yard {
	t.Helper()
	y := &yard{T: t, url: pgtest.NewDatabase(t), folder: t.TempDir(), log: &bytes.Buffer{}}
	y.logger = slog.New(slog.NewTextHandler(y.log, nil))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log:\n%s", y.log)
		}
	})
	for name, text := range scripts {
		y.write(name, text)
	}
	y.config = configOf(y.folder)
	return y
}

func configOf(folder string) migrator.Config {
	return migrator.Config{
		Locations: []string{folder}, SecretARN: "arn", LockTimeout: 5 * time.Second, LockWait: 20 * time.Second,
		ConnectWait: 5 * time.Second, FastPath: true,
		Override: database.Target{TLS: database.TLS{Insecure: true}},
		Flyway: settings.Flyway{Environment: map[string]string{}, Placeholders: map[string]string{}, Replace: true,
			Prefix: "${", Suffix: "}"},
	}
}

func (y *yard) write(name, text string) {
	y.Helper()
	path := filepath.Join(y.folder, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		y.Fatal(err)
	}
}

func (y *yard) remove(name string) {
	y.Helper()
	if err := os.Remove(filepath.Join(y.folder, name)); err != nil {
		y.Fatal(err)
	}
}

// secret is the database's as Secrets Manager holds it.
func (y *yard) secret() (string, error) {
	u, err := url.Parse(y.url)
	if err != nil {
		return "", err
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return "", err
	}
	password, _ := u.User.Password()
	text, err := json.Marshal(map[string]any{"username": u.User.Username(), "password": password, "host": u.Hostname(),
		"port": port, "dbname": strings.TrimPrefix(u.Path, "/")})
	return string(text), err
}

func (y *yard) migrator() *migrator.Migrator {
	y.Helper()
	i, err := installation()
	if err != nil {
		y.Fatalf("Flyway: %v", err)
	}
	secret, err := y.secret()
	if err != nil {
		y.Fatal(err)
	}
	logger := y.logger
	if logger == nil {
		logger = slog.New(slog.NewTextHandler(y.log, nil))
	}
	return &migrator.Migrator{Config: y.config, Secrets: fixedSecret(secret), Runner: flyway.Runner{Installation: i},
		Log: logger}
}

// run runs a request and checks what holds for every report.
func (y *yard) run(ctx context.Context, req migrator.Request) *report.Report {
	y.Helper()
	rep, err := y.migrator().Run(ctx, req)
	if (err == nil) != rep.OK() {
		y.Fatalf("%s: error %v, and the report says %s", req.Command, err, rep.Code)
	}
	return rep
}

// ok runs a request that has to succeed.
func (y *yard) ok(req migrator.Request) *report.Report {
	y.Helper()
	rep := y.run(y.Context(), req)
	if !rep.OK() {
		text, _ := json.MarshalIndent(rep, "", " ")
		y.Fatalf("%+v: %s", req, text)
	}
	return rep
}

// fails runs a request that has to fail with that code.
func (y *yard) fails(code report.Code, req migrator.Request) *report.Report {
	y.Helper()
	rep := y.run(y.Context(), req)
	if rep.Code != code {
		text, _ := json.MarshalIndent(rep, "", " ")
		y.Fatalf("%+v: want %s, got %s", req, code, text)
	}
	return rep
}

// prime brings the database to where `migrate` would, without a start of Flyway.
func (y *yard) prime() {
	y.Helper()
	set, err := script.Load(y.folder)
	if err != nil {
		y.Fatal(err)
	}
	conn := y.connect()
	defer conn.Close(context.Background())
	exec := func(sql string) {
		if _, err := conn.PgConn().Exec(y.Context(), sql).ReadAll(); err != nil {
			y.Fatalf("%s: %v", sql, err)
		}
	}
	exec(`CREATE TABLE flyway_schema_history (installed_rank int NOT NULL CONSTRAINT flyway_schema_history_pk PRIMARY KEY, version varchar(50),
		description varchar(200) NOT NULL, type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum int, installed_by varchar(100) NOT NULL,
		installed_on timestamp NOT NULL DEFAULT now(), execution_time int NOT NULL, success boolean NOT NULL);
		CREATE INDEX flyway_schema_history_s_idx ON flyway_schema_history (success)`)
	for rank, f := range slices.Concat(set.Versioned, set.Repeatable) {
		text, err := f.Text()
		if err != nil {
			y.Fatal(err)
		}
		exec(string(text))
		exec(fmt.Sprintf("INSERT INTO flyway_schema_history VALUES (%d, nullif('%s', ''), '%s', 'SQL', '%s', %d, "+
			"current_user, now(), 1, true)", rank+1, f.Version, f.Description, f.Script, f.Checksum))
	}
}

func (y *yard) migrate() { y.Helper(); y.ok(migrator.Request{Command: "migrate"}) }
func (y *yard) revert(to string) *report.Report {
	y.Helper()
	return y.ok(migrator.Request{Command: "revert", To: to})
}

func (y *yard) connect() *pgx.Conn {
	y.Helper()
	conn, err := pgx.Connect(y.Context(), y.url)
	if err != nil {
		y.Fatal(err)
	}
	y.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func (y *yard) exec(sql string) {
	y.Helper()
	conn := y.connect()
	defer conn.Close(context.Background())
	if _, err := conn.Exec(y.Context(), sql); err != nil {
		y.Fatalf("%s: %v", sql, err)
	}
}

// text returns the rows of a query, columns with spaces between, rows with semicolons.
func (y *yard) text(sql string) string {
	y.Helper()
	conn := y.connect()
	defer conn.Close(context.Background())
	rows, err := conn.Query(y.Context(), sql)
	if err != nil {
		y.Fatalf("%s: %v", sql, err)
	}
	lines, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		values, err := row.Values()
		return strings.TrimSuffix(fmt.Sprintln(values...), "\n"), err
	})
	if err != nil {
		y.Fatalf("%s: %v", sql, err)
	}
	return strings.Join(lines, "; ")
}

// await polls until the query answers true.
func (y *yard) await(what, sql string) {
	y.Helper()
	conn := y.connect()
	defer conn.Close(context.Background())
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var yes bool
		if err := conn.QueryRow(y.Context(), sql).Scan(&yes); err != nil {
			y.Fatalf("%s: %v", what, err)
		}
		if yes {
			return
		}
		if time.Now().After(deadline) {
			y.Fatalf("no sign of %s", what)
		}
	}
}

// history is version, type, success of each row.
func (y *yard) history() string {
	y.Helper()
	return y.text("SELECT concat_ws(' ', coalesce(version, description), type, CASE WHEN NOT success THEN 'failed' " +
		"END) FROM flyway_schema_history ORDER BY installed_rank")
}

func (y *yard) snapshot() string {
	y.Helper()
	text, err := catalog.SnapshotOf(y.Context(), y.url, catalog.Options{Ignore: []string{"flyway_schema_history"}})
	if err != nil {
		y.Fatal(err)
	}
	return text
}

// flyway starts Flyway's own command line, with nothing of Slipway's between.
func (y *yard) flyway(verb string, args ...string) (*flyway.Result, error) {
	y.Helper()
	i, err := installation()
	if err != nil {
		y.Fatalf("Flyway: %v", err)
	}
	u, _ := url.Parse(y.url)
	password, _ := u.User.Password()
	return flyway.Runner{Installation: i}.Run(y.Context(), flyway.Command{
		Verb: verb, URL: "jdbc:postgresql://" + u.Host + u.Path + "?sslmode=disable", User: u.User.Username(),
		Password:  password,
		Locations: []string{y.folder}, Args: args, Settings: map[string]string{"FLYWAY_PLACEHOLDERS_DSN": "x",
			"FLYWAY_PLACEHOLDERS_PORT": "1"},
	})
}

// flywayOK is [yard.flyway] for a start that has to succeed.
func (y *yard) flywayOK(verb string, args ...string) *flyway.Result {
	y.Helper()
	result, err := y.flyway(verb, args...)
	if err != nil {
		y.Fatalf("flyway %s: %v", verb, err)
	}
	return result
}

// states are the states that Flyway's info tells, versions (or descriptions) first.
func (y *yard) states() string {
	y.Helper()
	var states []string
	for _, m := range y.flywayOK("info").Migrations {
		name := m.Version
		if name == "" {
			name = m.Description
		}
		states = append(states, name+" "+m.State)
	}
	return strings.Join(states, "; ")
}

// sameInfo compares what Slipway says by itself with what Flyway says.
func (y *yard) sameInfo() {
	y.Helper()
	var states []string
	for _, s := range y.ok(migrator.Request{Command: "info"}).Scripts {
		name := s.Version
		if name == "" {
			name = s.Description
		}
		states = append(states, name+" "+s.State)
	}
	y.equal("Slipway's info", strings.Join(states, "; "), y.states())
}

func (y *yard) equal(what, got, want string) {
	y.Helper()
	if got != want {
		y.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

func contains(t *testing.T, what, got string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %q:\n%s", what, want, got)
		}
	}
}
