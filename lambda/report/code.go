package report

// Code is the kind of a run's outcome: OK, or why it failed.
type Code string

// The codes. Each has one exit code, see [Code.Exit].
const (
	OK Code = "OK"
	// a script failed; its own changes were rolled back, save a non-transactional one's
	MigrationFailed     Code = "MIGRATION_FAILED"
	ValidationFailed    Code = "VALIDATION_FAILED"    // history and release contradict each other
	PreviousFailed      Code = "PREVIOUS_FAILED"      // a failed non-transactional script stands in the history
	SchemaNotEmpty      Code = "SCHEMA_NOT_EMPTY"     // tables without a history, and no baseline configured
	RevertRefused       Code = "REVERT_REFUSED"       // a revert that can't be done as asked; nothing was changed
	BadRequest          Code = "BAD_REQUEST"          // usage, settings or event
	BadRelease          Code = "BAD_RELEASE"          // the scripts make no release
	Pending             Code = "PENDING"              // info --exit-code: something is to be applied
	Locked              Code = "LOCKED"               // another run, or a table lock of somebody else, for too long
	Deadline            Code = "DEADLINE"             // out of time
	SecretUnreadable    Code = "SECRET_UNREADABLE"    // no credentials to be had
	DatabaseUnreachable Code = "DATABASE_UNREACHABLE" // no connection, or it was lost
	// wrong password, too few rights to start, or others with rights in the run's search path
	AccessDenied    Code = "ACCESS_DENIED"
	DatabaseMissing Code = "DATABASE_MISSING" // the server has no such database
	Interrupted     Code = "INTERRUPTED"      // ended by a signal
	Internal        Code = "INTERNAL"         // everything that should not happen
)

var exits = map[Code]int{
	OK:              0,
	MigrationFailed: 1, ValidationFailed: 1, PreviousFailed: 1, SchemaNotEmpty: 1, RevertRefused: 1,
	BadRequest: 2, BadRelease: 2,
	Pending:          3,
	Locked:           4,
	Deadline:         5,
	SecretUnreadable: 6, DatabaseUnreachable: 6, AccessDenied: 6, DatabaseMissing: 6,
	Internal:    70,
	Interrupted: 130,
}

// Exit is the exit code of a command that ends so; 70 for a code that is not known.
func (c Code) Exit() int {
	if n, ok := exits[c]; ok {
		return n
	}
	return exits[Internal]
}

// InfoExit is the exit code of `info --exit-code`: 1 when migrate would be
// refused, else 3 when something is or may be pending, else that of the code.
func (r *Report) InfoExit() int {
	switch {
	case r.Code != OK:
		return r.Code.Exit()
	case len(r.Problems) > 0:
		return ValidationFailed.Exit()
	case len(r.Pending) > 0, r.undecided() > 0:
		return Pending.Exit()
	}
	return 0
}

// ExitCode is [Code.Exit] for a code that came as text.
func ExitCode(code string) int { return Code(code).Exit() }

// Codes lists all codes, for documentation and tests.
func Codes() []Code {
	return []Code{
		OK, MigrationFailed, ValidationFailed, PreviousFailed, SchemaNotEmpty, RevertRefused, BadRequest, BadRelease,
		Pending, Locked, Deadline, SecretUnreadable, DatabaseUnreachable, AccessDenied, DatabaseMissing, Interrupted,
		Internal,
	}
}
