// Package script reads a release: the migration files of one or more folders,
// named and checksummed as Flyway would.
//
// It decides what a file is (versioned, repeatable, undo, callback, its
// configuration), whether its name and content can be right at all, how
// versions are ordered, and what a release is called (manifest, digest, order).
// What of it is applied already, and what to do about it, is its caller's. It
// may import sqltext and untrusted.
package script
