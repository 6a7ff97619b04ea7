package sqltext

import (
	"strings"

	"slipway/lambda/lazyregexp"
)

// flywayOutside matches the words of statements for which Flyway 12.4 runs a
// script outside a transaction by itself (PostgreSQLParser).
var flywayOutside = lazyregexp.New(`^((CREATE|DROP) (DATABASE|TABLESPACE|SUBSCRIPTION)|ALTER SYSTEM|(CREATE|DROP)( UNIQUE)? INDEX CONCURRENTLY|` +
	`REINDEX( VERBOSE)? (SCHEMA|DATABASE|SYSTEM)|VACUUM|DISCARD ALL)( |$)`)

// serverOutside matches the heads of statements that PostgreSQL refuses in a
// transaction and that Flyway does not know as such.
var serverOutside = lazyregexp.New(`^(REINDEX( \([^)]*\)| VERBOSE)* (INDEX|TABLE|SCHEMA|DATABASE|SYSTEM) CONCURRENTLY\b|` +
	`REINDEX \(([^)]*,)? ?CONCURRENTLY *(,|\)|TRUE|ON|1)|` +
	`ALTER TABLE .* DETACH PARTITION .* CONCURRENTLY$|` +
	`CLUSTER( VERBOSE| \([^)]*\))?$|` +
	`ALTER DATABASE .* SET TABLESPACE\b|` +
	`ALTER SUBSCRIPTION .* (REFRESH PUBLICATION|(SET|ADD|DROP) PUBLICATION)\b|` +
	`(COMMIT|ROLLBACK) PREPARED\b)`)

// withoutRefresh matches an ALTER SUBSCRIPTION that may run in a transaction.
var withoutRefresh = lazyregexp.New(`\bREFRESH *= *(FALSE|OFF|0)\b`)

// KnownOutside reports whether Flyway runs a script that holds the statement
// outside a transaction, with no .conf file beside it.
func (s Statement) KnownOutside() bool { return knownOutside(s.Words) }

func knownOutside(words string) bool {
	return words != "" && strings.IndexByte("CDARV", words[0]) >= 0 && flywayOutside().MatchString(words)
}

// OutsideTransaction reports whether PostgreSQL refuses the statement inside a transaction.
func (s Statement) OutsideTransaction() bool {
	if s.KnownOutside() {
		return true
	}
	if s.Head == "" || strings.IndexByte("ARC", s.Head[0]) < 0 || strings.HasPrefix(s.Head, "CREATE") {
		return false
	}
	if !serverOutside().MatchString(s.Head) {
		return false
	}
	return !strings.HasPrefix(s.Head, "ALTER SUBSCRIPTION") || !withoutRefresh().MatchString(s.Head)
}

// needsNoTransaction reports whether Flyway runs the script outside a
// transaction because of one of its statements.
func NeedsNoTransaction(sql string) bool {
	for s := range Each(sql) {
		if s.KnownOutside() {
			return true
		}
	}
	return false
}

var (
	transactionControl = lazyregexp.New(`^(BEGIN|START TRANSACTION|COMMIT|END|ROLLBACK|ABORT|PREPARE TRANSACTION)( |$)`)
	toSavepoint        = lazyregexp.New(`^ROLLBACK( WORK| TRANSACTION)? TO( |$)`)
	ofPrepared         = lazyregexp.New(`^(COMMIT|ROLLBACK) PREPARED( |$)`)
)

// ControlsTransaction reports whether the statement begins or ends a
// transaction. Savepoints do neither, and two-phase commit's second phase is
// about another one.
func (s Statement) ControlsTransaction() bool {
	if s.Words == "" || strings.IndexByte("BSCERAP", s.Words[0]) < 0 {
		return false
	}
	return transactionControl().MatchString(s.Words) && !toSavepoint().MatchString(s.Words) &&
		!ofPrepared().MatchString(s.Words)
}
