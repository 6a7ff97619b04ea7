// Package review puts what check and rehearse found, and what the
// infrastructure would change, into one answer for the reader of a pull
// request: Markdown for a comment, and an HTML page that loads nothing.
//
// It decides how the answer is laid out and cut to size, and the verdict: a
// finding that fails the check, or a rehearsal that fails, blocks the
// merge. It judges nothing itself.
package review

import (
	"io"
	"slices"

	"slipway/lambda/script"
	"slipway/lambda/untrusted"
	"slipway/lambda/workbench/check"
	"slipway/lambda/workbench/rehearse"
)

// Review is everything about one branch.
type Review struct {
	Title     string           // such as the pull request's; "" for none
	Check     *check.Result    // nil when it could not be made
	Rehearsal *rehearse.Report // nil when it could not be made
	NotMade   []string         // why not
	Diffs     []Diff
	// Withheld says why a machine's approval is not given, though nothing may
	// block the merge; empty also where none was asked for.
	Withheld []string
}

// Diff is the text of one `cdk diff`.
type Diff struct {
	Name string `json:"name"` // of the environment
	Text string `json:"text"`
}

// OK reports whether nothing blocks the merge.
func (r *Review) OK() bool {
	return len(r.NotMade) == 0 && (r.Check == nil || r.Check.Failures() == 0) &&
		(r.Rehearsal == nil || r.Rehearsal.OK())
}

// Approves reports whether a machine may approve: nothing blocks the
// merge, and nothing is in it that wants a person.
func (r *Review) Approves() bool { return r.OK() && len(r.Withheld) == 0 }

// Cross has check and rehearsal complete each other: what a script did to a
// table where no linter sees it becomes a finding, and what the throw-away
// server lacked is no fault of the scripts.
func (r *Review) Cross() {
	if r.Rehearsal == nil {
		return
	}
	if f := r.Rehearsal.Failure; f != nil && f.Server {
		r.NotMade = append(r.NotMade, "The scripts could not be rehearsed to the end: "+f.Text()+". "+f.Next)
	}
	if r.Check == nil {
		return
	}
	for _, s := range r.Rehearsal.Scripts {
		for _, table := range s.Rewritten {
			r.Check.Reveal(s.Script, table, true)
		}
		for _, l := range s.Locks {
			if l.Mode == "AccessExclusiveLock" && !slices.Contains(s.Rewritten, l.Table) {
				r.Check.Reveal(s.Script, l.Table, false)
			}
		}
	}
}

// Verdict is the outcome in a few words.
func (r *Review) Verdict() string {
	n := len(r.Blockers())
	switch {
	case len(r.NotMade) > 0:
		return "could not be judged in full"
	case n == 0 && r.count() == 0:
		return "no script differs"
	case n == 0:
		return "nothing blocks the merge"
	case n == 1:
		return "1 thing blocks the merge"
	}
	return number(n) + " things block the merge"
}

func (r *Review) count() int {
	n := 0
	if r.Check != nil {
		n = len(r.Check.Scripts)
	}
	if r.Rehearsal != nil {
		n = max(n, len(r.Rehearsal.Scripts))
	}
	return n
}

// WriteJSON prints the review as one JSON object.
func (r *Review) WriteJSON(w io.Writer) error {
	return untrusted.WriteJSON(w, struct {
		OK        bool             `json:"ok"`
		Verdict   string           `json:"verdict"`
		Check     *check.Result    `json:"check,omitempty"`
		Rehearsal *rehearse.Report `json:"rehearsal,omitempty"`
		NotMade   []string         `json:"notMade,omitempty"`
		Diffs     []Diff           `json:"diffs,omitempty"`
		Withheld  []string         `json:"withheld,omitempty"`
	}{r.OK(), r.Verdict(), r.Check, r.Rehearsal, r.NotMade, r.Diffs, r.Withheld})
}

// row is one script in the table of scripts.
type row struct {
	Script   string
	Change   string
	Measured *rehearse.Script // nil when it did not run
	Lock     *rehearse.Lock   // the one that hurts most, nil for none that keeps anybody out
	Undo     *rehearse.Undo
	Errors   int // of the check, about this script
}

// rows joins what both know of each script: in the order in which they ran,
// then what did not run.
func (r *Review) rows() []row {
	var list []row
	index := map[string]int{}
	if r.Rehearsal != nil {
		for i := range r.Rehearsal.Scripts {
			s := &r.Rehearsal.Scripts[i]
			index[s.Script] = len(list)
			list = append(list, row{Script: s.Script, Measured: s, Lock: worst(s.Locks)})
		}
	}
	if r.Check != nil {
		for _, s := range r.Check.Scripts {
			if s.Kind == string(script.Undo) {
				continue // it does not run; its trial stands beside its version
			}
			if i, ok := index[s.Script]; ok {
				list[i].Change = s.Change
				continue
			}
			index[s.Script] = len(list)
			list = append(list, row{Script: s.Script, Change: s.Change})
		}
		for _, f := range r.Check.Findings {
			if i, ok := index[f.Script]; ok && f.Fails() {
				list[i].Errors++
			}
		}
	}
	if r.Rehearsal != nil {
		for i := range r.Rehearsal.Undo {
			u := &r.Rehearsal.Undo[i]
			for j := range list {
				if version(list[j].Script) == version(u.Script) && list[j].Measured != nil {
					list[j].Undo = u
				}
			}
		}
	}
	return list
}

// version is a file's name without its first letter, which V and U scripts share.
func version(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			path = path[i+1:]
			break
		}
	}
	if path == "" {
		return ""
	}
	return path[1:]
}

// worst is the lock that hurts most: the strongest that keeps anybody out, of
// several the one on the largest table. Views have no size and come last.
func worst(locks []rehearse.Lock) *rehearse.Lock {
	var found *rehearse.Lock
	for i := range locks {
		l := &locks[i]
		if l.Blocks != "" && (found == nil || l.Mode == found.Mode && l.Bytes > found.Bytes) {
			found = l
		}
	}
	return found
}
