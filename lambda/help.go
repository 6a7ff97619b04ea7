package main

const manual = `slipway migrates a PostgreSQL database with Flyway.

Usage:
  slipway migrate  [--target VERSION]             apply what is pending
  slipway info     [--exit-code]                  list every script with its state; with the flag
                                                  1 when migrate would refuse, 3 when something is pending
  slipway validate                                compare history and scripts
  slipway repair   [--rows RANKS]                 repair the history; with the ranks that a report named, rewrite the
                                                  rows that Flyway can't read
  slipway baseline [--target VERSION]             adopt a database that has tables already
  slipway revert   --to VERSION | --steps N [--from VERSION] [--dry-run]
                                                  undo, newest first; --to 0 undoes everything
  slipway serve    [--addr 127.0.0.1:8080] [--json]
                                                  stand in for Lambda's endpoint; :8080 takes calls from other machines
  slipway version                                 print the version and the commit

Flags of every command:
  --json             print the report as JSON
  --timeout DURATION end in order before that time is over, such as 10m

Started by Lambda (AWS_LAMBDA_RUNTIME_API is set) it is the handler.

Examples:
  slipway info
  slipway info --exit-code || echo "something is pending, or wrong"
  slipway migrate --target 12 --json
  slipway revert --steps 1 --dry-run
  curl -d '{"command":"info"}' localhost:8080/2015-03-31/functions/function/invocations

Environment:
  MASTER_SECRET_ARN          secret with username and password, often host, port, dbname
  PGHOST PGPORT PGDATABASE   where the database is; they win over the secret
  PGUSER                     the user, with SLIPWAY_IAM_AUTH and no secret
  FLYWAY_URL                 jdbc:postgresql://host:port/database, wins over both
  FLYWAY_LOCATIONS           folders, default filesystem:sql/postgresql
  FLYWAY_PLACEHOLDERS_NAME   value of ${name}; ${port} and ${dsn} are made from the database
  FLYWAY_TABLE, FLYWAY_DEFAULT_SCHEMA, FLYWAY_SCHEMAS, FLYWAY_CREATE_SCHEMAS, FLYWAY_ENCODING,
  FLYWAY_OUT_OF_ORDER, FLYWAY_PLACEHOLDER_REPLACEMENT, FLYWAY_PLACEHOLDER_PREFIX,
  FLYWAY_PLACEHOLDER_SUFFIX, FLYWAY_INSTALLED_BY
                             as in Flyway; other FLYWAY_* variables are refused
  SLIPWAY_BASELINE_VERSION   adopt a database with tables and no history at this version
  SLIPWAY_LOCK_TIMEOUT       how long a script waits for a table lock, default 5s
  SLIPWAY_LOCK_WAIT          how long to wait for another run, default 1m
  SLIPWAY_CONNECT_WAIT       how long to try a server that does not answer, default 1m
  SLIPWAY_TIMEOUT            as --timeout; for serve the limit of one event, default 15m
  SLIPWAY_FAST_PATH          false: start Flyway even when nothing can be pending
  SLIPWAY_PROTECTED          true: revert wants the current version repeated (--from)
  SLIPWAY_READ_ONLY          true: info, validate and revert --dry-run only, and without Flyway
  SLIPWAY_IAM_AUTH           true: an IAM token instead of the secret's password
  SLIPWAY_CLUSTER            RDS cluster, for the restore command in a failed run's report
  SLIPWAY_LOG_GROUP          log group of the function, named in a failed deployment's event
  SLIPWAY_INSECURE_TLS       true: do not verify the server, for local ones
  PGSSLROOTCERT              PEM file with the trusted authorities
  SLIPWAY_FLYWAY_HOME        folder with Flyway's jars, default /flyway
  SLIPWAY_COMMAND            how next steps name a command, {} in place of it; default slipway {}
  SLIPWAY_CLASS_ARCHIVE      class-data archive for Java
  JAVA_HOME                  Java 17 or newer, else java on PATH
  SLIPWAY_DEBUG              true: log what Flyway prints, too
  NO_COLOR                   any value: no color

Exit codes:
{exits}`
