package rehearse

import (
	"time"

	"slipway/lambda/report"
)

// Report is what a rehearsal found. Durations are milliseconds.
type Report struct {
	Against       string    `json:"against,omitempty"`
	Base          string    `json:"base,omitempty"`
	Tip           string    `json:"tip,omitempty"`
	Server        string    `json:"server"`
	Restored      bool      `json:"restored"` // on a copy of a database in use
	TargetScripts int       `json:"targetScripts"`
	Filled        []Filling `json:"filled,omitempty"` // tables that got rows before the new scripts ran
	Scripts       []Script  `json:"scripts"`          // the new ones, in the order in which they ran
	Undo          []Undo    `json:"undo"`
	UndoSkipped   string    `json:"undoSkipped,omitempty"` // why undo scripts were not tried
	Failure       *Failure  `json:"failure,omitempty"`
	Diff          string    `json:"diff"` // of the schema: lines that went (-) and came (+)
	Sampling      Sampling  `json:"sampling"`
	Warnings      []string  `json:"warnings,omitempty"`
	StartedAt     time.Time `json:"startedAt"`
	DurationMs    float64   `json:"durationMs"`
	// Before and After are the schema's tables before and after the new scripts,
	// as far as they ran.
	Before Schema `json:"-"`
	After  Schema `json:"-"`
}

// Script is what one new script did.
type Script struct {
	Script      string   `json:"script"`
	Version     string   `json:"version,omitempty"`
	Description string   `json:"description"`
	Transaction bool     `json:"transaction"` // it ran in one
	Failed      bool     `json:"failed,omitempty"`
	DurationMs  float64  `json:"durationMs"`
	Locks       []Lock   `json:"locks"` // on tables that the target branch has, strongest first, then by size
	Rewritten   []string `json:"rewritten,omitempty"`
	Emptied     []string `json:"emptied,omitempty"` // by TRUNCATE
	Rows        []Rows   `json:"rows,omitempty"`
}

// Lock is the strongest lock on one table.
type Lock struct {
	Table  string  `json:"table"`
	Mode   string  `json:"mode"`             // as PostgreSQL names it: AccessExclusiveLock, …
	Blocks string  `json:"blocks"`           // whom it keeps out: "reads and writes", "writes", "other DDL", ""
	HeldMs float64 `json:"heldMs"`           // at most
	Rows   int64   `json:"rows"`             // in the table before, estimated
	Bytes  int64   `json:"bytes"`            // of the table before, with its indexes
	Waited bool    `json:"waited,omitempty"` // others held it, so it was waited for
}

// Rows are the rows of a table that a script touched.
type Rows struct {
	Table    string `json:"table"`
	Inserted int64  `json:"inserted"`
	Updated  int64  `json:"updated"`
	Deleted  int64  `json:"deleted"`
}

// Filling is a table that got rows, or why it got none.
type Filling struct {
	Table  string `json:"table"`
	Rows   int64  `json:"rows"`
	Reason string `json:"reason,omitempty"`
}

// Undo is the trial of one undo script, or of several at once.
type Undo struct {
	Script   string `json:"script"`   // the undo script; of several, the newest and the oldest
	Restores bool   `json:"restores"` // down gives the schema before, up again the one after
	Skipped  string `json:"skipped,omitempty"`
	Message  string `json:"message,omitempty"`
	Diff     string `json:"diff,omitempty"`   // lines that should be there (-) and that should not (+)
	Waived   string `json:"waived,omitempty"` // the reason, where the script waives it (rule undo-differs)
	// Line and Excerpt are where the undo script failed, if it did.
	Line    int             `json:"line,omitempty"`
	Excerpt *report.Excerpt `json:"excerpt,omitempty"`
}

// Fails reports whether the undo script fails the rehearsal.
func (u Undo) Fails() bool { return !u.Restores && u.Skipped == "" && u.Waived == "" }

// Failure is why not all scripts ran.
type Failure struct {
	Where    string `json:"where"` // the target branch, the new scripts, applying again
	Code     string `json:"code"`
	Script   string `json:"script,omitempty"`
	Line     int    `json:"line,omitempty"`
	SQLState string `json:"sqlState,omitempty"`
	// Excerpt is the lines of the script around Line.
	Excerpt  *report.Excerpt `json:"excerpt,omitempty"`
	Message  string          `json:"message"`
	Next     string          `json:"next,omitempty"`
	Problems []string        `json:"problems,omitempty"`
	// Server: the throw-away server lacks a role, a right or an extension, which
	// says nothing about the scripts: they could not be rehearsed to the end.
	Server bool `json:"server,omitempty"`
}

// Sampling is how closely the locks were watched.
type Sampling struct {
	Samples  int     `json:"samples"`
	MedianMs float64 `json:"medianMs"` // pause between two
	MaxMs    float64 `json:"maxMs"`
}

// OK reports whether all scripts ran and all undo scripts restored.
func (r *Report) OK() bool {
	for _, u := range r.Undo {
		if u.Fails() {
			return false
		}
	}
	return r.Failure == nil
}
