package plan

import (
	"fmt"

	"slipway/lambda/report"
	"slipway/lambda/script"
)

// Squash is what the B scripts of a release mean for a database that did not
// begin with one. Flyway runs a B script only where no version stands, and never
// asks whether the database has what the script stands for.
type Squash struct {
	Script   script.File // the highest B script; its Script is "" without any
	anchored bool        // a version of the history is in the release and succeeded
	adopted  bool        // a row of a baseline stands in the history
	gone     bool        // the database is below script, and the release has no V script up to it
	lacks    bool        // the same, but only the V script of its very version is not there
}

func (s *Squash) judge(set *script.Set, last, baseline script.Version) {
	if len(set.Baselines) == 0 {
		return
	}
	s.Script = set.Baselines[len(set.Baselines)-1]
	s.adopted = !baseline.IsZero()
	below, same := false, false
	for _, f := range set.Versioned {
		c := f.Version.Compare(s.Script.Version)
		below = below || c <= 0
		same = same || c == 0
	}
	behind := !last.IsZero() && last.Compare(s.Script.Version) < 0
	s.gone = behind && !below
	s.lacks = behind && below && !same
}

// RunsAfterRepair reports whether repair would leave a database with tables and no
// version, on which the B script would then run.
func (p *Plan) RunsAfterRepair() bool {
	s := p.Squash
	return s.Script.Script != "" && !s.anchored && !s.adopted && len(p.Missing)+len(p.Future) > 0
}

// KeepOne says how a history outlives the removal of the scripts that a B
// script stands for.
func (s Squash) KeepOne() string {
	v := s.Script.Version
	return fmt.Sprintf("Put the V script of version %s back into the release beside %s; then run `slipway repair`, "+
		"which marks the scripts before it as deleted.",
		v, s.Script.Script)
}

// problem is why no script may run on a database below the B script.
func (s Squash) problem() (report.Problem, bool) {
	return report.Problem{
		Script: s.Script.Script, Version: s.Script.Version.String(),
		Reason: "stands for scripts that this database has not applied and the release does not have: it runs on " +
			"new databases only",
	}, s.gone
}

// Warning names what Flyway passes over in silence; ok is false where that is nothing.
func (s Squash) Warning() (text string, ok bool) {
	return fmt.Sprintf("%s is not run on this database, which has versions already; if a script of version %s was "+
		"removed, the database lacks its changes",
		s.Script.Script, s.Script.Version), s.lacks
}
