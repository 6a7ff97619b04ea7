package check

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"slipway/lambda/script"
	"slipway/lambda/sqltext"
	"slipway/lambda/workbench/change"
)

// structure compares names and checksums. What Flyway or script.Load would
// refuse, and what a merge would break, is found here.
func (r *Result) structure(c *change.Change, o Options) {
	r.loadProblems(c, o)
	base, work := index(c.Base), index(c.Work)
	for _, e := range c.Base.Sorted() {
		r.gone(e, work)
	}
	for _, e := range c.Work.Sorted() {
		r.changed(e, base)
	}
	r.against(c, o)
}

func index(t change.Tree) map[string][]change.Entry {
	m := map[string][]change.Entry{}
	for _, e := range t.Sorted() {
		if e.Bad == nil {
			m[e.Key()] = append(m[e.Key()], e)
		}
	}
	return m
}

// loadProblems are those for which the release would be refused.
func (r *Result) loadProblems(c *change.Change, o Options) {
	_, err := script.LoadEncoded(o.Encoding, c.Folder)
	var bad *script.ReleaseError
	if !errors.As(err, &bad) {
		return
	}
	for _, p := range bad.Problems {
		f := Finding{Rule: "bad-script", Level: Error, Script: p.Script, Line: p.Line, Message: p.Reason}
		_, nameErr := script.ParseFile(path.Base(p.Script))
		switch {
		case strings.HasPrefix(p.Reason, "has version ") || strings.HasPrefix(p.Reason, "has the description "):
			f.Rule = "version-collision"
		case strings.HasPrefix(p.Reason, "no migration here"):
			f.Rule = "no-scripts"
		case nameErr != nil:
			f.Rule = "bad-name"
		}
		r.add(f)
	}
}

// gone judges a script of the merge base by what became of it.
func (r *Result) gone(e change.Entry, work map[string][]change.Entry) {
	if e.Bad != nil || e.Kind == script.Config || len(work[e.Key()]) > 0 {
		return
	}
	r.list(e, "deleted")
	if e.Kind != script.Versioned && e.Kind != script.Repeatable && e.Kind != script.Baseline {
		return
	}
	f := Finding{
		Rule: "deleted-script", Level: Error, Script: e.Path,
		Message: "the target branch has it, so databases have applied it: a release without it is refused",
		Help:    "Put it back, and undo what it did in a new script.",
	}
	if b := standsFor(e, work); b.Path != "" {
		f.Help = fmt.Sprintf("Put it back: %s stands for it on new databases only. To remove it, keep the V script "+
			"of version %s, wait until every database has that version, and repair each.", b.Path, b.Version)
	}
	r.add(f)
}

// standsFor is the B script that stands for a versioned script on new databases.
func standsFor(e change.Entry, work map[string][]change.Entry) (b change.Entry) {
	for _, files := range work {
		for _, f := range files {
			above := f.Version.Compare(e.Version) >= 0 && f.Version.Compare(b.Version) > 0
			if e.Kind == script.Versioned && f.Kind == script.Baseline && above {
				b = f
			}
		}
	}
	return b
}

// changed judges a script of the work tree by what it was.
func (r *Result) changed(e change.Entry, base map[string][]change.Entry) {
	if e.Bad != nil || e.Kind == script.Config {
		return
	}
	before := base[e.Key()]
	if len(before) == 0 {
		r.list(e, "new")
		return
	}
	was := before[0]
	for _, b := range before {
		if b.Path == e.Path {
			was = b
		}
	}
	same := was.SameBytes(e)
	switch {
	case same && was.Description == e.Description:
		return
	case same:
		r.list(e, "renamed")
	default:
		r.list(e, "edited")
	}
	if e.Kind == script.Baseline {
		r.add(Finding{
			Rule: "edited-baseline", Level: Warning, Script: e.Path,
			Message: "the target branch has it, and Flyway never notices that it changed: databases that began with " +
				"it keep what it was",
			Help: "Make the change in a new script, unless both do the same.",
		})
		return
	}
	if e.Kind != script.Versioned && e.Kind != script.Repeatable {
		return
	}
	if !same && was.Checksum() == e.Checksum() {
		r.unseen(e)
		return
	}
	if e.Kind != script.Versioned {
		return
	}
	f := Finding{
		Rule: "edited-script", Level: Error, Script: e.Path,
		Message: "the target branch has it, so databases have applied it as it was: an edited one is refused by its " +
			"checksum",
		Help: "Put it back as it was, and make the change in a new script.",
	}
	if !same && sqltext.SameCode(string(was.Data), string(e.Data)) {
		f.Message = "only comments and white space differ from what the target branch has, but the checksum does " +
			"too: databases refuse it"
		f.Help = "Put it back as it was. If it has to stay, waive this, and repair the history with the new script " +
			"before it is deployed."
	}
	if same {
		f.Rule = "renamed-script"
		f.Message = fmt.Sprintf("the target branch has it with the description %q: a renamed one is refused",
			was.Description)
		f.Help = "Give it its name back."
	}
	r.add(f)
}

// unseen is an edit that Flyway's checksum does not see, for it leaves line
// ends out: no run on a database that has the script refuses it, or runs it
// again, and a new database gets what the new text does. A line end can end a
// comment.
func (r *Result) unseen(e change.Entry) {
	help := "Put it back as it was, and make the change in a new script."
	if e.Kind == script.Repeatable {
		help = "Put it back as it was, or change a word too, so that it runs again."
	}
	r.add(Finding{
		Rule: "unseen-edit", Level: Error, Script: e.Path, Help: help,
		Message: "the target branch has it with other line ends (or byte order mark), which Flyway's checksum does " +
			"not see: databases that have applied it keep what it did then, and new ones run the new text",
	})
}

func (r *Result) list(e change.Entry, what string) {
	r.Scripts = append(r.Scripts, Script{
		Script: e.Path, Version: e.Version.String(), Description: e.Description, Kind: string(e.Kind), Change: what,
	})
}

// against compares the new versions with the newest commit of the target
// branch: what was merged there since the branch began counts as well.
func (r *Result) against(c *change.Change, o Options) {
	var highest change.Entry
	tip := index(c.Tip)
	for _, e := range c.Tip {
		if e.Bad == nil && e.Kind == script.Versioned && e.Version.Compare(highest.Version) > 0 {
			highest = e
		}
	}
	base := index(c.Base)
	for _, e := range c.Work.Sorted() {
		if e.Bad != nil || len(base[e.Key()]) > 0 {
			continue
		}
		there := tip[e.Key()]
		switch {
		case e.Kind != script.Versioned && e.Kind != script.Repeatable && e.Kind != script.Baseline:
		case len(there) > 0 && there[0].Description == e.Description && there[0].SameBytes(e):
		case len(there) > 0 && e.Kind != script.Repeatable:
			r.add(Finding{
				Rule: "version-collision", Level: Error, Script: e.Path,
				Message: fmt.Sprintf("has version %s, and on %s so has %s", e.Version, c.Against, there[0].Path),
				Help:    fmt.Sprintf("Give it a version above %s.", highest.Version),
			})
		case e.Kind == script.Versioned && e.Version.Compare(highest.Version) < 0 && !o.OutOfOrder:
			r.add(Finding{
				Rule: "version-not-above", Level: Error, Script: e.Path,
				Message: fmt.Sprintf("version %s is below %s, which %s has (%s): databases that applied that one "+
					"refuse it", e.Version, highest.Version, c.Against, highest.Path),
				Help: fmt.Sprintf("Give it a version above %s.", highest.Version),
			})
		}
	}
}
