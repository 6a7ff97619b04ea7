package migrator

import (
	"slices"

	"slipway/lambda/history"
	"slipway/lambda/script"
)

func (p *plan) repeatables(set *script.Set, rows []*applied, rules rules) error {
	latest := map[string]*applied{}
	for _, a := range rows {
		if a.Type != history.Delete {
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
	for _, a := range rows {
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
	case a.Type == history.Schema, a.Type == history.Delete:
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
