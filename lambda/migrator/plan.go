package migrator

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"unicode/utf16"

	"slipway/lambda/database"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// plan is what follows when the scripts of a release meet the history of a
// database. The rules are Flyway 12's (MigrationInfoServiceImpl and its
// neighbours), so that both always agree; see the differential test.
type plan struct {
	current  script.Version // the highest version that was applied, and not undone since
	pending  []script.File  // what migrate would run, in order
	late     []script.File  // pending, but below a version applied already, and outOfOrder is off
	failed   []database.Row // failed runs that still stand in the history
	missing  []database.Row // applied, and gone from the release though it has later ones
	future   []database.Row // applied, and above everything in the release
	edited   []report.Problem
	scripts  []listed // everything, for info: in the order in which it was applied, then what is not
	baseline script.Version
	doubts   []string // why the answer may not be Flyway's
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
	database.Row
	version script.Version
	deleted bool
}

func makePlan(set *script.Set, history []database.Row, rules rules) (*plan, error) {
	p := &plan{unsure: map[string]bool{}}
	versioned, repeatable := p.read(history)
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
func (p *plan) read(history []database.Row) (versioned, repeatable []*applied) {
	for _, row := range history {
		a := &applied{Row: row}
		if row.Version == nil {
			if row.Type == "DELETE" && row.Success {
				strike(repeatable, func(o *applied) bool { return o.Description == row.Description })
			}
			if !slices.Contains([]string{"SQL", "SCHEMA", "DELETE"}, row.Type) {
				p.doubts = append(p.doubts, "the history holds a row of type "+row.Type)
			}
			repeatable = append(repeatable, a)
			continue
		}
		var err error
		if a.version, err = script.ParseVersion(*row.Version); err != nil {
			p.doubts = append(p.doubts, fmt.Sprintf("the history holds the version %q", *row.Version))
			continue
		}
		switch row.Type {
		case "BASELINE":
			p.baseline = script.Highest(p.baseline, a.version)
		case "DELETE":
			if row.Success {
				// Flyway does not list the row itself.
				strike(versioned, func(o *applied) bool { return o.version.Compare(a.version) == 0 })
				continue
			}
		case "SQL":
		default:
			p.doubts = append(p.doubts, "the history holds a row of type "+row.Type)
		}
		versioned = append(versioned, a)
	}
	return versioned, repeatable
}

// strike marks the latest row that matches as deleted.
func strike(rows []*applied, match func(*applied) bool) {
	for _, a := range slices.Backward(rows) {
		if a.Type != "DELETE" && a.Type != "BASELINE" && a.Type != "SCHEMA" && match(a) {
			a.deleted = true
			return
		}
	}
}

func (p *plan) versions(set *script.Set, history []*applied, rules rules) {
	var highest script.Version // that the release has
	files := map[string]script.File{}
	for _, f := range set.Versioned {
		files[f.Version.Key()] = f
		highest = f.Version
	}
	done := map[string]bool{}
	var last script.Version // in order of rank, to tell what was out of order
	for _, a := range history {
		outOfOrder := a.version.Compare(last) <= 0
		if !a.deleted && !outOfOrder {
			last = a.version
		}
		if a.deleted {
			p.list(a.Row, "Deleted")
			continue
		}
		if a.Type != "BASELINE" { // which stands for scripts, and is none
			done[a.version.Key()] = true
		}
		file, known := files[a.version.Key()]
		p.list(a.Row, p.applied(a, file, known, highest, outOfOrder))
		if a.Success {
			p.current = script.Highest(p.current, a.version)
		}
	}
	for _, f := range set.Versioned {
		if !done[f.Version.Key()] {
			p.unapplied(f, last, rules)
		}
	}
}

// applied judges one versioned row that stands, and names its state as Flyway does.
func (p *plan) applied(a *applied, file script.File, known bool, highest script.Version, outOfOrder bool) string {
	switch {
	case a.Type == "BASELINE":
		return "Baseline"
	case !known && a.version.Compare(highest) > 0:
		if !a.Success {
			p.failed = append(p.failed, a.Row)
			return "Failed (Future)"
		}
		p.future = append(p.future, a.Row)
		return "Future"
	case !known && !a.Success:
		p.failed = append(p.failed, a.Row)
		return "Failed (Missing)"
	case !known:
		p.missing = append(p.missing, a.Row)
		return "Missing"
	case !a.Success:
		p.failed = append(p.failed, a.Row)
		return "Failed"
	}
	if a.version.Compare(p.baseline) > 0 {
		p.compare(a.Row, file)
	}
	if outOfOrder {
		return "Out of Order"
	}
	return "Success"
}

func (p *plan) compare(row database.Row, file script.File) {
	problem := report.Problem{Script: file.Script, Version: *row.Version}
	switch {
	case row.Type != "SQL":
		problem.Reason = fmt.Sprintf("was applied as %s, the release has it as SQL", row.Type)
	case row.Checksum != nil && *row.Checksum != file.Checksum:
		problem.Reason = fmt.Sprintf("edited after it was applied (checksum %d then, %d now)", *row.Checksum, file.Checksum)
	case row.Description != abbreviate(file.Description) && (row.Description != "" || file.Description != ""):
		problem.Reason = fmt.Sprintf("renamed after it was applied (%q then)", row.Description)
	default:
		return
	}
	p.edited = append(p.edited, problem)
}

// abbreviate is what Flyway stores of a long description.
func abbreviate(description string) string {
	units := utf16.Encode([]rune(description))
	if len(units) <= 200 {
		return cmp.Or(description, noDescription)
	}
	return string(utf16.Decode(units[:197])) + "..."
}

// Flyway's names of scripts that a baseline stands for.
const (
	belowBaseline = "Below Baseline"
	atBaseline    = "Ignored (Baseline)"
)

// noDescription is what Flyway stores for a script without a description.
const noDescription = "<< no description >>"

func (p *plan) unapplied(f script.File, last script.Version, rules rules) {
	switch {
	case f.Version.Compare(p.baseline) < 0:
		p.listFile(f, belowBaseline)
	case f.Version.Compare(p.baseline) == 0:
		p.listFile(f, atBaseline)
	case !rules.target.IsZero() && f.Version.Compare(rules.target) > 0:
		p.listFile(f, "Above Target")
	case f.Version.Compare(last) < 0 && !rules.outOfOrder:
		p.late = append(p.late, f)
		p.listFile(f, "Ignored")
	default:
		p.pending = append(p.pending, f)
		p.listFile(f, "Pending")
	}
}

func (p *plan) repeatables(set *script.Set, history []*applied, rules rules) error {
	latest := map[string]*applied{}
	for _, a := range history {
		if a.Type != "DELETE" {
			latest[a.Description] = a
		}
	}
	current := map[string]bool{}
	files := map[string]script.File{}
	outdated := map[string]bool{}
	for _, f := range set.Repeatable {
		key := abbreviate(f.Description)
		files[key] = f
		a := latest[key]
		if a == nil || a.deleted || a.Checksum == nil {
			continue
		}
		same := *a.Checksum == f.Checksum
		if rules.repeatable != nil {
			sum, ok, err := rules.repeatable(f)
			if err != nil {
				return err
			}
			if !ok {
				p.doubts = append(p.doubts, "only Flyway can tell the checksum of "+f.Script)
				if !same {
					p.unsure[f.Script] = true
				}
			}
			same = same || sum == *a.Checksum
		}
		current[key], outdated[key] = same, !same
	}
	for _, a := range history {
		p.repeated(a, latest[a.Description] == a, files, outdated)
	}
	for _, f := range set.Repeatable {
		if !current[abbreviate(f.Description)] {
			p.pending = append(p.pending, f)
			p.listFile(f, "Pending")
		}
	}
	return nil
}

// trust is for when Flyway has run them all: what only it could tell is not
// pending any more.
func (p *plan) trust() {
	p.pending = slices.DeleteFunc(p.pending, func(f script.File) bool { return p.unsure[f.Script] })
}

func (p *plan) repeated(a *applied, latest bool, files map[string]script.File, outdated map[string]bool) {
	state := "Success"
	_, known := files[a.Description]
	switch {
	case a.Type == "SCHEMA", a.Type == "DELETE":
	case a.deleted:
		state = "Deleted"
	case !a.Success:
		p.failed = append(p.failed, a.Row)
		state = "Failed"
	case !known && latest:
		p.missing = append(p.missing, a.Row)
		state = "Missing"
	case !latest:
		state = "Superseded"
	case outdated[a.Description]:
		state = "Outdated"
	}
	p.list(a.Row, state)
}

func (p *plan) list(row database.Row, state string) {
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

func scriptOf(row database.Row) report.Script {
	on := row.InstalledOn
	s := report.Script{
		Description: row.Description, Type: row.Type, Script: row.Script,
		Milliseconds: row.Duration, InstalledBy: row.InstalledBy, InstalledOn: &on,
	}
	if row.Version != nil {
		s.Version = *row.Version
	}
	if s.Description == noDescription {
		s.Description = ""
	}
	return s
}

func scriptOfFile(f script.File) report.Script {
	return report.Script{Version: f.Version.String(), Description: f.Description, Type: "SQL", Script: f.Script}
}
