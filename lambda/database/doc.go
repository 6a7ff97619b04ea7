// Package database knows the one PostgreSQL database of a run: how a secret
// becomes a connection (for pgx here and as a JDBC URL for Flyway), and what
// the server itself is asked: Flyway's history, locks, sessions.
//
// It answers facts and typed failures. What follows from them is its caller's.
package database
