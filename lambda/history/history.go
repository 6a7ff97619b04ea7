// Package history knows the table that Flyway records its runs in: what a row
// holds, what its types mean, and how SQL names a row.
//
// It is a leaf that imports nothing of Slipway. Reading the table is package
// database's, and what follows from the rows is package plan's.
package history

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// DefaultTable is the name that Flyway gives the table.
const DefaultTable = "flyway_schema_history"

// NoDescription is what Flyway stores for a script without a description.
const NoDescription = "<< no description >>"

// Table is the table of Flyway's history.
type Table struct{ Schema, Name string }

// String is the table quoted for SQL, with exactly the spelling that Flyway uses.
func (t Table) String() string {
	if t.Schema == "" { // which is not known where the database is out of reach
		return quoteName(t.Name)
	}
	return quoteName(t.Schema) + "." + quoteName(t.Name)
}

func quoteName(name string) string {
	name = strings.ReplaceAll(name, "\x00", "")
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// Row is one row of the table.
type Row struct {
	Rank        int
	Version     *string // nil for repeatable scripts
	Description string
	Type        string // SQL, BASELINE, DELETE, SCHEMA, …
	Script      string
	Checksum    *int32
	InstalledBy string
	InstalledOn time.Time // by the server's clock, read as UTC
	Duration    int       // milliseconds
	Success     bool
}

// Condition is the WHERE clause that tells the row from all others, with a
// space before it.
func (r Row) Condition() string {
	condition := fmt.Sprintf(" WHERE installed_rank = %d AND coalesce(type, '') = %s", r.Rank, Literal(r.Type))
	if r.Version != nil {
		condition += " AND version = " + Literal(*r.Version)
	}
	return condition
}

// The types of rows that Slipway writes or tells apart.
const (
	SQL            = "SQL"          // a V or R script
	BaselineScript = "SQL_BASELINE" // a B script
	Baseline       = "BASELINE"     // a database that was adopted at this version
	Schema         = "SCHEMA"       // Flyway created the schema
	Delete         = "DELETE"       // the tombstone of an earlier row
)

// IsBaseline reports whether a row of that type stands for all scripts up to
// its version.
func IsBaseline(kind string) bool {
	return kind == Baseline || kind == BaselineScript || kind == "JDBC_BASELINE"
}

// LastRank is the rank of the last row, 0 without rows.
func LastRank(rows []Row) int {
	if len(rows) == 0 {
		return 0
	}
	return rows[len(rows)-1].Rank
}

// Ranks are the ranks of the rows as a request names them: "1,7".
func Ranks(rows []Row) string {
	list := make([]string, len(rows))
	for i, row := range rows {
		list[i] = strconv.Itoa(row.Rank)
	}
	return strings.Join(list, ",")
}

// Literal quotes a text for PostgreSQL, whatever standard_conforming_strings is.
func Literal(text string) string {
	quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	if strings.Contains(text, `\`) {
		return "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}
