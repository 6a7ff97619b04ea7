package plan

import (
	"fmt"
	"strings"

	"slipway/lambda/history"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// Contradiction is why history and release do not fit, nil if they do. What is
// only pending is no contradiction.
func (p *Plan) Contradiction() *report.Failure {
	if len(p.Failed) > 0 {
		return p.previousFailed()
	}
	problems := append([]report.Problem{}, p.Edited...)
	for _, row := range p.Missing {
		problems = append(problems, report.Problem{Script: row.Script, Version: ScriptOf(row).Version,
			Reason: "was applied, and the release does not have it"})
	}
	if problem, ok := p.Squash.problem(); ok {
		problems = append(problems, problem)
	}
	for _, f := range p.Late {
		problems = append(problems, report.Problem{
			Script: f.Script, Version: f.Version.String(),
			Reason: fmt.Sprintf("comes late: version %s is applied already, and this one is not", p.Current),
		})
	}
	if len(p.Future) > 0 {
		for _, f := range p.Pending {
			if p.Undecided[f.Script] {
				continue
			}
			problems = append(problems, report.Problem{
				Script: f.Script, Version: f.Version.String(),
				Reason: fmt.Sprintf("is pending, while the database has newer versions that the release does not "+
					"have (up to %s)", ScriptOf(p.Future[len(p.Future)-1]).Version),
			})
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return &report.Failure{
		Code: report.ValidationFailed,
		Message: fmt.Sprintf("the history of the database and the release contradict each other in %s",
			report.Count(len(problems), "script")),
		Script:   problems[0].Script,
		Problems: problems,
		NextStep: p.advice(),
	}
}

func (p *Plan) advice() string {
	switch {
	case len(p.Edited) > 0:
		// A deployed function has the former scripts again when its deployment has failed. So
		// what counts is where the command is typed: its scripts are compared with the history.
		return "Put the scripts back as they were applied and change the schema in a new script. If only comments " +
			"or white space differ, `slipway repair`, typed where the edited scripts are, writes their new " +
			"checksums into the history; then run or deploy them again."
	case p.RunsAfterRepair():
		return p.Squash.KeepOne()
	case p.Squash.gone:
		return "Put the V scripts back that " + p.Squash.Script.Script +
			" stands for, and migrate this database before they are removed."
	case len(p.Missing) > 0:
		return "Put the missing scripts back into the release; if they were removed on purpose, `slipway repair`, " +
			"typed where the release without them is, marks them as deleted; of a deployed environment it asks for " +
			"their rows first."
	case len(p.Late) > 0:
		return "Give the late scripts versions above the highest one applied, or allow them with " +
			"FLYWAY_OUT_OF_ORDER=true."
	}
	return "Deploy a release that has the newer versions, or revert the database first."
}

func (p *Plan) previousFailed() *report.Failure {
	row := p.Failed[0]
	f := &report.Failure{
		Code: report.PreviousFailed,
		Message: fmt.Sprintf("%s failed in an earlier run outside a transaction, so part of what it did may stay",
			row.Script),
		Script: row.Script,
		NextStep: "If it is made to go on where it stopped, run `slipway repair`, which takes its row out of the " +
			"history, then migrate again; if not, finish or undo by hand what it did before that.",
	}
	for _, row := range p.Failed {
		f.Problems = append(f.Problems, report.Problem{Script: row.Script, Version: ScriptOf(row).Version,
			Reason: "failed on " + row.InstalledOn.UTC().Format("2006-01-02 15:04:05") + " UTC"})
	}
	return f
}

// Ahead is the warning that the database has more than the release.
func (p *Plan) Ahead() (string, bool) {
	if len(p.Future) == 0 {
		return "", false
	}
	versions := make([]string, len(p.Future))
	for i, row := range p.Future {
		versions[i] = ScriptOf(row).Version
	}
	return "the database is ahead of this release: it has " + strings.Join(versions, ", ") + " as well", true
}

func (p *Plan) PendingScripts() []report.Script {
	list := []report.Script{}
	for _, f := range p.Pending {
		list = append(list, scriptOfFile(f))
	}
	return list
}

// AppliedSince are the scripts that were applied after that rank: those of the pending
// ones that have a row of success. A script can write rows of its own.
func AppliedSince(rank int, rows []history.Row, pending []script.File) []report.Script {
	open := map[string]bool{}
	for _, f := range pending {
		open[f.Script+" "+TypeOf(f)] = true
	}
	list := []report.Script{}
	for _, row := range rows {
		id := row.Script + " " + row.Type
		if row.Rank > rank && row.Success && open[id] {
			list = append(list, ScriptOf(row))
			open[id] = false
		}
	}
	return list
}
