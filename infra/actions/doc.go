// Package actions says which of AWS's actions CloudFormation calls for the
// stacks, for an administrator who gives the CDK's bootstrap another policy than
// AdministratorAccess (--cloudformation-execution-policies).
//
// It is a test and its data. The types of resources are those of the golden
// templates; schemas.json has the actions that AWS's schema of each type names
// for its handlers create, read, update and delete, as of August 2026
// (`aws cloudformation describe-type --type RESOURCE --type-name … --query Schema`).
// What CloudFormation calls for other reasons is in besides, with the reason.
// `go test ./infra/actions -update` writes the table of README.md and the
// policies anew.
package actions
