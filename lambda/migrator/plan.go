package migrator

import (
	"cmp"
	"math"
	"slices"

	"slipway/lambda/history"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// plan is what follows when the scripts of a release meet the history of a
// database. The rules are Flyway 12's (MigrationInfoServiceImpl and its
// neighbours), so that both always agree; see the differential test.
type plan struct {
	current script.Version // the highest version that was applied, and not undone since
	pending []script.File  // what migrate would run, in order
	late    []script.File  // pending, but below a version applied already, and outOfOrder is off
	// unreadable are the rows at which Flyway would end.
	unreadable []unreadable
	failed     []history.Row // failed runs that still stand in the history
	missing    []history.Row // applied, and gone from the release though it has later ones
	future     []history.Row // applied, and above everything in the release
	edited     []report.Problem
	renamed    []report.Problem       // those of edited that have another description now
	checksums  map[string]NewChecksum // those of edited that only have another text, by script
	scripts    []listed               // everything, for info: in the order in which it was applied, then what is not
	baseline   script.Version
	squash     squash
	doubts     []string // why the answer may not be Flyway's
	// unsure are the pending repeatable scripts of which only Flyway can tell
	// whether they are.
	unsure map[string]bool
}

// callbacksDoubt is the one doubt that concerns what a run does, and no state.
const callbacksDoubt = "the release has callbacks"

// rules are the settings that a plan depends on.
type rules struct {
	outOfOrder bool
	target     script.Version
	// version is Flyway's; nil counts as 12.4.
	version func() string
	// checksum of a repeatable script after placeholder replacement; ok=false
	// when only Flyway can tell.
	repeatable func(script.File) (sum int32, ok bool, err error)
}

// listed is one line of info. Scripts below the baseline come first, then what
// was applied by rank, then what was not.
type listed struct {
	report.Script
	rank int
}

type applied struct {
	history.Row
	version script.Version
	deleted bool
}

func makePlan(set *script.Set, rows []history.Row, rules rules) (*plan, error) {
	p := &plan{unsure: map[string]bool{}, checksums: map[string]NewChecksum{}}
	versioned, repeatable := p.read(rows, rules.version)
	p.versions(set, versioned, rules)
	if err := p.repeatables(set, repeatable, rules); err != nil {
		return nil, err
	}
	if len(set.Callbacks) > 0 {
		p.doubts = append(p.doubts, callbacksDoubt)
	}
	slices.SortStableFunc(p.scripts, func(a, b listed) int { return cmp.Compare(a.rank, b.rank) })
	return p, nil
}

// read splits the history and strikes out what a DELETE row (repair, revert) cancels.
// Rows that Flyway can't read are listed, and count for nothing.
func (p *plan) read(rows []history.Row, version func() string) (versioned, repeatable []*applied) {
	for _, row := range rows {
		if bad, ok := judgeType(row, version); ok {
			p.refuse(bad)
			continue
		}
		a := &applied{Row: row}
		if row.Version == nil {
			if row.Type == history.Delete && row.Success {
				strike(repeatable, func(o *applied) bool { return o.Description == row.Description })
			}
			if !slices.Contains([]string{history.SQL, history.Schema, history.Delete}, row.Type) {
				p.doubts = append(p.doubts, "the history holds a row of type "+row.Type)
			}
			repeatable = append(repeatable, a)
			continue
		}
		var err error
		if a.version, err = script.ParseVersion(*row.Version); err != nil {
			p.refuse(judgeVersion(row))
			continue
		}
		if history.IsBaseline(row.Type) {
			p.baseline = script.Highest(p.baseline, a.version)
		}
		if row.Type == history.Delete && row.Success {
			// Flyway does not list the row itself.
			if !strike(versioned, func(o *applied) bool { return o.version.Compare(a.version) == 0 }) {
				p.refuse(judgeTombstone(row))
			}
			continue
		}
		versioned = append(versioned, a)
	}
	return versioned, repeatable
}

func (p *plan) refuse(bad unreadable) {
	p.unreadable = append(p.unreadable, bad)
	p.list(bad.row, "Unreadable")
}

// strike marks the latest row that matches as deleted, and reports false where
// that row was deleted already.
func strike(rows []*applied, match func(*applied) bool) bool {
	for _, a := range slices.Backward(rows) {
		if a.Type != history.Delete && a.Type != history.Baseline && a.Type != history.Schema && match(a) {
			was := a.deleted
			a.deleted = true
			return !was
		}
	}
	return true
}

func (p *plan) list(row history.Row, state string) {
	s := scriptOf(row)
	s.State = state
	p.scripts = append(p.scripts, listed{s, row.Rank})
}

func (p *plan) listFile(f script.File, state string) {
	s := scriptOfFile(f)
	s.State = state
	rank := math.MaxInt
	if state == belowBaseline || state == atBaseline {
		rank = -1
	}
	p.scripts = append(p.scripts, listed{s, rank})
}

func scriptOf(row history.Row) report.Script {
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
	return report.Script{Version: f.Version.String(), Description: f.Description, Type: typeOf(f), Script: f.Script}
}
