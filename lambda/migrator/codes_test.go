package migrator_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"slipway/lambda/migrator"
	"slipway/lambda/proof/pgtest"
	"slipway/lambda/report"
)

// changed is the yard with another address.
func (y *yard) changed(change func(u *url.URL)) *yard {
	y.Helper()
	u, err := url.Parse(y.url)
	if err != nil {
		y.Fatal(err)
	}
	change(u)
	z := *y
	z.url = u.String()
	z.config.ConnectWait = 300 * time.Millisecond
	return &z
}

// Each way in which a script can fail has a code, a place, and a way on.
func TestScriptsThatFail(t *testing.T) {
	t.Parallel()
	databases := pool(t)
	for name, c := range map[string]struct {
		text  string
		conf  string
		code  report.Code
		line  int
		state string
		says  string // in message, next, problems
	}{
		"syntax": {"SELECT 1;\n\nCREATE TABEL t (id int);", "", report.MigrationFailed, 3, "42601",
			`syntax error at or near "TABEL"`},
		"no such table": {"-- ü\nSELECT *\nFROM nowhere;", "", report.MigrationFailed, 3, "42P01", "nowhere"},
		"raised": {"DO $$ BEGIN\nRAISE EXCEPTION 'not like this: %', E'a\\nb';\nEND $$;", "",
			report.MigrationFailed, 1, "P0001", "not like this"},
		"division": {"SELECT 1/0;", "", report.MigrationFailed, 1, "22012", "division by zero"},
		"no right": {"SELECT 1;\nCREATE ROLE somebody;", "", report.MigrationFailed, 2, "42501",
			"permission denied"},
		"no quote's end": {"SELECT 'a;\nSELECT 2;", "", report.MigrationFailed, 1, "42601",
			"unterminated quoted string"},
		"placeholder": {"SELECT 1;\nSELECT '${nobody}';", "", report.BadRelease, 2, "",
			"${nobody} has no value"},
		"placeholder's end": {"SELECT '${nobody", "", report.BadRelease, 1, "", "does not end"},
		"mixed": {"CREATE TABLE t (id int);\nCREATE INDEX CONCURRENTLY i ON t (id);", "",
			report.BadRelease, 2, "", "the statement in line 1 runs in a transaction, the one in line 2 can't"},
		"outside, fails": {"CREATE INDEX CONCURRENTLY i ON a (nothing);", "", report.MigrationFailed, 1, "42703",
			"slipway repair"},
		"outside, by config": {"CREATE TABLE t (id int);\nSELECT 1/0;", "executeInTransaction=false",
			report.MigrationFailed, 2, "22012", "outside a transaction"},
		"inside, with VACUUM": {"VACUUM;", "executeInTransaction=true", "", 0, "", ""},
		"index that is double": {"CREATE UNIQUE INDEX CONCURRENTLY i ON doubles (id);", "", report.MigrationFailed, 1,
			"23505", "DROP INDEX CONCURRENTLY public.i;"},
	} {
		t.Run(strings.ReplaceAll(name, ",", ""), func(t *testing.T) {
			t.Parallel()
			w := world{files: map[string]string{"V1__ok.sql": "SELECT 1;", "V2__x.sql": c.text,
				"V3__never.sql": "SELECT 3;"}}
			if c.conf != "" {
				w.files["V2__x.sql.conf"] = c.conf
			}
			y := w.yard(t, databases)
			y.exec("DROP TABLE IF EXISTS a, doubles, t; CREATE TABLE IF NOT EXISTS a (id int); CREATE TABLE doubles " +
				"(id int); INSERT INTO doubles VALUES (1), (1);")
			y.config.Baseline = "0"
			rep := y.run(t.Context(), migrate)
			text := rep.Message + "\n" + rep.Next
			for _, p := range rep.Problems {
				text += "\n" + p.String()
			}
			if c.code == "" { // whatever Flyway makes of it, it is told
				if rep.Code == report.Internal {
					t.Errorf("%s: %s", rep.Code, text)
				}
				return
			}
			if rep.Code != c.code || rep.Script != "V2__x.sql" || c.line > 0 && rep.Line != c.line ||
				rep.SQLState != c.state || !strings.Contains(text, c.says) {
				t.Errorf("%s in %s line %d (%s): %s", rep.Code, rep.Script, rep.Line, rep.SQLState, text)
			}
			if len(rep.Applied) > 1 || rep.Next == "" || strings.Contains(text, "Flyway") &&
				rep.Code == report.MigrationFailed {
				t.Errorf("applied %s: %s", scripts(rep.Applied), text)
			}
		})
	}
}

func TestDatabasesThatCanNotBeHad(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "SELECT 1;"})
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	silent.Close() // nobody listens there now
	if err := pgtest.Server(t).CreateRole(t.Context(), "stranger", "let me in"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*url.URL)
		code   report.Code
		says   string
	}{
		"wrong password": {
			func(u *url.URL) { u.User = url.UserPassword(pgtest.User, "nonsense") }, report.AccessDenied,
			"password authentication failed"},
		"no such role": {func(u *url.URL) { u.User = url.UserPassword("nobody", "nonsense") }, report.AccessDenied,
			"nobody"},
		"no such database": {func(u *url.URL) { u.Path = "/missing" }, report.DatabaseMissing, "missing"},
		"nobody listens": {func(u *url.URL) { u.Host = silent.Addr().String() }, report.DatabaseUnreachable,
			"refused"},
		"no rights": {func(u *url.URL) { u.User = url.UserPassword("stranger", "let me in") }, report.AccessDenied,
			"permission denied for schema public"},
	} {
		t.Run(name, func(t *testing.T) {
			z := y.changed(c.change)
			z.T = t
			rep := z.fails(c.code, migrate)
			contains(t, "message", rep.Message, c.says)
			if rep.Code.Exit() != 6 || rep.Next == "" || rep.FlywayVersion != "" || rep.Database.Host == "" {
				t.Errorf("exit %d, %+v", rep.Code.Exit(), rep)
			}
			for _, password := range []string{"nonsense", "let me in"} {
				if text := rep.Message + rep.Next + z.log.String(); strings.Contains(text, password) {
					t.Errorf("the password is in %s", text)
				}
			}
		})
	}
}

func TestFlywayThatIsNotThere(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "SELECT 1;"})
	m := y.migrator()
	m.Runner.Home = t.TempDir()
	rep, _ := m.Run(t.Context(), migrate)
	if rep.Code != report.Internal || !strings.Contains(rep.Next, "SLIPWAY_FLYWAY_HOME") || rep.Code.Exit() != 70 {
		t.Errorf("no jars: %+v", rep)
	}
	m = y.migrator()
	m.Runner.Java = "/nowhere/java"
	if rep, _ = m.Run(t.Context(), migrate); rep.Code != report.Internal ||
		!strings.Contains(rep.Message, "/nowhere/java") {
		t.Errorf("no java: %+v", rep)
	}
}

func TestUnknownCommandTouchesNothing(t *testing.T) {
	m := &migrator.Migrator{Log: slog.New(slog.DiscardHandler), Secrets: noSecrets{t}}
	for _, command := range []string{"", "clean", "Migrate", "undo"} {
		rep, err := m.Run(t.Context(), migrator.Request{Command: command})
		if rep.Code != report.BadRequest || err == nil || rep.Code.Exit() != 2 {
			t.Errorf("%q: %+v", command, rep)
		}
	}
}

// noSecrets is a Secrets Manager that may not be asked.
type noSecrets struct{ t *testing.T }

func (n noSecrets) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput,
	...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	n.t.Error("the secret was read")
	return nil, errors.New("no")
}

// A panic, too, is answered: Lambda would only start the function again.
func TestPanicIsAnswered(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "SELECT 1;"})
	m := y.migrator()
	m.Secrets = nil
	rep, err := m.Run(t.Context(), migrate)
	if err == nil || rep.Code != report.Internal || !strings.Contains(rep.Message, "defect") {
		t.Errorf("%+v, %v", rep, err)
	}
}
