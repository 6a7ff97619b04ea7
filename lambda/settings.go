package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"slipway/lambda/database"
	"slipway/lambda/flyway"
	"slipway/lambda/migrator"
	"slipway/lambda/report"
	"slipway/lambda/script"
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

// passedOn are the variables that reach Flyway as they are. None weakens TLS,
// and those that move the history are followed wherever Slipway reads it.
var passedOn = []string{
	"FLYWAY_TABLE", "FLYWAY_DEFAULT_SCHEMA", "FLYWAY_SCHEMAS", "FLYWAY_CREATE_SCHEMAS", "FLYWAY_ENCODING", "FLYWAY_OUT_OF_ORDER",
	"FLYWAY_PLACEHOLDER_REPLACEMENT", "FLYWAY_PLACEHOLDER_PREFIX", "FLYWAY_PLACEHOLDER_SUFFIX", "FLYWAY_INSTALLED_BY",
}

// own are the variables that Slipway reads itself, or that images set and nobody needs.
var own = []string{
	"FLYWAY_URL", "FLYWAY_LOCATIONS", "FLYWAY_VERSION", "FLYWAY_EDITION",
	"SLIPWAY_BASELINE_VERSION", "SLIPWAY_INSECURE_TLS", "SLIPWAY_LOCK_TIMEOUT", "SLIPWAY_LOCK_WAIT", "SLIPWAY_CONNECT_WAIT",
	"SLIPWAY_TIMEOUT", "SLIPWAY_FAST_PATH", "SLIPWAY_PROTECTED", "SLIPWAY_IAM_AUTH", "SLIPWAY_CLUSTER", "SLIPWAY_FLYWAY_HOME", "SLIPWAY_DEBUG",
	"SLIPWAY_CLASS_ARCHIVE", "SLIPWAY_COMMAND", "SLIPWAY_READ_ONLY", "SLIPWAY_LOG_GROUP",
}

// instead says what to use for variables that are refused and often tried.
var instead = map[string]string{
	"FLYWAY_USER": "the secret (MASTER_SECRET_ARN) gives the user", "FLYWAY_PASSWORD": "the secret (MASTER_SECRET_ARN) gives the password",
	"FLYWAY_BASELINE_VERSION": "use SLIPWAY_BASELINE_VERSION", "FLYWAY_BASELINE_ON_MIGRATE": "use SLIPWAY_BASELINE_VERSION",
	"FLYWAY_MIXED": "split scripts that mix transactional and other statements", "FLYWAY_CLEAN_DISABLED": "there is no clean",
}

const placeholderPrefix = "FLYWAY_PLACEHOLDERS_"

// settings reads the whole environment, once. Everything that is wrong with it
// is in the one BAD_REQUEST that it answers, by the variables' names.
type settings struct {
	env      map[string]string
	problems []string
}

func (s *settings) fail(name, format string, args ...any) {
	s.problems = append(s.problems, name+": "+fmt.Sprintf(format, args...))
}

func (s *settings) duration(name string, byDefault time.Duration) time.Duration {
	text := s.env[name]
	if text == "" {
		return byDefault
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		s.fail(name, "%q is no duration; write it like 90s or 5m", text)
	}
	return d
}

func (s *settings) boolean(name string, byDefault bool) bool {
	text := s.env[name]
	if text == "" {
		return byDefault
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		s.fail(name, "%q is neither true nor false", text)
	}
	return b
}

func (s *settings) unknown() {
	for _, name := range slices.Sorted(maps.Keys(s.env)) {
		if !strings.HasPrefix(name, "FLYWAY_") && !strings.HasPrefix(name, "SLIPWAY_") || strings.HasPrefix(name, placeholderPrefix) ||
			slices.Contains(passedOn, name) || slices.Contains(own, name) {
			continue
		}
		s.fail(name, "is not allowed: %s", cmp.Or(instead[name], "it is none of "+strings.Join(slices.Concat(passedOn, own[:2]), ", ")+", "+placeholderPrefix+"*, nor one of Slipway's (slipway --help)"))
	}
}

func (s *settings) locations() []string {
	var folders []string
	for location := range strings.SplitSeq(cmp.Or(s.env["FLYWAY_LOCATIONS"], "filesystem:sql/postgresql"), ",") {
		folder, ok := strings.CutPrefix(strings.TrimSpace(location), "filesystem:")
		if !ok || folder == "" || strings.ContainsAny(folder, "*?") {
			s.fail("FLYWAY_LOCATIONS", "%q is no folder; write filesystem:FOLDER, several with commas between", location)
			continue
		}
		folders = append(folders, folder)
	}
	return folders
}

// flyway are the settings that Flyway gets, and that Slipway has to know.
func (s *settings) flyway() migrator.FlywaySettings {
	f := migrator.FlywaySettings{
		Environment: map[string]string{}, Placeholders: map[string]string{},
		Replace: s.boolean("FLYWAY_PLACEHOLDER_REPLACEMENT", true), OutOfOrder: s.boolean("FLYWAY_OUT_OF_ORDER", false),
		Prefix: cmp.Or(s.env["FLYWAY_PLACEHOLDER_PREFIX"], "${"), Suffix: cmp.Or(s.env["FLYWAY_PLACEHOLDER_SUFFIX"], "}"),
	}
	// Flyway takes 1 and T for false.
	for name, yes := range map[string]bool{
		"FLYWAY_PLACEHOLDER_REPLACEMENT": f.Replace, "FLYWAY_OUT_OF_ORDER": f.OutOfOrder, "FLYWAY_CREATE_SCHEMAS": s.boolean("FLYWAY_CREATE_SCHEMAS", true),
	} {
		if s.env[name] != "" {
			f.Environment[name] = strconv.FormatBool(yes)
		}
	}
	for name, value := range s.env {
		if _, ok := f.Environment[name]; !ok && slices.Contains(passedOn, name) {
			f.Environment[name] = value
		}
		if key, ok := strings.CutPrefix(name, placeholderPrefix); ok && key != "" {
			f.Placeholders[strings.ToLower(key)] = value
		}
	}
	return f
}

// override is where the database is by the environment, rather than by the secret.
func (s *settings) override() database.Target {
	insecure := s.boolean("SLIPWAY_INSECURE_TLS", false)
	t := database.Target{Host: s.env["PGHOST"], Name: s.env["PGDATABASE"], User: s.env["PGUSER"]}
	if port := s.env["PGPORT"]; port != "" {
		var err error
		if t.Port, err = database.ParsePort(port); err != nil {
			s.fail("PGPORT", "%v", err)
		}
	}
	if url := s.env["FLYWAY_URL"]; url != "" {
		parsed, err := database.ParseJDBCURL(url, insecure)
		if err != nil {
			s.fail("FLYWAY_URL", "%v", err)
		}
		parsed.User = t.User
		t = parsed
	}
	t.TLS = database.TLS{Insecure: insecure, RootCert: s.env["PGSSLROOTCERT"]}
	if !insecure && t.TLS.RootCert == "" {
		s.fail("PGSSLROOTCERT", "is not set: it names the PEM file with the authorities that the server's certificate may come from (for a local server set SLIPWAY_INSECURE_TLS=true instead)")
	}
	return t
}

func (s *settings) baseline() string {
	version := s.env["SLIPWAY_BASELINE_VERSION"]
	if version != "" {
		v, err := script.ParseVersion(version)
		if err == nil {
			err = v.Storable()
		}
		if err != nil {
			s.fail("SLIPWAY_BASELINE_VERSION", "%v", err)
		}
	}
	return version
}

// PostgreSQL cuts longer names in silence. Of a table's, Flyway makes two more
// (_pk, _s_idx), which have to differ once they are cut.
const (
	maxName      = 63
	maxTableName = maxName - 2
	maxInstaller = 100 // what the history holds
)

// limits refuses names that would be cut, or fail when a script has run.
func (s *settings) limits() {
	if n := len(s.env["FLYWAY_TABLE"]); n > maxTableName {
		s.fail("FLYWAY_TABLE", "has %d bytes; the history's table can have %d", n, maxTableName)
	}
	if n := utf8.RuneCountInString(s.env["FLYWAY_INSTALLED_BY"]); n > maxInstaller {
		s.fail("FLYWAY_INSTALLED_BY", "has %d characters; the history holds %d", n, maxInstaller)
	}
	for _, name := range []string{"FLYWAY_DEFAULT_SCHEMA", "FLYWAY_SCHEMAS"} {
		for schema := range strings.SplitSeq(s.env[name], ",") {
			if n := len(strings.TrimSpace(schema)); n > maxName {
				s.fail(name, "names a schema of %d bytes; PostgreSQL's names have %d", n, maxName)
			}
		}
	}
}

// config is the environment as the migrator takes it.
func (s *settings) config() migrator.Config {
	encoding := s.env["FLYWAY_ENCODING"]
	if strings.EqualFold(encoding, "UTF-8") {
		encoding = ""
	}
	if strings.Contains(s.env["FLYWAY_TABLE"], `"`) {
		s.fail("FLYWAY_TABLE", "Flyway can't make a table with a quotation mark in its name")
	}
	s.limits()
	schema, _, _ := strings.Cut(s.env["FLYWAY_SCHEMAS"], ",")
	memory, _ := strconv.Atoi(s.env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])
	return migrator.Config{
		Locations: s.locations(), Encoding: encoding,
		SecretARN: s.env["MASTER_SECRET_ARN"], Override: s.override(),
		Cluster: s.env["SLIPWAY_CLUSTER"], Protected: s.boolean("SLIPWAY_PROTECTED", false),
		ReadOnly: s.boolean("SLIPWAY_READ_ONLY", false),
		Schema:   cmp.Or(s.env["FLYWAY_DEFAULT_SCHEMA"], strings.TrimSpace(schema)), Table: s.env["FLYWAY_TABLE"],
		Flyway: s.flyway(), Baseline: s.baseline(),
		LockTimeout: s.duration("SLIPWAY_LOCK_TIMEOUT", 5*time.Second),
		LockWait:    s.duration("SLIPWAY_LOCK_WAIT", time.Minute),
		ConnectWait: s.duration("SLIPWAY_CONNECT_WAIT", time.Minute),
		FastPath:    s.boolean("SLIPWAY_FAST_PATH", true), MemoryMB: memory, CommandLine: s.env["SLIPWAY_COMMAND"],
	}
}

// newMigrator makes the migrator of this environment, or the BAD_REQUEST that
// says what is wrong with it.
func newMigrator(env map[string]string, log *slog.Logger) (*migrator.Migrator, *report.Failure) {
	s := &settings{env: env}
	s.unknown()
	config := s.config()
	s.duration("SLIPWAY_TIMEOUT", 0)
	java, err := flyway.FindJava(env["JAVA_HOME"], exec.LookPath)
	if err != nil {
		s.fail("JAVA_HOME", "%v", err)
	}
	if s.boolean("SLIPWAY_IAM_AUTH", false) {
		config.IAMAuth = iamToken
	}
	if len(s.problems) > 0 {
		return nil, report.Failf(report.BadRequest, "the settings are not usable: %s", strings.Join(s.problems, "; ")).
			Next("Correct the environment of the program.")
	}
	return &migrator.Migrator{
		Config: config, Secrets: lazySecrets{}, Log: log,
		Runner: flyway.Runner{Installation: flyway.Installation{
			Home: cmp.Or(env["SLIPWAY_FLYWAY_HOME"], "/flyway"), Java: java, Archive: env["SLIPWAY_CLASS_ARCHIVE"],
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

// newRunner is newMigrator for handlers, which have to answer in any case.
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
