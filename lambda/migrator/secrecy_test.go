package migrator_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"slipway/lambda/migrator"
	"slipway/lambda/proof/pgtest"
	"slipway/lambda/report"
)

// awkward are passwords that break somewhere, if they are not carried whole.
var awkward = []string{
	"@:/%?#&=+ ;", `quotes ' " and \ back\\slashes`, "$HOME ${dsn} `id` %PATH%", "first line\nsecond\tline",
	"größe 密碼 😀", "--json -password=x", " spaces ", "{\"a\":1}", "${env.HOME} !{x} $${git.token}", "!{x}",
}

// forms are the ways in which a password could show.
func forms(password string) []string {
	object, _ := json.Marshal(password)
	return []string{password, string(object[1 : len(object)-1]), url.QueryEscape(password), url.PathEscape(password),
		fmt.Sprintf("%+q", password), base64.StdEncoding.EncodeToString([]byte(password))}
}

// shown is everything that a run prints, logs or returns.
func shown(rep *report.Report, log string) string {
	var b bytes.Buffer
	_ = rep.WriteJSON(&b)
	_ = rep.WriteText(&b, false)
	return b.String() + rep.Summary(100000) + log
}

// The password works, and shows nowhere: not on success, not on any failure,
// not even when a script prints it.
func TestAwkwardPasswordsWorkAndShowNowhere(t *testing.T) {
	t.Parallel()
	databases := pool(t)
	for i, password := range awkward {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			user := fmt.Sprintf("Rôle @/%d", i)
			if err := pgtest.Server(t).CreateRole(t.Context(), user, password); err != nil {
				t.Fatal(err)
			}
			w := world{files: map[string]string{"V1__a.sql": "SELECT '${dsn}', '${port}';"}}
			y := w.yard(t, databases)
			var log bytes.Buffer
			y.logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			owner := pgtest.Server(t)
			u, _ := url.Parse(y.url)
			super := *y
			super.url = owner.URL(strings.TrimPrefix(u.Path, "/"))
			quoted := `"` + user + `"`
			super.exec("DROP SCHEMA IF EXISTS s CASCADE; CREATE SCHEMA s AUTHORIZATION " + quoted + "; ALTER ROLE " +
				quoted + " SET search_path = s")
			u.User = url.UserPassword(user, password)
			home := y.url
			y.url = u.String()
			defer func() { y.url = home }()

			all := ""
			run := func(code report.Code, command string) {
				t.Helper()
				rep := y.run(t.Context(), migrator.Request{Command: command})
				if rep.Code != code {
					t.Errorf("%s: %s %s, want %s", command, rep.Code, rep.Message, code)
				}
				all += shown(rep, log.String())
			}
			run(report.OK, "migrate")
			if i%2 == 1 { // half of them fail as well: a start of Flyway each
				sql := "'" + strings.ReplaceAll(password, "'", "''") + "'"
				y.write("V2__b.sql", "DO $x$ BEGIN RAISE WARNING '%', "+sql+"; RAISE EXCEPTION 'it is %', "+sql+
					"; END $x$;")
				y.write("V2__b.sql.conf", "placeholderReplacement=false")
				run(report.MigrationFailed, "migrate")
				run(report.ValidationFailed, "validate")
			}
			run(report.OK, "info")
			for _, form := range forms(password) {
				if strings.Contains(all, form) {
					at := strings.Index(all, form)
					t.Errorf("%q shows: …%s…", form, all[max(0, at-200):min(len(all), at+len(form)+100)])
				}
			}
			super.exec("DROP SCHEMA s CASCADE")
		})
	}
}

// rotating gives each secret once, the last one for ever.
type rotating struct {
	mu      sync.Mutex
	secrets []string
	reads   int
}

func (r *rotating) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput,
	...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := r.secrets[min(r.reads, len(r.secrets)-1)]
	r.reads++
	return &secretsmanager.GetSecretValueOutput{SecretString: &text}, nil
}

func TestSecretThatIsRotatedMeanwhile(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "SELECT 1;"})
	right, err := y.secret()
	if err != nil {
		t.Fatal(err)
	}
	wrong := strings.Replace(right, pgtest.Password, "former", 1)
	for _, c := range []struct {
		secrets []string
		code    report.Code
		reads   int
	}{{[]string{wrong, right}, report.OK, 2}, {[]string{wrong}, report.AccessDenied, 2},
		{[]string{wrong, "{}"}, report.SecretUnreadable, 2}, {[]string{right}, report.OK, 1}} {
		m := y.migrator()
		secrets := &rotating{secrets: c.secrets}
		m.Secrets = secrets
		rep, _ := m.Run(t.Context(), migrator.Request{Command: "info"})
		if rep.Code != c.code || secrets.reads != c.reads {
			t.Errorf("%s after %d reads, want %s after %d: %s", rep.Code, secrets.reads, c.code, c.reads, rep.Message)
		}
	}
}

func TestWithoutASecret(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "SELECT 1;"})
	m := y.migrator()
	m.Config.SecretARN = ""
	if rep, _ := m.Run(t.Context(), migrator.Request{Command: "info"}); rep.Code != report.BadRequest ||
		!strings.Contains(rep.Next, "MASTER_SECRET_ARN") {
		t.Errorf("no secret at all: %+v", rep)
	}
}

func TestPasswordThatFlywayWouldChangeIsRefused(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__a.sql": "SELECT 1;"})
	const password = "first line\nsecond line\n"
	if err := pgtest.Server(t).CreateRole(t.Context(), "last line", password, "SUPERUSER"); err != nil {
		t.Fatal(err)
	}
	y = y.changed(func(u *url.URL) { u.User = url.UserPassword("last line", password) })
	rep := y.fails(report.SecretUnreadable, migrate)
	if strings.Contains(shown(rep, y.log.String()), "second line") || !strings.Contains(rep.Next, "line breaks") {
		t.Errorf("%+v", rep)
	}
}
