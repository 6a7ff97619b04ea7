package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"slipway/lambda/flyway"
)

//go:embed recipe.sh
var recipeScript string

//go:embed launcher.sh
var launcherScript string

// A contestant migrates one database.
type contestant struct {
	name    string
	about   string // for the legend
	history string // table in which it counts what it applied, "" for none
	jvm     bool   // takes seconds
	recipe  bool   // starts Java more than once
	direct  bool   // is Slipway's own command line of Java, without Slipway
	command func(*job) (*exec.Cmd, error)
}

// A job is what a contestant is told.
type job struct {
	database string
	applied  int
	pending  int
	scripts  string // folder of Flyway's scripts
	goose    string // the same in goose's format
	psql     string // the pending ones as one file for psql
	memory   int    // of the function, in MB: bounds Java's heap
	temp     string
}

const flywayHistory, gooseHistory = "flyway_schema_history", "goose_db_version"

func (s *stage) contestants() []contestant {
	all := []contestant{
		{name: "recipe", about: s.recipeAbout(), history: flywayHistory, jvm: true, recipe: true, command: s.recipe},
		{name: "flyway", about: "Flyway's launcher, `flyway migrate` once", history: flywayHistory, jvm: true,
			command: s.launcher},
		{name: "java", about: "the command line of Java that Slipway would start, with the same class-data archive, " +
			"without Slipway", history: flywayHistory, jvm: true, direct: true, command: s.java},
		{name: "slipway", about: "`slipway migrate`: secret, look at the history, Flyway if anything is pending",
			history: flywayHistory, command: s.slipway},
		{name: "goose", about: "goose " + gooseVersion +
			", native Go, built with its PostgreSQL driver only; no secret, no lock", history: gooseHistory,
			command: s.gooseUp},
	}
	if s.psql = findPsql(); s.psql != "" {
		all = append(all, contestant{name: "psql", about: "psql, one session, a transaction for each script; keeps " +
			"no history", command: s.psqlFile})
	}
	return all
}

// findPsql is psql itself where Debian has a script in Perl before it, which
// takes longer than psql.
func findPsql() string {
	installed, _ := filepath.Glob("/usr/lib/postgresql/*/bin/psql")
	if len(installed) > 0 {
		return installed[len(installed)-1]
	}
	path, err := exec.LookPath("psql")
	if err != nil {
		return ""
	}
	return path
}

func (s *stage) recipeAbout() string {
	if s.aws == "" {
		return "the shell recipe's flow: `flyway info`, `migrate`, `info` by the launcher. Its AWS CLI call is " +
			"MISSING here: no Python with venv and pip was found"
	}
	return "the shell recipe's flow: the secret by AWS CLI " + awsVersion +
		", then `flyway info`, `migrate`, `info` by the launcher"
}

// base is the environment of everybody: nothing of the user's but PATH.
func (s *stage) base(j *job) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + j.temp, "TMPDIR=" + j.temp, "LC_ALL=C.UTF-8",
		"AWS_REGION=eu-central-1", "AWS_DEFAULT_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=none",
		"AWS_SECRET_ACCESS_KEY=none", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + s.secrets.URL, "MASTER_SECRET_ARN=" + s.secret(j.database),
	}
}

func (s *stage) jdbc(j *job) string {
	return fmt.Sprintf("jdbc:postgresql://127.0.0.1:%d/%s", s.postgres.Port, j.database)
}

// url asks for TLS as all others do who are told nothing else: where the server
// offers it, which this one does not.
func (s *stage) url(j *job) string {
	return strings.Replace(s.postgres.URLFor(s.user, s.password, j.database), "sslmode=disable", "sslmode=prefer", 1)
}

func (s *stage) recipe(j *job) (*exec.Cmd, error) {
	cmd := exec.Command("bash", filepath.Join(s.folder, "recipe.sh"))
	cmd.Env = append(s.launcherEnv(j), "AWS="+s.aws)
	return cmd, nil
}

func (s *stage) launcherEnv(j *job) []string {
	return append(s.base(j), "JAVA="+s.java21, "FLYWAY_LIB="+s.jars, "FLYWAY="+filepath.Join(s.folder, "flyway"),
		"FLYWAY_URL="+s.jdbc(j), "FLYWAY_LOCATIONS=filesystem:"+j.scripts)
}

func (s *stage) launcher(j *job) (*exec.Cmd, error) {
	cmd := exec.Command("bash", filepath.Join(s.folder, "flyway"), "-skipCheckForUpdate", "migrate")
	cmd.Env = append(s.launcherEnv(j), "FLYWAY_USER="+s.user, "FLYWAY_PASSWORD="+s.password)
	return cmd, nil
}

// java is what Slipway starts, taken from its own package.
func (s *stage) java(j *job) (*exec.Cmd, error) {
	return s.installation().Build(flyway.Command{
		Verb: "migrate", URL: s.jdbc(j), User: s.user, Password: s.password, Locations: []string{j.scripts},
		Scripts: j.pending, MemoryMB: j.memory, TempDir: j.temp,
	})
}

func (s *stage) installation() flyway.Installation {
	return flyway.Installation{Home: s.jars, Java: s.java21, Archive: s.archive}
}

func (s *stage) slipway(j *job) (*exec.Cmd, error) {
	cmd := exec.Command(s.program, "migrate")
	cmd.Env = append(s.base(j), "FLYWAY_LOCATIONS=filesystem:"+j.scripts, "SLIPWAY_INSECURE_TLS=true",
		"SLIPWAY_FLYWAY_HOME="+s.jars,
		"JAVA_HOME="+strings.TrimSuffix(s.java21, "/bin/java"), "SLIPWAY_CLASS_ARCHIVE="+s.archive,
		fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", j.memory))
	return cmd, nil
}

func (s *stage) gooseUp(j *job) (*exec.Cmd, error) {
	cmd := exec.Command(s.goose, "-dir", j.goose, "postgres", s.url(j), "up")
	cmd.Env = s.base(j)
	return cmd, nil
}

func (s *stage) psqlFile(j *job) (*exec.Cmd, error) {
	cmd := exec.Command(s.psql, "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", j.psql, s.url(j))
	cmd.Env = s.base(j)
	return cmd, nil
}
