package migrator

import (
	"maps"
	"slices"
	"strings"

	"slipway/lambda/history"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// NamedRepair is a repair of a database that only another release's program can reach:
// the fields of a [Request] for it.
type NamedRepair struct {
	Rows      string                 // rows that Flyway can't read, by rank
	Checksums map[string]NewChecksum // never nil; empty where no script is edited
	Deleted   map[int]string
	Actions   []string // what Checksums, Deleted and the removal of failed rows change, in words
}

// RepairOf returns the repair after which the history fits the release in set. history
// is the info of another release's program there; of c, the Flyway settings count, and how
// commands are typed here. rows are the ranks of the rows that may be rewritten or marked
// as deleted, "1,7", as a failure named them: whoever asks has seen them then.
// Where no such repair would let the release run, the error is a [report.Failure].
func RepairOf(set *script.Set, info *report.Report, c Config, rows string) (NamedRepair, error) {
	r := forecastRun(set, info, c)
	p, _, err := r.forecastPlan(info)
	if err != nil {
		return NamedRepair{}, err
	}
	rows = strings.ReplaceAll(rows, " ", "")
	repair := NamedRepair{Rows: rows, Checksums: p.checksums, Actions: []string{}}
	if len(p.missing) > 0 && rows == history.Ranks(p.missing) && !p.runsAfterRepair() {
		repair.Rows = ""
		repair.Deleted = map[int]string{}
		for _, row := range p.missing {
			repair.Deleted[row.Rank] = row.Script
		}
	}
	if f := p.beyondRepair(repair.Deleted == nil); f != nil {
		r.report.Fail(f)
		r.nameCommands()
		f.NextStep = r.report.Next
		return NamedRepair{}, f
	}
	for _, row := range p.failed {
		repair.Actions = append(repair.Actions, removal(row))
	}
	for _, name := range slices.Sorted(maps.Keys(p.checksums)) {
		repair.Actions = append(repair.Actions, p.checksums[name].action(name))
	}
	for _, rank := range slices.Sorted(maps.Keys(repair.Deleted)) {
		repair.Actions = append(repair.Actions, deletion(repair.Deleted[rank]))
	}
	return repair, nil
}

// beyondRepair is why the release would not run after such a repair, nil if it would.
// Rows that Flyway can't read come first: what is missing is asked when they are rewritten.
func (p *plan) beyondRepair(missing bool) *report.Failure {
	problems := slices.Clone(p.renamed)
	next := "Put them back as they were applied, or take the checkout that is to be deployed; then repair again."
	// Scripts of an older state would take back what a newer release brought.
	if len(p.checksums)+len(p.missing) > 0 {
		for _, row := range p.future {
			problems = append(problems, report.Problem{
				Script: row.Script, Version: scriptOf(row).Version, Reason: "was applied, and the scripts here end before it",
			})
		}
	}
	if missing && len(p.unreadable) == 0 && len(p.missing) > 0 {
		if len(problems) == 0 {
			next = "Put them back. If they were removed on purpose, `slipway repair --rows " + history.Ranks(p.missing) +
				"` marks them as deleted."
		}
		if p.runsAfterRepair() {
			next = p.squash.keepOne()
		}
		for _, row := range p.missing {
			problems = append(problems, report.Problem{
				Script: row.Script, Version: scriptOf(row).Version, Reason: "was applied, and the scripts here do not have it",
			})
		}
	}
	if len(problems) == 0 {
		return nil
	}
	f := report.Failf(report.ValidationFailed, "the scripts here and the history differ by more than the text of a script in %s; nothing was changed",
		count(len(problems), "script")).
		Next(next)
	f.Script, f.Problems = problems[0].Script, problems
	return f
}
