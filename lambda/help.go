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
  --timeout DURATION shut down gracefully before that time is over, such as 10m

Started by Lambda (AWS_LAMBDA_RUNTIME_API is set) it is the handler.

Examples:
  slipway info
  slipway info --exit-code || echo "something is pending, or wrong"
  slipway migrate --target 12 --json
  slipway revert --steps 1 --dry-run
  curl -d '{"command":"info"}' localhost:8080/2015-03-31/functions/function/invocations

Environment:
{settings}
Exit codes:
{exits}`
