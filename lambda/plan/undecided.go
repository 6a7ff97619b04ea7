package plan

import (
	"slices"

	"slipway/lambda/report"
	"slipway/lambda/script"
)

// Certain reports whether Flyway need not be asked about anything.
func (p *Plan) Certain() bool { return len(p.ReasonsToAskFlyway) == 0 }

// NeedsFlyway reports whether only Flyway can tell a state. Callbacks change none.
func (p *Plan) NeedsFlyway() bool {
	return slices.ContainsFunc(p.ReasonsToAskFlyway, func(reason string) bool { return reason != hasCallbacks })
}

// Decide takes over what Flyway told of the undecided scripts.
func (p *Plan) Decide(isPending func(script.File) bool) {
	p.Pending = slices.DeleteFunc(p.Pending, func(f script.File) bool { return p.Undecided[f.Script] && !isPending(f) })
	clear(p.Undecided)
}

// DropUndecided takes the undecided scripts out of the pending ones, such as after
// Flyway has run them all.
func (p *Plan) DropUndecided() {
	p.Pending = slices.DeleteFunc(p.Pending, func(f script.File) bool { return p.Undecided[f.Script] })
}

// LeaveUndecided takes the scripts of which only Flyway can tell whether they
// are pending out of those that are, and returns what is undecided in words.
func (p *Plan) LeaveUndecided() []string {
	descriptions := map[string]bool{}
	for _, f := range p.Pending {
		if p.Undecided[f.Script] {
			descriptions[Abbreviate(f.Description)] = true
		}
	}
	p.DropUndecided()
	scripts := p.scripts[:0]
	for _, l := range p.scripts {
		undecided := l.Version == "" && descriptions[Abbreviate(l.Description)]
		if undecided && l.State == "Pending" {
			continue // its row in the history says it
		}
		if undecided && l.State == "Outdated" {
			l.State = report.Undecided
		}
		scripts = append(scripts, l)
	}
	p.scripts = scripts
	return slices.DeleteFunc(slices.Clone(p.ReasonsToAskFlyway),
		func(reason string) bool { return reason == hasCallbacks })
}
