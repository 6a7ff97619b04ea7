// Package sqltext reads the text of SQL scripts: it cuts them into tokens and
// statements as PostgreSQL does, and tells whether Flyway and its driver cut
// them alike.
//
// It decides where a statement begins and ends, what kind it is, and whether it
// can run in a transaction. It is no parser: what a statement means, and whether
// a script may be run, is its callers'. Of Slipway it imports lazyregexp alone.
package sqltext
