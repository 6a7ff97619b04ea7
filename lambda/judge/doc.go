// Package judge tells why a script must not be run: what Flyway would read
// otherwise than PostgreSQL, what would end its transaction or its session, and
// what would change the table of the history.
//
// It decides by the text alone, without a database. Which scripts are pending,
// and what a refusal becomes, is its callers'. It may import script, sqltext and lazyregexp.
package judge
