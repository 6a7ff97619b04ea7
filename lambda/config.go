package main

import (
	"context"
	"log/slog"
	"os/exec"
	"strconv"
	"strings"

	"slipway/lambda/database"
	"slipway/lambda/flyway"
	"slipway/lambda/migrator"
	"slipway/lambda/report"
	"slipway/lambda/script"
	"slipway/lambda/settings"
)

// environment is the process's environment as a map.
func environment(environ []string) map[string]string {
	env := map[string]string{}
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok {
			env[name] = value
		}
	}
	return env
}

// override is where the database is by the environment, rather than by the secret.
func override(v *settings.Values) database.Target {
	insecure := v.Boolean("SLIPWAY_INSECURE_TLS")
	t := database.Target{Host: v.Text("PGHOST"), Name: v.Text("PGDATABASE"), User: v.Text("PGUSER")}
	if port := v.Text("PGPORT"); port != "" {
		var err error
		if t.Port, err = database.ParsePort(port); err != nil {
			v.Fail("PGPORT", "%v", err)
		}
	}
	if url := v.Text("FLYWAY_URL"); url != "" {
		parsed, err := database.ParseJDBCURL(url, insecure)
		if err != nil {
			v.Fail("FLYWAY_URL", "%v", err)
		}
		parsed.User = t.User
		t = parsed
	}
	t.TLS = database.TLS{Insecure: insecure, RootCert: v.Text("PGSSLROOTCERT")}
	if !insecure && t.TLS.RootCert == "" {
		v.Fail("PGSSLROOTCERT", "is not set: it names the PEM file with the authorities that the server's certificate "+
			"may come from (for a local server set SLIPWAY_INSECURE_TLS=true instead)")
	}
	return t
}

func baseline(v *settings.Values) string {
	version := v.Text("SLIPWAY_BASELINE_VERSION")
	if version == "" {
		return ""
	}
	parsed, err := script.ParseVersion(version)
	if err == nil {
		err = parsed.Storable()
	}
	if err != nil {
		v.Fail("SLIPWAY_BASELINE_VERSION", "%v", err)
	}
	return version
}

// config is the environment as the migrator takes it.
func config(v *settings.Values) migrator.Config {
	memory, _ := strconv.Atoi(v.Text("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))
	c := migrator.Config{
		Locations:   v.Folders(),
		Encoding:    v.Encoding(),
		SecretARN:   v.Text("MASTER_SECRET_ARN"),
		Override:    override(v),
		Cluster:     v.Text("SLIPWAY_CLUSTER"),
		Protected:   v.Boolean("SLIPWAY_PROTECTED"),
		ReadOnly:    v.Boolean("SLIPWAY_READ_ONLY"),
		Schema:      v.HistorySchema(),
		Table:       v.Given("FLYWAY_TABLE"),
		Flyway:      v.Flyway(),
		Baseline:    baseline(v),
		LockTimeout: v.Duration("SLIPWAY_LOCK_TIMEOUT"),
		LockWait:    v.Duration("SLIPWAY_LOCK_WAIT"),
		ConnectWait: v.Duration("SLIPWAY_CONNECT_WAIT"),
		FastPath:    v.Boolean("SLIPWAY_FAST_PATH"),
		MemoryMB:    memory,
		CommandLine: v.Given("SLIPWAY_COMMAND"),
	}
	if v.Boolean("SLIPWAY_IAM_AUTH") {
		c.IAMAuth = iamToken
	}
	return c
}

// newMigrator makes the migrator of this environment, or the BAD_REQUEST that
// says everything that is wrong with it, by the variables' names.
func newMigrator(env map[string]string, log *slog.Logger) (*migrator.Migrator, *report.Failure) {
	v := settings.Read(env)
	v.RefuseUnknown()
	c := config(v)
	java, err := flyway.FindJava(v.Text("JAVA_HOME"), exec.LookPath)
	if err != nil {
		v.Fail("JAVA_HOME", "%v", err)
	}
	if err := v.Err(); err != nil {
		return nil, report.Failf(report.BadRequest, "%v", err).Next("Correct the environment of the program.")
	}
	return &migrator.Migrator{
		Config: c, Secrets: lazySecrets{}, Log: log,
		Runner: flyway.Runner{Installation: flyway.Installation{
			Home: v.Text("SLIPWAY_FLYWAY_HOME"), Java: java, Archive: v.Text("SLIPWAY_CLASS_ARCHIVE"),
		}},
	}, nil
}

// identity is the database of this environment in the form that a deployment
// names it: secret, and host and name where they are not the secret's.
func identity(env map[string]string) string {
	id := env["MASTER_SECRET_ARN"]
	for _, name := range []string{"PGHOST", "PGDATABASE"} {
		if env[name] != "" {
			id += " " + env[name]
		}
	}
	return id
}

// newRunner is newMigrator for handlers, which have to return a report in any case.
func newRunner(env map[string]string, log *slog.Logger) interface {
	Run(context.Context, migrator.Request) (*report.Report, error)
} {
	m, failure := newMigrator(env, log)
	if failure != nil {
		log.Error(failure.Error())
		return broken{failure}
	}
	return m
}
