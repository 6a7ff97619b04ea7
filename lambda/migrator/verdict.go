package migrator

import (
	"fmt"
	"slices"
	"strings"

	"slipway/lambda/history"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// contradiction is why history and release do not fit, nil if they do. What is
// only pending is no contradiction.
func (p *plan) contradiction() *report.Failure {
	if len(p.failed) > 0 {
		return p.previousFailed()
	}
	problems := append([]report.Problem{}, p.edited...)
	for _, row := range p.missing {
		problems = append(problems, report.Problem{Script: row.Script, Version: scriptOf(row).Version, Reason: "was applied, and the release does not have it"})
	}
	if problem, ok := p.squash.problem(); ok {
		problems = append(problems, problem)
	}
	for _, f := range p.late {
		problems = append(problems, report.Problem{
			Script: f.Script, Version: f.Version.String(),
			Reason: fmt.Sprintf("comes late: version %s is applied already, and this one is not", p.current),
		})
	}
	if len(p.future) > 0 {
		for _, f := range p.pending {
			if p.unsure[f.Script] {
				continue
			}
			problems = append(problems, report.Problem{
				Script: f.Script, Version: f.Version.String(),
				Reason: fmt.Sprintf("is pending, while the database has newer versions that the release does not have (up to %s)", scriptOf(p.future[len(p.future)-1]).Version),
			})
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return &report.Failure{
		Code:     report.ValidationFailed,
		Message:  fmt.Sprintf("the history of the database and the release contradict each other in %s", count(len(problems), "script")),
		Script:   problems[0].Script,
		Problems: problems,
		NextStep: p.advice(),
	}
}

func (p *plan) advice() string {
	switch {
	case len(p.edited) > 0:
		// A deployed function has the former scripts again when its deployment has failed. So
		// what counts is where the command is typed: its scripts are compared with the history.
		return "Put the scripts back as they were applied and change the schema in a new script. If only comments or white space differ, " +
			"`slipway repair`, typed where the edited scripts are, writes their new checksums into the history; then run or deploy them again."
	case p.runsAfterRepair():
		return p.squash.keepOne()
	case p.squash.gone:
		return "Put the V scripts back that " + p.squash.script.Script + " stands for, and migrate this database before they are removed."
	case len(p.missing) > 0:
		return "Put the missing scripts back into the release; if they were removed on purpose, `slipway repair`, typed where the release without them is, " +
			"marks them as deleted; of a deployed environment it asks for their rows first."
	case len(p.late) > 0:
		return "Give the late scripts versions above the highest one applied, or allow them with FLYWAY_OUT_OF_ORDER=true."
	}
	return "Deploy a release that has the newer versions, or revert the database first."
}

func (p *plan) previousFailed() *report.Failure {
	row := p.failed[0]
	f := &report.Failure{
		Code:    report.PreviousFailed,
		Message: fmt.Sprintf("%s failed in an earlier run outside a transaction, so part of what it did may stay", row.Script),
		Script:  row.Script,
		NextStep: "If it is made to go on where it stopped, run `slipway repair`, which takes its row out of the history, then migrate again; " +
			"if not, finish or undo by hand what it did before that.",
	}
	for _, row := range p.failed {
		f.Problems = append(f.Problems, report.Problem{Script: row.Script, Version: scriptOf(row).Version, Reason: "failed on " + row.InstalledOn.UTC().Format("2006-01-02 15:04:05") + " UTC"})
	}
	return f
}

// ahead is the warning that the database has more than the release.
func (p *plan) ahead() (string, bool) {
	if len(p.future) == 0 {
		return "", false
	}
	versions := make([]string, len(p.future))
	for i, row := range p.future {
		versions[i] = scriptOf(row).Version
	}
	return "the database is ahead of this release: it has " + strings.Join(versions, ", ") + " as well", true
}

func (p *plan) pendingScripts() []report.Script {
	list := []report.Script{}
	for _, f := range p.pending {
		list = append(list, scriptOfFile(f))
	}
	return list
}

// since are the scripts that were applied after that rank: those of the pending
// ones that have a row of success. A script can write rows of its own.
func since(rank int, rows []history.Row, pending []script.File) []report.Script {
	open := map[string]bool{}
	for _, f := range pending {
		open[f.Script+" "+typeOf(f)] = true
	}
	list := []report.Script{}
	for _, row := range rows {
		id := row.Script + " " + row.Type
		if row.Rank > rank && row.Success && open[id] {
			list = append(list, scriptOf(row))
			open[id] = false
		}
	}
	return list
}

// some lists at most so many texts, and the number of the rest.
func some(texts []string, most int) string {
	if more := len(texts) - most; more > 0 {
		texts = append(slices.Clone(texts[:most]), fmt.Sprintf("%d more", more))
	}
	return strings.Join(texts, ", ")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
