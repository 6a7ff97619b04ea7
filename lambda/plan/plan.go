// Package plan decides what follows when the scripts of a release meet the
// history of a database: which scripts are pending, what contradicts, and what
// only Flyway can tell. It is pure: it reads no database and starts nothing.
//
// It leaves to its caller what is done about it. It may import history, script,
// report, and flyway for what its versions read.
package plan

import (
	"cmp"
	"math"
	"slices"

	"slipway/lambda/history"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// Plan is what follows when the scripts of a release meet the history of a
// database. The rules are Flyway 12's (MigrationInfoServiceImpl and its
// neighbours), so that both always agree; see the differential test.
type Plan struct {
	Current script.Version // the highest version that was applied, and not undone since
	Pending []script.File  // what migrate would run, in order
	Late    []script.File  // pending, but below a version applied already, and outOfOrder is off
	// unreadable are the rows at which Flyway would end.
	unreadable []unreadable
	Failed     []history.Row // failed runs that still stand in the history
	Missing    []history.Row // applied, and gone from the release though it has later ones
	Future     []history.Row // applied, and above everything in the release
	Edited     []report.Problem
	renamed    []report.Problem       // those of edited that have another description now
	checksums  map[string]NewChecksum // those of edited that only have another text, by script
	// everything, for info: in the order in which it was applied, then what is not
	scripts            []listed
	baseline           script.Version
	Squash             Squash
	ReasonsToAskFlyway []string // why the answer may not be Flyway's
	// Undecided are the pending repeatable scripts of which only Flyway can tell
	// whether they are.
	Undecided map[string]bool
}

// hasCallbacks is the one reason that concerns what a run does, and no state.
const hasCallbacks = "the release has callbacks"

// Rules are the settings that a plan depends on.
type Rules struct {
	OutOfOrder bool
	Target     script.Version
	// Version is Flyway's; nil counts as 12.4.
	Version func() string
	// Repeatable is the checksum of a repeatable script after placeholder replacement; ok=false
	// when only Flyway can tell.
	Repeatable func(script.File) (sum int32, ok bool, err error)
}

// listed is one line of info. Scripts below the baseline come first, then what
// was applied by rank, then what was not.
type listed struct {
	report.Script
	rank int
}

// Applied is a row of the history, with its version read.
type Applied struct {
	history.Row
	Version script.Version
	deleted bool
}

// maker is a plan in the making.
type maker struct{ *Plan }

// Make makes the plan. It fails only where a script can't be read.
func Make(set *script.Set, rows []history.Row, rules Rules) (*Plan, error) {
	p := &maker{&Plan{Undecided: map[string]bool{}, checksums: map[string]NewChecksum{}}}
	versioned, repeatable := p.read(rows, rules.Version)
	p.versions(set, versioned, rules)
	if err := p.repeatables(set, repeatable, rules); err != nil {
		return nil, err
	}
	if len(set.Callbacks) > 0 {
		p.ReasonsToAskFlyway = append(p.ReasonsToAskFlyway, hasCallbacks)
	}
	slices.SortStableFunc(p.scripts, func(a, b listed) int { return cmp.Compare(a.rank, b.rank) })
	return p.Plan, nil
}

// read splits the history and strikes out what a DELETE row (repair, revert) cancels.
// Rows that Flyway can't read are listed, and count for nothing.
func (p *maker) read(rows []history.Row, version func() string) (versioned, repeatable []*Applied) {
	for _, row := range rows {
		if bad, ok := judgeType(row, version); ok {
			p.refuse(bad)
			continue
		}
		a := &Applied{Row: row}
		if row.Version == nil {
			if row.Type == history.Delete && row.Success {
				strike(repeatable, func(o *Applied) bool { return o.Description == row.Description })
			}
			if !slices.Contains([]string{history.SQL, history.Schema, history.Delete}, row.Type) {
				p.ReasonsToAskFlyway = append(p.ReasonsToAskFlyway, "the history holds a row of type "+row.Type)
			}
			repeatable = append(repeatable, a)
			continue
		}
		var err error
		if a.Version, err = script.ParseVersion(*row.Version); err != nil {
			p.refuse(judgeVersion(row))
			continue
		}
		if history.IsBaseline(row.Type) {
			p.baseline = script.Highest(p.baseline, a.Version)
		}
		if row.Type == history.Delete && row.Success {
			// Flyway does not list the row itself.
			if !strike(versioned, func(o *Applied) bool { return o.Version.Compare(a.Version) == 0 }) {
				p.refuse(judgeTombstone(row))
			}
			continue
		}
		versioned = append(versioned, a)
	}
	return versioned, repeatable
}

func (p *maker) refuse(bad unreadable) {
	p.unreadable = append(p.unreadable, bad)
	p.list(bad.row, "Unreadable")
}

// strike marks the latest row that matches as deleted, and reports false where
// that row was deleted already.
func strike(rows []*Applied, match func(*Applied) bool) bool {
	for _, a := range slices.Backward(rows) {
		if a.Type != history.Delete && a.Type != history.Baseline && a.Type != history.Schema && match(a) {
			was := a.deleted
			a.deleted = true
			return !was
		}
	}
	return true
}

func (p *maker) list(row history.Row, state string) {
	s := ScriptOf(row)
	s.State = state
	p.scripts = append(p.scripts, listed{s, row.Rank})
}

func (p *maker) listFile(f script.File, state string) {
	s := scriptOfFile(f)
	s.State = state
	rank := math.MaxInt
	if state == belowBaseline || state == atBaseline {
		rank = -1
	}
	p.scripts = append(p.scripts, listed{s, rank})
}

func ScriptOf(row history.Row) report.Script {
	on := row.InstalledOn
	s := report.Script{
		Description: row.Description, Type: row.Type, Script: row.Script,
		Milliseconds: row.Duration, InstalledBy: row.InstalledBy, InstalledOn: &on,
	}
	if row.Version != nil {
		s.Version = *row.Version
	}
	if s.Description == history.NoDescription {
		s.Description = ""
	}
	return s
}

func scriptOfFile(f script.File) report.Script {
	return report.Script{Version: f.Version.String(), Description: f.Description, Type: TypeOf(f), Script: f.Script}
}

// Listed are all scripts with their states: those below the baseline, what was
// applied by rank, then what was not. rows are the ones that the plan was made of.
func (p *Plan) Listed(rows []history.Row) []report.Script {
	sums := map[int]*int32{}
	for _, row := range rows {
		sums[row.Rank] = row.Checksum
	}
	var list []report.Script
	for _, l := range p.scripts {
		l.Checksum = sums[l.rank]
		if l.InstalledOn != nil {
			l.Rank = l.rank
		}
		list = append(list, l.Script)
	}
	return list
}

// Standing are the versions that are applied and not undone since, the newest first.
func Standing(rows []history.Row, version func() string) []*Applied {
	list, _ := (&maker{Plan: &Plan{}}).read(rows, version)
	list = slices.DeleteFunc(list, func(a *Applied) bool { return a.deleted || a.Type == history.Delete })
	slices.SortStableFunc(list, func(a, b *Applied) int { return b.Version.Compare(a.Version) })
	return list
}

// StandingRepeatables are the latest runs of repeatable scripts, by description,
// without those that were deleted since.
func StandingRepeatables(rows []history.Row, version func() string) map[string]history.Row {
	_, list := (&maker{Plan: &Plan{}}).read(rows, version)
	latest := map[string]history.Row{}
	for _, a := range list {
		switch {
		case a.Type == history.Delete, a.Type == history.Schema:
		case a.deleted:
			delete(latest, a.Description)
		default:
			latest[a.Description] = a.Row
		}
	}
	return latest
}
