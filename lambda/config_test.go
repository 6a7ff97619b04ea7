package main

import (
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"slipway/lambda/database"
	"slipway/lambda/migrator"
	"slipway/lambda/report"
	"slipway/lambda/settings"
)

var quiet = slog.New(slog.DiscardHandler)

// usable is an environment with which a migrator can be made.
func usable(t *testing.T, more map[string]string) map[string]string {
	t.Helper()
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "bin", "java"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"MASTER_SECRET_ARN": "arn:x", "SLIPWAY_INSECURE_TLS": "true", "JAVA_HOME": home,
		"PATH": "/bin"}
	maps.Copy(env, more)
	return env
}

func configured(t *testing.T, more map[string]string) migrator.Config {
	t.Helper()
	m, failure := newMigrator(usable(t, more), quiet)
	if failure != nil {
		t.Fatalf("%v: %v", more, failure)
	}
	return m.Config
}

func TestSettingsByDefault(t *testing.T) {
	want := migrator.Config{
		Locations: []string{"sql/postgresql"}, SecretARN: "arn:x",
		Override: database.Target{TLS: database.TLS{Insecure: true}},
		Flyway: settings.Flyway{Environment: map[string]string{}, Placeholders: map[string]string{}, Replace: true,
			Prefix: "${", Suffix: "}"},
		LockTimeout: 5 * time.Second, LockWait: time.Minute, ConnectWait: time.Minute, FastPath: true,
	}
	if got := configured(t, nil); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestEachSettingIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		value string
		got   func(migrator.Config) any
		want  any
	}{
		"MASTER_SECRET_ARN": {"arn:y", func(c migrator.Config) any { return c.SecretARN }, "arn:y"},
		"PGHOST":            {"h", func(c migrator.Config) any { return c.Override.Host }, "h"},
		"PGPORT":            {"5433", func(c migrator.Config) any { return c.Override.Port }, 5433},
		"PGDATABASE":        {"d", func(c migrator.Config) any { return c.Override.Name }, "d"},
		"PGUSER":            {"u", func(c migrator.Config) any { return c.Override.User }, "u"},
		"PGSSLROOTCERT": {"/ca.pem", func(c migrator.Config) any { return c.Override.TLS.RootCert },
			"/ca.pem"},
		"FLYWAY_URL": {"jdbc:postgresql://h:1/d",
			func(c migrator.Config) any { return c.Override.Address() + "/" + c.Override.Name }, "h:1/d"},
		"FLYWAY_LOCATIONS": {"filesystem:a, filesystem:/b",
			func(c migrator.Config) any { return c.Locations }, []string{"a", "/b"}},
		"FLYWAY_PLACEHOLDERS_My_Name": {"v", func(c migrator.Config) any { return c.Flyway.Placeholders["my_name"] },
			"v"},
		"FLYWAY_PLACEHOLDERS_PORT": {"", func(c migrator.Config) any { return len(c.Flyway.Placeholders) }, 1},
		"FLYWAY_TABLE": {"t",
			func(c migrator.Config) any { return c.Table + c.Flyway.Environment["FLYWAY_TABLE"] }, "tt"},
		"FLYWAY_DEFAULT_SCHEMA": {"s",
			func(c migrator.Config) any { return c.Schema + c.Flyway.Environment["FLYWAY_DEFAULT_SCHEMA"] }, "ss"},
		"FLYWAY_SCHEMAS": {"a, b",
			func(c migrator.Config) any { return c.Schema + c.Flyway.Environment["FLYWAY_SCHEMAS"] }, "aa, b"},
		"FLYWAY_CREATE_SCHEMAS": {"false",
			func(c migrator.Config) any { return c.Flyway.Environment["FLYWAY_CREATE_SCHEMAS"] }, "false"},
		"FLYWAY_INSTALLED_BY": {"me",
			func(c migrator.Config) any { return c.Flyway.Environment["FLYWAY_INSTALLED_BY"] }, "me"},
		"FLYWAY_ENCODING": {"ISO-8859-1",
			func(c migrator.Config) any { return c.Encoding + c.Flyway.Environment["FLYWAY_ENCODING"] },
			"ISO-8859-1ISO-8859-1"},
		"FLYWAY_OUT_OF_ORDER": {"1", func(c migrator.Config) any {
			return []any{c.Flyway.OutOfOrder, c.Flyway.Environment["FLYWAY_OUT_OF_ORDER"]}
		}, []any{true, "true"}},
		"FLYWAY_PLACEHOLDER_REPLACEMENT": {"F", func(c migrator.Config) any {
			return []any{c.Flyway.Replace, c.Flyway.Environment["FLYWAY_PLACEHOLDER_REPLACEMENT"]}
		}, []any{false, "false"}},
		"FLYWAY_PLACEHOLDER_PREFIX": {"<", func(c migrator.Config) any {
			return c.Flyway.Prefix + c.Flyway.Environment["FLYWAY_PLACEHOLDER_PREFIX"]
		}, "<<"},
		"FLYWAY_PLACEHOLDER_SUFFIX": {">", func(c migrator.Config) any {
			return c.Flyway.Suffix + c.Flyway.Environment["FLYWAY_PLACEHOLDER_SUFFIX"]
		}, ">>"},
		"FLYWAY_VERSION": {"12.4.0", func(c migrator.Config) any { return len(c.Flyway.Environment) },
			0},
		"FLYWAY_EDITION":           {"oss", func(c migrator.Config) any { return len(c.Flyway.Environment) }, 0},
		"SLIPWAY_BASELINE_VERSION": {"12.1", func(c migrator.Config) any { return c.Baseline }, "12.1"},
		"SLIPWAY_LOCK_TIMEOUT": {"90s", func(c migrator.Config) any { return c.LockTimeout },
			90 * time.Second},
		"SLIPWAY_LOCK_WAIT": {"0", func(c migrator.Config) any { return c.LockWait }, time.Duration(0)},
		"SLIPWAY_CONNECT_WAIT": {"2m", func(c migrator.Config) any { return c.ConnectWait },
			2 * time.Minute},
		"SLIPWAY_FAST_PATH":               {"false", func(c migrator.Config) any { return c.FastPath }, false},
		"SLIPWAY_PROTECTED":               {"true", func(c migrator.Config) any { return c.Protected }, true},
		"SLIPWAY_READ_ONLY":               {"true", func(c migrator.Config) any { return c.ReadOnly }, true},
		"SLIPWAY_CLUSTER":                 {"prod", func(c migrator.Config) any { return c.Cluster }, "prod"},
		"SLIPWAY_COMMAND":                 {"make {}", func(c migrator.Config) any { return c.CommandLine }, "make {}"},
		"SLIPWAY_IAM_AUTH":                {"true", func(c migrator.Config) any { return c.IAMAuth != nil }, true},
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": {"1024", func(c migrator.Config) any { return c.MemoryMB }, 1024},
	} {
		if got := c.got(configured(t, map[string]string{name: c.value})); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s=%s: %v, want %v", name, c.value, got, c.want)
		}
	}
	m, failure := newMigrator(usable(t,
		map[string]string{"SLIPWAY_FLYWAY_HOME": "/f", "SLIPWAY_CLASS_ARCHIVE": "/a.jsa"}), quiet)
	if failure != nil || m.Runner.Home != "/f" || m.Runner.Archive != "/a.jsa" {
		t.Errorf("%+v, %v", m, failure)
	}
}

func TestURLWinsOverTheOtherVariables(t *testing.T) {
	c := configured(t, map[string]string{"FLYWAY_URL": "jdbc:postgresql://h/d", "PGHOST": "other", "PGPORT": "1",
		"PGDATABASE": "other", "PGUSER": "u"})
	if c.Override.Host != "h" || c.Override.Name != "d" || c.Override.Port != 5432 || c.Override.User != "u" {
		t.Errorf("%+v", c.Override)
	}
}

func TestEachRefusalNamesItsVariable(t *testing.T) {
	for entry, want := range map[string]string{
		"PGPORT=x":                    `"x" is no port number`,
		"PGPORT=70000":                "no port number",
		"FLYWAY_URL=postgresql://h/d": "should look like jdbc:postgresql",
		"FLYWAY_URL=jdbc:postgresql://u:hush@h/d": "credentials",
		"FLYWAY_LOCATIONS=classpath:db":           "filesystem:FOLDER",
		"FLYWAY_LOCATIONS=filesystem:a,s3:b":      `"s3:b" is not a folder`,
		"FLYWAY_LOCATIONS=filesystem:":            "is not a folder",
		"FLYWAY_LOCATIONS=filesystem:a*":          "is not a folder",
		"FLYWAY_LOCATIONS=,":                      "is not a folder",
		"FLYWAY_OUT_OF_ORDER=yes":                 "neither true nor false",
		"FLYWAY_PLACEHOLDER_REPLACEMENT=no":       "neither true nor false",
		`FLYWAY_TABLE=a"b`:                        "quotation mark",
		"FLYWAY_USER=u":                           "the secret",
		"FLYWAY_PASSWORD=hush":                    "the secret",
		"FLYWAY_BASELINE_VERSION=1":               "SLIPWAY_BASELINE_VERSION",
		"FLYWAY_BASELINE_ON_MIGRATE=true":         "SLIPWAY_BASELINE_VERSION",
		"FLYWAY_MIXED=true":                       "split",
		"FLYWAY_CLEAN_DISABLED=false":             "no clean",
		"FLYWAY_CONNECT_RETRIES=3":                "not allowed",
		"FLYWAY_CONFIG_FILES=/x":                  "not allowed",
		"FLYWAY_JDBC_PROPERTIES_SSLMODE=disable":  "not allowed",
		"FLYWAY_IGNORE_MIGRATION_PATTERNS=*:*":    "not allowed",
		"FLYWAY_VALIDATE_ON_MIGRATE=false":        "not allowed",
		"FLYWAY_SQL_MIGRATION_PREFIX=X":           "not allowed",
		"FLYWAY_=x":                               "not allowed",
		"SLIPWAY_LOCK_TIMEOUT=5":                  "not a valid duration",
		"SLIPWAY_LOCK_WAIT=-1s":                   "not a valid duration",
		"SLIPWAY_CONNECT_WAIT=soon":               "not a valid duration",
		"SLIPWAY_TIMEOUT=1 hour":                  "not a valid duration",
		"SLIPWAY_FAST_PATH=maybe":                 "neither true nor false",
		"SLIPWAY_PROTECTED=2":                     "neither true nor false",
		"SLIPWAY_IAM_AUTH=x":                      "neither true nor false",
		"SLIPWAY_INSECURE_TLS=x":                  "neither true nor false",
		"SLIPWAY_BASELINE_VERSION=one":            "no version",

		"SLIPWAY_BASELINE_VERSION=" + strings.Repeat("1", 51): "the version has 51 characters, and the history " +
			"holds 50",
		"FLYWAY_TABLE=" + strings.Repeat("t", 62):          "has 62 bytes; the history's table can have 61",
		"FLYWAY_TABLE=" + strings.Repeat("ü", 31):          "has 62 bytes",
		"FLYWAY_INSTALLED_BY=" + strings.Repeat("i", 101):  "has 101 characters; the history holds 100",
		"FLYWAY_DEFAULT_SCHEMA=" + strings.Repeat("s", 64): "names a schema of 64 bytes",
		"FLYWAY_SCHEMAS=a," + strings.Repeat("s", 64):      "names a schema of 64 bytes",
		"SLIPWAY_TIMEOUTS=1s":                              "not allowed",
	} {
		name, value, _ := strings.Cut(entry, "=")
		_, failure := newMigrator(usable(t, map[string]string{name: value, "PGSSLROOTCERT": "/ca"}), quiet)
		if failure == nil {
			t.Errorf("%s was taken", entry)
			continue
		}
		if failure.Code != report.BadRequest || !strings.Contains(failure.Message, name+": ") ||
			!strings.Contains(failure.Message, want) || strings.Contains(failure.Message, "hush") {
			t.Errorf("%s: %s", entry, failure.Message)
		}
	}
}

func TestAllThatIsWrongIsToldAtOnce(t *testing.T) {
	_, failure := newMigrator(usable(t,
		map[string]string{"PGPORT": "x", "FLYWAY_MIXED": "true", "SLIPWAY_LOCK_WAIT": "y"}), quiet)
	for _, name := range []string{"PGPORT", "FLYWAY_MIXED", "SLIPWAY_LOCK_WAIT"} {
		if !strings.Contains(failure.Message, name) {
			t.Errorf("%s is not in %s", name, failure.Message)
		}
	}
}

func TestTLSIsNotWeakenedBySilence(t *testing.T) {
	env := usable(t, nil)
	delete(env, "SLIPWAY_INSECURE_TLS")
	if _, failure := newMigrator(env, quiet); failure == nil || !strings.Contains(failure.Message, "PGSSLROOTCERT") {
		t.Errorf("got %v", failure)
	}
	env["PGSSLROOTCERT"] = "/ca"
	if m, failure := newMigrator(env, quiet); failure != nil || m.Config.Override.TLS.Insecure {
		t.Errorf("got %v", failure)
	}
}

func TestOtherVariablesAreNobodysBusiness(t *testing.T) {
	configured(t, map[string]string{"HOME": "/", "AWS_REGION": "eu-west-1", "MY_FLYWAY_X": "1", "flyway_x": "1",
		"PGPASSWORD": "x"})
}

func TestEnvironmentAsAMap(t *testing.T) {
	got := environment([]string{"A=1", "B=x=y", "C=", "odd", "A=2"})
	if !maps.Equal(got, map[string]string{"A": "2", "B": "x=y", "C": ""}) {
		t.Errorf("%v", got)
	}
}
