// Package faults puts the built program through every fault that a migration
// can meet, with the real Flyway on a real PostgreSQL: for each, what Slipway
// promises and what was seen. It holds tests alone, behind the build tag faults.
//
// Each fault gets a database, a role, a secret and a folder of scripts of its
// own. What all reports have in common (a typed code with a next step within
// the time limit, nothing left behind, a database that is as the report says)
// is checked in one place, testbed.answered. It runs on Linux; faults that need
// root are skipped where there is none, and fail under CI=true.
package faults
