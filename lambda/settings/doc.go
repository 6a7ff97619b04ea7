// Package settings knows every variable of the environment that Slipway reads:
// its name, form, default and documentation, and whether Flyway gets it.
//
// It decides whether a value has the right form, and what holds without one.
// What a value means is its reader's: main's for a run, the workbench's for a
// laptop. It imports nothing of Slipway, so that infra can read it, too.
package settings
