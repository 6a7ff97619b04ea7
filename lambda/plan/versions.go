package plan

import (
	"cmp"
	"fmt"
	"slices"
	"unicode/utf16"

	"slipway/lambda/history"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// versions judges the rows and scripts that have a version. A row belongs to
// the script of the same version and type, so V3 and B3 are two.
func (p *maker) versions(set *script.Set, rows []*Applied, rules Rules) {
	scripts := inOrder(set)
	var highest script.Version // that the release has
	files := map[string]script.File{}
	for _, f := range scripts {
		files[identity(f.Version, TypeOf(f))] = f
		highest = f.Version
	}
	done := map[string]bool{}
	var last script.Version // in order of rank, to tell what was out of order
	for _, a := range rows {
		outOfOrder := a.Version.Compare(last) <= 0
		if !a.deleted && !outOfOrder && a.Type != history.Delete {
			last = a.Version
		}
		if a.deleted {
			p.list(a.Row, "Deleted")
			continue
		}
		id := identity(a.Version, a.Type)
		done[id] = true
		file, known := files[id]
		p.list(a.Row, p.applied(a, file, known, highest, outOfOrder))
		p.Squash.anchored = p.Squash.anchored || a.Success && known
		if a.Success && a.Type != history.Delete {
			p.Current = script.Highest(p.Current, a.Version)
		}
	}
	p.Squash.judge(set, last, p.baseline)
	var first script.Version // the B script with which a database without versions begins
	if n := len(set.Baselines); n > 0 && last.IsZero() {
		first = set.Baselines[n-1].Version
	}
	for _, f := range scripts {
		if !done[identity(f.Version, TypeOf(f))] {
			p.unapplied(f, first, last, rules)
		}
	}
}

// inOrder are the scripts with a version, in the order in which Flyway runs them.
func inOrder(set *script.Set) []script.File {
	all := slices.Concat(set.Versioned, set.Baselines)
	slices.SortStableFunc(all, func(a, b script.File) int { return a.Version.Compare(b.Version) })
	return all
}

func identity(v script.Version, kind string) string { return v.Key() + " " + kind }

// applied judges one versioned row that stands, and names its state as Flyway does.
func (p *maker) applied(a *Applied, file script.File, known bool, highest script.Version, outOfOrder bool) string {
	switch {
	case a.Type == history.Baseline:
		return "Baseline"
	case a.Type == history.Delete, a.Type == history.Schema:
		return "Success"
	case history.IsBaseline(a.Type) && !a.Success:
		p.Failed = append(p.Failed, a.Row)
		return "Failed"
	case !known && a.Version.Compare(highest) >= 0:
		if !a.Success {
			p.Failed = append(p.Failed, a.Row)
			return "Failed (Future)"
		}
		p.Future = append(p.Future, a.Row)
		return "Future"
	case !known && !a.Success:
		p.Failed = append(p.Failed, a.Row)
		return "Failed (Missing)"
	case !known && a.Type == "UNDO_SCRIPT": // which no release can have
		return "Missing"
	case !known:
		p.Missing = append(p.Missing, a.Row)
		return "Missing"
	case !a.Success:
		p.Failed = append(p.Failed, a.Row)
		return "Failed"
	case history.IsBaseline(a.Type):
		return "Baseline"
	}
	if a.Version.Compare(p.baseline) > 0 {
		p.compare(a.Row, file)
	}
	if outOfOrder {
		return "Out of Order"
	}
	return "Success"
}

func (p *maker) compare(row history.Row, file script.File) {
	problem := report.Problem{Script: file.Script, Version: *row.Version}
	if !sameDescription(row, file.Description) {
		problem.Reason = fmt.Sprintf("renamed after it was applied (%q then)", row.Description)
		p.renamed = append(p.renamed, problem)
	}
	if row.Checksum != nil && *row.Checksum != file.Checksum {
		problem.Reason = fmt.Sprintf("edited after it was applied (checksum %d then, %d now)", *row.Checksum,
			file.Checksum)
		p.checksums[file.Script] = NewChecksum{Was: *row.Checksum, Now: file.Checksum}
	}
	if problem.Reason != "" {
		p.Edited = append(p.Edited, problem)
	}
}

// sameDescription reports whether a row has the description of a script.
func sameDescription(row history.Row, description string) bool {
	return row.Description == Abbreviate(description) || row.Description == "" && description == ""
}

// Abbreviate is what Flyway stores of a long description.
func Abbreviate(description string) string {
	units := utf16.Encode([]rune(description))
	if len(units) <= 200 {
		return cmp.Or(description, history.NoDescription)
	}
	return string(utf16.Decode(units[:197])) + "..."
}

// Flyway's names of scripts that a baseline stands for.
const (
	belowBaseline = "Below Baseline"
	atBaseline    = "Ignored (Baseline)"
)

// unapplied judges a script that no row stands for. first is the version of the
// B script with which a database without versions begins: it runs whatever the
// target is, and stands for what is below it, unless a row of type BASELINE, even
// a deleted B script's, says where the database began. On any other database no
// B script runs, and none is late.
func (p *maker) unapplied(f script.File, first, last script.Version, rules Rules) {
	baseline := script.Highest(p.baseline, first)
	begins := f.Kind == script.Baseline && p.baseline.IsZero() && f.Version.Compare(first) == 0
	switch {
	case begins:
		p.Pending = append(p.Pending, f)
		p.listFile(f, "Pending")
	case f.Version.Compare(baseline) < 0:
		p.listFile(f, belowBaseline)
	case f.Version.Compare(baseline) == 0:
		p.listFile(f, atBaseline)
	case !rules.Target.IsZero() && f.Version.Compare(rules.Target) > 0:
		p.listFile(f, "Above Target")
	case f.Kind == script.Baseline:
		p.listFile(f, "Ignored")
	case f.Version.Compare(last) < 0 && !rules.OutOfOrder:
		p.Late = append(p.Late, f)
		p.listFile(f, "Ignored")
	default:
		p.Pending = append(p.Pending, f)
		p.listFile(f, "Pending")
	}
}
