// Package report holds what a run answers: the Report, the codes of its
// failures with their exit codes, and how a report is printed.
//
// It is a leaf: it knows nothing of Flyway, PostgreSQL or Lambda, and decides
// nothing; the packages that fail say with which code.
package report

import "time"

// Report is the answer of a run. Its JSON form is what `--json` prints and what
// a direct invocation returns. Times are UTC; durations are whole milliseconds.
type Report struct {
	Command string `json:"command"` // migrate, info, validate, repair, baseline, revert
	Code    Code   `json:"code"`    // OK or the kind of failure

	// On failure only.
	Message  string   `json:"message,omitempty"`  // what went wrong
	Next     string   `json:"next,omitempty"`     // what to do, in one sentence
	Script   string   `json:"script,omitempty"`   // the script that failed, below its location
	Line     int      `json:"line,omitempty"`     // where in the script, from 1
	SQLState string   `json:"sqlState,omitempty"` // PostgreSQL's error code
	Excerpt  *Excerpt `json:"excerpt,omitempty"`  // the script's lines there
	// all findings, where there can be several; of info also when it is OK
	Problems []Problem `json:"problems,omitempty"`
	Blockers []Blocker `json:"blockers,omitempty"` // who holds the lock that was waited for

	Database      Database `json:"database"`
	FlywayVersion string   `json:"flywayVersion,omitempty"` // empty when Flyway was not needed
	Release       string   `json:"release,omitempty"`       // digest of the scripts

	SchemaVersionBefore string   `json:"schemaVersionBefore"` // "" for no version
	SchemaVersionAfter  string   `json:"schemaVersionAfter"`
	Applied             []Script `json:"applied"` // by this run, in order
	Pending             []Script `json:"pending"` // still to be applied after it
	Scripts             []Script `json:"scripts,omitempty"`
	Reverted            []Script `json:"reverted,omitempty"` // by a revert, newest first; with --dry-run what would be
	// nothing was changed: SchemaVersionAfter and Reverted are what would be
	DryRun   bool     `json:"dryRun,omitempty"`
	Actions  []string `json:"actions,omitempty"` // what a repair changed; what runs again after a revert
	Warnings []string `json:"warnings,omitempty"`
	// why a state may differ, where Flyway was not asked; see [Undecided]
	Undecided []string `json:"undecided,omitempty"`

	RunID        string     `json:"runId"`
	StartedAt    time.Time  `json:"startedAt"`
	DurationMs   int64      `json:"durationMs"`
	RestorePoint *time.Time `json:"restorePoint,omitempty"` // the last moment before a run that changed something
	Restore      string     `json:"restore,omitempty"`      // on failure: the command that restores the cluster to it
}

// OK reports whether the run did what it was asked to.
func (r *Report) OK() bool { return r.Code == OK }

// Database says where the run was. It never holds a password.
type Database struct {
	Host          string `json:"host,omitempty"`
	Port          int    `json:"port,omitempty"`
	Name          string `json:"name,omitempty"`
	User          string `json:"user,omitempty"`
	ServerVersion string `json:"serverVersion,omitempty"`

	// Of info only, where the database was reached.
	TLS      string `json:"tls,omitempty"`      // the session's version, such as "TLS 1.3", or [NoTLS]
	Verified bool   `json:"verified,omitempty"` // by TLS the server proved who it is, by certificate and name
	// of the user over other roles and databases: superuser, createrole, …
	Rights []string `json:"rights,omitempty"`
}

// NoTLS is what [Database].TLS says of a session that is not encrypted.
const NoTLS = "none"

// Script is one migration, applied or not.
type Script struct {
	Version      string     `json:"version,omitempty"` // "" for a repeatable one
	Description  string     `json:"description"`
	Type         string     `json:"type"` // SQL, BASELINE, … as in flyway_schema_history
	Script       string     `json:"script"`
	State        string     `json:"state,omitempty"` // info: Success, Pending, Failed, Missing, Future, Undecided, …
	Milliseconds int        `json:"milliseconds"`
	InstalledBy  string     `json:"installedBy,omitempty"`
	InstalledOn  *time.Time `json:"installedOn,omitempty"`
	Checksum     *int32     `json:"checksum,omitempty"` // info: as the history has it
	// info: of its row in the history, by which a repair can name it
	Rank int `json:"rank,omitempty"`
}

// Undecided is the state of a script that was applied, and of which only Flyway
// can tell whether it has changed since and is pending. It stands only in
// reports that are made without Flyway.
const Undecided = "Undecided"

// undecided is the number of scripts in that state.
func (r *Report) undecided() int {
	n := 0
	for _, s := range r.Scripts {
		if s.State == Undecided {
			n++
		}
	}
	return n
}

// Problem is one finding about one script.
type Problem struct {
	Script  string `json:"script,omitempty"`
	Version string `json:"version,omitempty"`
	Line    int    `json:"line,omitempty"`
	Reason  string `json:"reason"`
}

// Blocker is a session of the database that holds what the run waited for.
type Blocker struct {
	PID         int       `json:"pid"`
	User        string    `json:"user"`
	Application string    `json:"application"`
	Since       time.Time `json:"since"` // when its transaction, or else its session, began
	// Query is the kind of its statement and the tables that it has locked, such
	// as "UPDATE on orders": never the statement itself, which may hold anything.
	Query string `json:"query"`
}
