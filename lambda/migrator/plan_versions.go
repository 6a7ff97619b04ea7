package migrator

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
func (p *plan) versions(set *script.Set, rows []*applied, rules rules) {
	scripts := inOrder(set)
	var highest script.Version // that the release has
	files := map[string]script.File{}
	for _, f := range scripts {
		files[identity(f.Version, typeOf(f))] = f
		highest = f.Version
	}
	done := map[string]bool{}
	var last script.Version // in order of rank, to tell what was out of order
	for _, a := range rows {
		outOfOrder := a.version.Compare(last) <= 0
		if !a.deleted && !outOfOrder && a.Type != history.Delete {
			last = a.version
		}
		if a.deleted {
			p.list(a.Row, "Deleted")
			continue
		}
		id := identity(a.version, a.Type)
		done[id] = true
		file, known := files[id]
		p.list(a.Row, p.applied(a, file, known, highest, outOfOrder))
		p.squash.anchored = p.squash.anchored || a.Success && known
		if a.Success && a.Type != history.Delete {
			p.current = script.Highest(p.current, a.version)
		}
	}
	p.squash.judge(set, last, p.baseline)
	var first script.Version // the B script with which a database without versions begins
	if n := len(set.Baselines); n > 0 && last.IsZero() {
		first = set.Baselines[n-1].Version
	}
	for _, f := range scripts {
		if !done[identity(f.Version, typeOf(f))] {
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
func (p *plan) applied(a *applied, file script.File, known bool, highest script.Version, outOfOrder bool) string {
	switch {
	case a.Type == history.Baseline:
		return "Baseline"
	case a.Type == history.Delete, a.Type == history.Schema:
		return "Success"
	case history.IsBaseline(a.Type) && !a.Success:
		p.failed = append(p.failed, a.Row)
		return "Failed"
	case !known && a.version.Compare(highest) >= 0:
		if !a.Success {
			p.failed = append(p.failed, a.Row)
			return "Failed (Future)"
		}
		p.future = append(p.future, a.Row)
		return "Future"
	case !known && !a.Success:
		p.failed = append(p.failed, a.Row)
		return "Failed (Missing)"
	case !known && a.Type == "UNDO_SCRIPT": // which no release can have
		return "Missing"
	case !known:
		p.missing = append(p.missing, a.Row)
		return "Missing"
	case !a.Success:
		p.failed = append(p.failed, a.Row)
		return "Failed"
	case history.IsBaseline(a.Type):
		return "Baseline"
	}
	if a.version.Compare(p.baseline) > 0 {
		p.compare(a.Row, file)
	}
	if outOfOrder {
		return "Out of Order"
	}
	return "Success"
}

func (p *plan) compare(row history.Row, file script.File) {
	problem := report.Problem{Script: file.Script, Version: *row.Version}
	if !sameDescription(row, file.Description) {
		problem.Reason = fmt.Sprintf("renamed after it was applied (%q then)", row.Description)
		p.renamed = append(p.renamed, problem)
	}
	if row.Checksum != nil && *row.Checksum != file.Checksum {
		problem.Reason = fmt.Sprintf("edited after it was applied (checksum %d then, %d now)", *row.Checksum, file.Checksum)
		p.checksums[file.Script] = NewChecksum{Was: *row.Checksum, Now: file.Checksum}
	}
	if problem.Reason != "" {
		p.edited = append(p.edited, problem)
	}
}

// sameDescription reports whether a row has the description of a script.
func sameDescription(row history.Row, description string) bool {
	return row.Description == abbreviate(description) || row.Description == "" && description == ""
}

// abbreviate is what Flyway stores of a long description.
func abbreviate(description string) string {
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
func (p *plan) unapplied(f script.File, first, last script.Version, rules rules) {
	baseline := script.Highest(p.baseline, first)
	begins := f.Kind == script.Baseline && p.baseline.IsZero() && f.Version.Compare(first) == 0
	switch {
	case begins:
		p.pending = append(p.pending, f)
		p.listFile(f, "Pending")
	case f.Version.Compare(baseline) < 0:
		p.listFile(f, belowBaseline)
	case f.Version.Compare(baseline) == 0:
		p.listFile(f, atBaseline)
	case !rules.target.IsZero() && f.Version.Compare(rules.target) > 0:
		p.listFile(f, "Above Target")
	case f.Kind == script.Baseline:
		p.listFile(f, "Ignored")
	case f.Version.Compare(last) < 0 && !rules.outOfOrder:
		p.late = append(p.late, f)
		p.listFile(f, "Ignored")
	default:
		p.pending = append(p.pending, f)
		p.listFile(f, "Pending")
	}
}
