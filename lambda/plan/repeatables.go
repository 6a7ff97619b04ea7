package plan

import (
	"slipway/lambda/history"
	"slipway/lambda/script"
)

func (p *maker) repeatables(set *script.Set, rows []*Applied, rules Rules) error {
	latest := map[string]*Applied{}
	for _, a := range rows {
		if a.Type != history.Delete {
			latest[a.Description] = a
		}
	}
	current := map[string]bool{}
	files := map[string]script.File{}
	outdated := map[string]bool{}
	for _, f := range set.Repeatable {
		key := Abbreviate(f.Description)
		files[key] = f
		a := latest[key]
		if a == nil || a.deleted || a.Checksum == nil {
			continue
		}
		same := *a.Checksum == f.Checksum
		if rules.Repeatable != nil {
			sum, ok, err := rules.Repeatable(f)
			if err != nil {
				return err
			}
			if !ok {
				p.ReasonsToAskFlyway = append(p.ReasonsToAskFlyway, "only Flyway can tell the checksum of "+f.Script)
				if !same {
					p.Undecided[f.Script] = true
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
		if !current[Abbreviate(f.Description)] {
			p.Pending = append(p.Pending, f)
			p.listFile(f, "Pending")
		}
	}
	return nil
}

func (p *maker) repeated(a *Applied, latest bool, files map[string]script.File, outdated map[string]bool) {
	state := "Success"
	_, known := files[a.Description]
	switch {
	case a.Type == history.Schema, a.Type == history.Delete:
	case a.deleted:
		state = "Deleted"
	case !a.Success:
		p.Failed = append(p.Failed, a.Row)
		state = "Failed"
	case !known && latest:
		p.Missing = append(p.Missing, a.Row)
		state = "Missing"
	case !latest:
		state = "Superseded"
	case outdated[a.Description]:
		state = "Outdated"
	}
	p.list(a.Row, state)
}
