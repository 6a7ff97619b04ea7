package plan

import (
	"fmt"
	"slices"
	"strings"

	"slipway/lambda/flyway"
	"slipway/lambda/history"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// unreadable is a row of the history at which Flyway ends every command, repair
// too. fix is what makes it readable, without the table.
type unreadable struct {
	row    history.Row
	reason string
	fix    fix
}

// fix is a change of one row; the zero value is for what a person has to decide.
type fix struct {
	newType, newVersion string
	remove              bool
}

// coreTypes are the types of rows that Flyway 12.4 reads.
var coreTypes = []string{
	history.Schema, history.Baseline, history.Delete, history.SQL, "JDBC", "SCRIPT", "UNDO_SCRIPT", "CUSTOM",
	history.BaselineScript, "JDBC_BASELINE",
}

// ReadsType reports whether Flyway of that version reads rows of that type.
func ReadsType(version, kind string) bool {
	return slices.Contains(coreTypes, kind) || kind == "SPRING_JDBC" && flyway.AtLeast(version, 12, 11)
}

// judgeType finds a row whose type Flyway does not read.
func judgeType(row history.Row, version func() string) (unreadable, bool) {
	if slices.Contains(coreTypes, row.Type) && (row.Type != "UNDO_SCRIPT" || row.Version != nil) {
		return unreadable{}, false
	}
	v := ""
	if version != nil {
		v = version()
	}
	if ReadsType(v, row.Type) && row.Type != "UNDO_SCRIPT" {
		return unreadable{}, false
	}
	return unreadable{row, "Flyway does not know its type", fix{newType: nearest(row)}}, true
}

// nearest is the type that Flyway reads and that says of the row what its own
// type says: that something other than SQL was applied, or that it was undone.
func nearest(row history.Row) string {
	kind := strings.ToUpper(strings.TrimSpace(row.Type))
	switch {
	case slices.Contains(coreTypes, kind) && kind != "UNDO_SCRIPT":
		return kind
	case strings.HasPrefix(kind, "UNDO_") && row.Version != nil && row.Success:
		return history.Delete
	case kind == "SPRING_JDBC":
		return "JDBC"
	}
	return "CUSTOM"
}

// judgeVersion is for a row whose version is none.
func judgeVersion(row history.Row) unreadable {
	if trimmed := strings.TrimSpace(*row.Version); trimmed != *row.Version {
		if _, err := script.ParseVersion(trimmed); err == nil {
			return unreadable{row, "its version has white space around it", fix{newVersion: trimmed}}
		}
	}
	return unreadable{row: row, reason: "its version is not a version: correct it in the history by hand"}
}

// judgeTombstone is for a DELETE row that cancels what is cancelled already.
func judgeTombstone(row history.Row) unreadable {
	return unreadable{row, "it deletes a version that an earlier row deleted already", fix{remove: true}}
}

// statement is the SQL that mends the row, "" for what a person has to decide.
func (u unreadable) statement(t history.Table) string {
	condition := u.row.Condition()
	switch {
	case u.fix.remove:
		return "DELETE FROM " + t.String() + condition + ";"
	case u.fix.newVersion != "":
		return "UPDATE " + t.String() + " SET version = " + history.Literal(u.fix.newVersion) + condition + ";"
	case u.fix.newType != "":
		return "UPDATE " + t.String() + " SET type = " + history.Literal(u.fix.newType) + condition + ";"
	}
	return ""
}

// problem names the row by all that tells it apart, and what mends it.
func (u unreadable) problem(t history.Table) report.Problem {
	version := ""
	if u.row.Version != nil {
		version = "version " + *u.row.Version + ", "
	}
	p := report.Problem{
		Script: u.row.Script, Version: ScriptOf(u.row).Version,
		Reason: fmt.Sprintf("row %d of the history (%s%q, type %q): %s", u.row.Rank, version, u.row.Description,
			u.row.Type, u.reason),
	}
	if sql := u.statement(t); sql != "" {
		p.Reason += "; " + sql
	}
	return p
}

// UnreadableFailure is why no command can go on, nil where all rows are readable.
func (p *Plan) UnreadableFailure(table history.Table) *report.Failure {
	rows := p.unreadable
	if len(rows) == 0 {
		return nil
	}
	f := &report.Failure{
		Code: report.ValidationFailed,
		Message: fmt.Sprintf("Flyway can't read %s of the history, and refuses every command because of it; "+
			"nothing was run", report.Count(len(rows), "row")),
		Script: rows[0].row.Script,
		NextStep: fmt.Sprintf("`slipway repair --rows %s` runs the statements that stand with the rows, in one "+
			"transaction, and then repairs the history.", p.UnreadableRanks()),
	}
	for _, u := range rows {
		f.Problems = append(f.Problems, u.problem(table))
		if u.statement(table) == "" {
			f.NextStep = "Correct the row by hand, as its line says; then run `slipway info` again."
		}
	}
	return f
}

// UnreadableRanks names the rows that Flyway can't read, as the request that
// rewrites them has to; "" without any.
func (p *Plan) UnreadableRanks() string {
	var list []history.Row
	for _, u := range p.unreadable {
		list = append(list, u.row)
	}
	return history.Ranks(list)
}

// Rewrites are the statements that make those rows readable.
func (p *Plan) Rewrites(table history.Table) []string {
	var statements []string
	for _, u := range p.unreadable {
		statements = append(statements, u.statement(table))
	}
	return statements
}

// Rewritable reports whether a statement is known for every row that Flyway can't read.
func (p *Plan) Rewritable() bool {
	for _, u := range p.unreadable {
		if u.statement(history.Table{}) == "" {
			return false
		}
	}
	return true
}
