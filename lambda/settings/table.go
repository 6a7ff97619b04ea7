package settings

import (
	"slices"
	"strings"
)

// Kind is the form of a setting's value.
type Kind string

// The kinds of values.
const (
	Text     Kind = "text"
	Duration Kind = "duration"
	Boolean  Kind = "true or false"
)

// Setting is one variable of the environment.
type Setting struct {
	Name    string
	Kind    Kind
	Default string
	Doc     string // continues the name: what it is, in one phrase
	// Flyway gets it as it is. None of these weakens TLS, and those that move
	// the history are followed wherever Slipway reads it.
	Flyway bool
	// Form is a regular expression for what a deployment's configuration takes
	// as a value for Flyway, and Says puts it in words. A Boolean has its own.
	Form, Says string

	check func(value string) string // what is wrong with it, "" if nothing
}

// PlaceholderPrefix begins the names of the variables that hold placeholders.
const PlaceholderPrefix = "FLYWAY_PLACEHOLDERS_"

const (
	schemaName  = `^[^\s,"']{1,63}$`
	schemaNames = `^[^\s,"']+(,[^\s,"']+)*$`
	tableName   = `^[^\s,"']{1,61}$`
	sign        = `^\S{1,10}$`
	signSays    = "one to ten characters without blanks"
)

// All are the settings, in the order in which a person wants to read of them.
var All = []Setting{
	{Name: "MASTER_SECRET_ARN", Doc: "secret with username and password, often host, port, dbname"},
	{Name: "PGHOST", Doc: "host of the database; it wins over the secret"},
	{Name: "PGPORT", Doc: "its port; it wins over the secret"},
	{Name: "PGDATABASE", Doc: "its name; it wins over the secret"},
	{Name: "PGUSER", Doc: "the user, with SLIPWAY_IAM_AUTH and no secret"},
	{Name: "PGSSLROOTCERT", Doc: "PEM file with the trusted authorities"},
	{Name: "FLYWAY_URL", Doc: "jdbc:postgresql://host:port/database; it wins over all of these"},
	{Name: "FLYWAY_LOCATIONS", Default: "filesystem:sql/postgresql", check: checkLocations,
		Doc: "folders of the scripts, with commas between them"},
	{Name: PlaceholderPrefix + "NAME", Doc: "value of ${name}; ${port} and ${dsn} are made from the database"},

	{Name: "FLYWAY_TABLE", Default: "flyway_schema_history", Flyway: true, check: checkTable,
		Form: tableName, Says: "a table's name of at most 61 characters", Doc: "table of the history"},
	{Name: "FLYWAY_DEFAULT_SCHEMA", Flyway: true, check: checkSchemas, Form: schemaName, Says: "a schema's name",
		Doc: "schema of the history; else the first of FLYWAY_SCHEMAS, else that of the role"},
	{Name: "FLYWAY_SCHEMAS", Flyway: true, check: checkSchemas,
		Form: schemaNames, Says: "schemas' names with commas between them",
		Doc: "schemas that Flyway manages, with commas between them"},
	{Name: "FLYWAY_CREATE_SCHEMAS", Kind: Boolean, Default: "true", Flyway: true,
		Doc: "create the schemas that are missing"},
	{Name: "FLYWAY_ENCODING", Default: "UTF-8", Flyway: true,
		Form: `^[A-Za-z][A-Za-z0-9_-]*$`, Says: "an encoding such as UTF-8", Doc: "encoding of the scripts"},
	{Name: "FLYWAY_OUT_OF_ORDER", Kind: Boolean, Default: "false", Flyway: true,
		Doc: "apply a version that is below the highest applied one"},
	{Name: "FLYWAY_PLACEHOLDER_REPLACEMENT", Kind: Boolean, Default: "true", Flyway: true, Doc: "replace placeholders"},
	{Name: "FLYWAY_PLACEHOLDER_PREFIX", Default: "${", Flyway: true, Form: sign, Says: signSays,
		Doc: "what begins a placeholder"},
	{Name: "FLYWAY_PLACEHOLDER_SUFFIX", Default: "}", Flyway: true, Form: sign, Says: signSays,
		Doc: "what ends a placeholder"},
	{Name: "FLYWAY_INSTALLED_BY", Flyway: true, check: checkInstaller,
		Form: `^[^\x00-\x1f]{1,100}$`, Says: "a name of at most 100 characters",
		Doc: "name in the rows of the history; else the user"},

	{Name: "SLIPWAY_BASELINE_VERSION", Doc: "adopt a database with tables and no history at this version"},
	{Name: "SLIPWAY_LOCK_TIMEOUT", Kind: Duration, Default: "5s", Doc: "how long a script waits for a table lock"},
	{Name: "SLIPWAY_LOCK_WAIT", Kind: Duration, Default: "1m", Doc: "how long to wait for another run"},
	{Name: "SLIPWAY_CONNECT_WAIT", Kind: Duration, Default: "1m", Doc: "how long to try a server that does not answer"},
	{Name: "SLIPWAY_TIMEOUT", Kind: Duration, Doc: "as --timeout; for serve the limit of one event, else 15m"},
	{Name: "SLIPWAY_FAST_PATH", Kind: Boolean, Default: "true",
		Doc: "false: start Flyway even when nothing can be pending"},
	{Name: "SLIPWAY_PROTECTED", Kind: Boolean, Default: "false",
		Doc: "true: revert requires the current version (--from)"},
	{Name: "SLIPWAY_READ_ONLY", Kind: Boolean, Default: "false",
		Doc: "true: info, validate and revert --dry-run only, and without Flyway"},
	{Name: "SLIPWAY_IAM_AUTH", Kind: Boolean, Default: "false",
		Doc: "true: an IAM token instead of the secret's password"},
	{Name: "SLIPWAY_INSECURE_TLS", Kind: Boolean, Default: "false",
		Doc: "true: do not verify the server, for local ones"},
	{Name: "SLIPWAY_CLUSTER", Doc: "RDS cluster, for the restore command in a failed run's report"},
	{Name: "SLIPWAY_LOG_GROUP", Doc: "log group of the function, named in a failed deployment's event"},
	{Name: "SLIPWAY_COMMAND", Default: "slipway {}", Doc: "how next steps name a command, with {} in its place"},
	{Name: "SLIPWAY_FLYWAY_HOME", Default: "/flyway", Doc: "folder with Flyway's jars"},
	{Name: "SLIPWAY_CLASS_ARCHIVE", Doc: "class-data archive for Java"},
	{Name: "SLIPWAY_DEBUG", Kind: Boolean, Default: "false", Doc: "true: log what Flyway prints, too"},

	{Name: "JAVA_HOME", Doc: "Java 17 or newer; else java on PATH"},
	{Name: "NO_COLOR", Doc: "any value: no color"},
	{Name: "AWS_LAMBDA_RUNTIME_API", Doc: "set by Lambda: run as its handler"},
	{Name: "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", Doc: "set by Lambda: megabytes, of which Java gets its share"},
	{Name: "FLYWAY_VERSION", Doc: "set by Flyway's image, not used"},
	{Name: "FLYWAY_EDITION", Doc: "set by Flyway's image, not used"},
}

// alternatives says what to use for variables that are refused and often tried.
var alternatives = map[string]string{
	"FLYWAY_USER":                "the secret (MASTER_SECRET_ARN) gives the user",
	"FLYWAY_PASSWORD":            "the secret (MASTER_SECRET_ARN) gives the password",
	"FLYWAY_BASELINE_VERSION":    "use SLIPWAY_BASELINE_VERSION",
	"FLYWAY_BASELINE_ON_MIGRATE": "use SLIPWAY_BASELINE_VERSION",
	"FLYWAY_MIXED":               "split scripts that mix transactional and other statements",
	"FLYWAY_CLEAN_DISABLED":      "there is no clean",
}

// ForFlyway are the settings that Flyway gets as they are.
func ForFlyway() []Setting {
	var list []Setting
	for _, s := range All {
		if s.Flyway {
			list = append(list, s)
		}
	}
	return list
}

// FlywayKey is the setting's name in Flyway's documentation: outOfOrder of
// FLYWAY_OUT_OF_ORDER.
func (s Setting) FlywayKey() string {
	var b strings.Builder
	for i, part := range strings.Split(strings.ToLower(strings.TrimPrefix(s.Name, "FLYWAY_")), "_") {
		if i > 0 {
			part = strings.ToUpper(part[:1]) + part[1:]
		}
		b.WriteString(part)
	}
	return b.String()
}

// Known reports whether a variable is one that Slipway reads.
func Known(name string) bool {
	return strings.HasPrefix(name, PlaceholderPrefix) ||
		slices.ContainsFunc(All, func(s Setting) bool { return s.Name == name })
}
