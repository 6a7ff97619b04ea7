package migrator

import (
	"maps"
	"slices"

	"slipway/lambda/report"
	"slipway/lambda/script"
)

// NamedRepair is a repair of a database that only another release's program can reach.
type NamedRepair struct {
	Checksums map[string]NewChecksum // for [Request]; never nil, and empty where no script is edited
	Actions   []string               // what the repair changes, in words
}

// RepairOf returns the repair after which the history fits the release in set. history
// is the info of another release's program there; of c, the Flyway settings count.
// Where no such repair would let the release run, the error is a [report.Failure].
func RepairOf(set *script.Set, history *report.Report, c Config) (NamedRepair, error) {
	p, _, err := forecastRun(set, history, c).forecastPlan(history)
	if err != nil {
		return NamedRepair{}, err
	}
	problems := slices.Clone(p.renamed)
	for _, row := range p.missing {
		problems = append(problems, report.Problem{
			Script: row.Script, Version: scriptOf(row).Version, Reason: "was applied, and the scripts here do not have it",
		})
	}
	// Scripts of an older state would take back what a newer release brought.
	if len(p.checksums) > 0 {
		for _, row := range p.future {
			problems = append(problems, report.Problem{
				Script: row.Script, Version: scriptOf(row).Version, Reason: "was applied, and the scripts here end before it",
			})
		}
	}
	if len(problems) > 0 {
		f := report.Failf(report.ValidationFailed, "Put them back as they were applied, or take the checkout that is to be deployed; then repair again.",
			"the scripts here and the history differ by more than the text of a script in %s; nothing was changed", count(len(problems), "script"))
		f.Script, f.Problems = problems[0].Script, problems
		return NamedRepair{}, f
	}
	repair := NamedRepair{Checksums: p.checksums, Actions: []string{}}
	for _, row := range p.failed {
		repair.Actions = append(repair.Actions, removal(row))
	}
	for _, name := range slices.Sorted(maps.Keys(p.checksums)) {
		repair.Actions = append(repair.Actions, p.checksums[name].action(name))
	}
	return repair, nil
}
