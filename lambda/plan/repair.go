package plan

import (
	"maps"
	"slices"
	"strings"

	"slipway/lambda/history"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// NamedRepair is a repair of a database that only another release's program can reach:
// the fields of a request for it.
type NamedRepair struct {
	Rows      string                 // rows that Flyway can't read, by rank
	Checksums map[string]NewChecksum // never nil; empty where no script is edited
	Deleted   map[int]string
	Actions   []string // what Checksums, Deleted and the removal of failed rows change, in words
}

// RepairOf returns the repair after which the history fits the release in set. info
// is the report of another release's program there. rows are the ranks of the rows that
// may be rewritten or marked as deleted, "1,7", as a failure named them: whoever asks has
// seen them then. Where no such repair would let the release run, the error is a
// [report.Failure].
func RepairOf(set *script.Set, info *report.Report, rules Rules, rows string) (NamedRepair, error) {
	p, _, err := ofReport(set, info, rules)
	if err != nil {
		return NamedRepair{}, err
	}
	rows = strings.ReplaceAll(rows, " ", "")
	repair := NamedRepair{Rows: rows, Checksums: p.checksums, Actions: []string{}}
	if len(p.Missing) > 0 && rows == history.Ranks(p.Missing) && !p.RunsAfterRepair() {
		repair.Rows = ""
		repair.Deleted = map[int]string{}
		for _, row := range p.Missing {
			repair.Deleted[row.Rank] = row.Script
		}
	}
	if f := p.beyondRepair(repair.Deleted == nil); f != nil {
		return NamedRepair{}, f
	}
	for _, row := range p.Failed {
		repair.Actions = append(repair.Actions, Removal(row))
	}
	for _, name := range slices.Sorted(maps.Keys(p.checksums)) {
		repair.Actions = append(repair.Actions, p.checksums[name].Action(name))
	}
	for _, rank := range slices.Sorted(maps.Keys(repair.Deleted)) {
		repair.Actions = append(repair.Actions, Deletion(repair.Deleted[rank]))
	}
	return repair, nil
}

// beyondRepair is why the release would not run after such a repair, nil if it would.
// Rows that Flyway can't read come first: what is missing is asked when they are rewritten.
func (p *Plan) beyondRepair(missing bool) *report.Failure {
	problems := slices.Clone(p.renamed)
	next := "Put them back as they were applied, or take the checkout that is to be deployed; then repair again."
	// Scripts of an older state would take back what a newer release brought.
	if len(p.checksums)+len(p.Missing) > 0 {
		for _, row := range p.Future {
			problems = append(problems, report.Problem{
				Script: row.Script, Version: ScriptOf(row).Version,
				Reason: "was applied, and the scripts here end before it",
			})
		}
	}
	if missing && len(p.unreadable) == 0 && len(p.Missing) > 0 {
		if len(problems) == 0 {
			next = "Put them back. If they were removed on purpose, `slipway repair --rows " +
				history.Ranks(p.Missing) +
				"` marks them as deleted."
		}
		if p.RunsAfterRepair() {
			next = p.Squash.KeepOne()
		}
		for _, row := range p.Missing {
			problems = append(problems, report.Problem{
				Script: row.Script, Version: ScriptOf(row).Version,
				Reason: "was applied, and the scripts here do not have it",
			})
		}
	}
	if len(problems) == 0 {
		return nil
	}
	f := report.Failf(report.ValidationFailed, "the scripts here and the history differ by more than the text of a "+
		"script in %s; nothing was changed",
		report.Count(len(problems), "script")).
		Next(next)
	f.Script, f.Problems = problems[0].Script, problems
	return f
}
