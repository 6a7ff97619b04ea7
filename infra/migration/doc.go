// Package migration runs an environment's scripts during its deployment: the
// image as a function in the database's network, and a custom resource whose
// properties are the release, so that CloudFormation calls the function exactly
// when the release, the database or Flyway's settings have changed.
//
// It decides what the function may reach and do, and what it is told. What the
// function then does is slipway's own (lambda/).
package migration
