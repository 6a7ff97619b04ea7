package migrator

// ReadsType is [reads], for tests.
var ReadsType = reads
