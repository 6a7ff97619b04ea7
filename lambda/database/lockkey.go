package database

import (
	"hash/fnv"
	"unicode/utf16"

	"slipway/lambda/history"
)

// FlywayLock is the key of the advisory lock under which Flyway 12 runs each
// script: the letters "Flyway" plus Java's hash of the history table's name.
// See org.flywaydb.database.postgresql.PostgreSQLAdvisoryLockTemplate.
func FlywayLock(t history.Table) int64 {
	const flyway = 'F'<<40 + 'l'<<32 + 'y'<<24 + 'w'<<16 + 'a'<<8 + 'y'
	var hash int32
	for _, unit := range utf16.Encode([]rune(t.String())) {
		hash = 31*hash + int32(unit)
	}
	return flyway + int64(hash)
}

// RunLock is the key of the lock that a run of Slipway holds from its first
// look at the history to its last.
func RunLock(t history.Table) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("slipway " + t.String()))
	return int64(h.Sum64())
}
