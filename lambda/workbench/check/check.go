// Package check judges a branch's scripts before the merge, without a
// database: against the target branch (versions, edits, deletions), by their
// names, and by what squawk says of their SQL.
//
// It decides which findings there are and how bad each is. A finding that is
// meant can be waived in the script, with a reason, see [Waiver]; what no
// deployment could run can't.
package check

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"slipway/lambda/workbench/change"
)

// Level is how bad a finding is.
type Level string

// The levels. Only an error that is not waived fails a check.
const (
	Error   Level = "error"
	Warning Level = "warning"
	Note    Level = "note"
)

// Finding is one thing to look at.
type Finding struct {
	Rule    string `json:"rule"`
	Level   Level  `json:"level"`
	Script  string `json:"script"`          // below the scripts' folder; "" where File is given
	File    string `json:"file,omitempty"`  // below the repository's root, of a finding that is about no script
	Line    int    `json:"line,omitempty"`  // from 1; 0 for the script as a whole
	Table   string `json:"table,omitempty"` // that the statement is about, where it is known
	Message string `json:"message"`
	Help    string `json:"help,omitempty"`
	Waived  string `json:"waived,omitempty"` // the reason, where the script waives it
}

// Fails reports whether the finding fails the check.
func (f Finding) Fails() bool { return f.Level == Error && f.Waived == "" }

// Waiver is the comment that waives the finding, to be completed by a reason; ""
// where no waiver counts or none is needed.
func (f Finding) Waiver() string {
	switch {
	case !f.Fails() || !waivable(f.Rule) || f.File != "":
		return ""
	case f.Rule == "deleted-script":
		return fmt.Sprintf("-- slipway:allow %s in %s because …", f.Rule, f.Script)
	}
	return fmt.Sprintf("-- slipway:allow %s because …", f.Rule)
}

// Script is one script that the branch brings or changes.
type Script struct {
	Script      string `json:"script"`
	Version     string `json:"version,omitempty"`
	Description string `json:"description,omitempty"`
	Kind        string `json:"kind"`   // versioned, repeatable, undo, callback
	Change      string `json:"change"` // new, edited, deleted, renamed
}

// Result is what a check found.
type Result struct {
	Folder   string      `json:"folder"`
	Prefix   string      `json:"-"`                 // the folder below the repository's root
	Against  string      `json:"against,omitempty"` // target branch; "" without one
	Base     string      `json:"base,omitempty"`    // commit that both have
	Tip      string      `json:"tip,omitempty"`     // newest commit of the target branch
	Head     change.Head `json:"head"`
	Scripts  []Script    `json:"scripts"`
	Findings []Finding   `json:"findings"`
	Linted   int         `json:"linted"`           // how many scripts squawk read
	Linter   string      `json:"linter,omitempty"` // its version

	// Texts are the scripts that were judged, as their files have them.
	Texts map[string]string `json:"-"`

	// What [Result.Reveal] needs.
	visible map[string]string // by script, of those that can hide something: what does not
	waivers []*Waiver
	place   map[string]int // of a script in the release's order
}

// Failures counts the findings that fail the check.
func (r *Result) Failures() int { return r.Count(Finding.Fails) }

// Count counts findings.
func (r *Result) Count(match func(Finding) bool) int {
	n := 0
	for _, f := range r.Findings {
		if match(f) {
			n++
		}
	}
	return n
}

// Options of a check.
type Options struct {
	All        bool    // lint scripts that the target branch has as well
	OutOfOrder bool    // a version may be below one of the target branch (FLYWAY_OUT_OF_ORDER)
	Encoding   string  // of the scripts; "" is UTF-8
	Table      string  // of the history; default flyway_schema_history
	Schema     string  // of the history; "" stands for public
	Linter     *Squawk // nil lints nothing
	// Placeholders as Flyway would get them. Those without a value become a
	// word: what stands in their place is not known before the deployment.
	Placeholders      map[string]string // by name in lower case
	Replace           bool              // whether placeholders are replaced at all
	PlaceholderPrefix string            // default ${
	PlaceholderSuffix string            // default }
	WithoutRules      []string          // rules that are turned off
	Batch             int               // scripts for one start of the linter; default 500
}

// Run checks. Its error says that the check could not be made; findings are no error.
func Run(ctx context.Context, c *change.Change, o Options) (*Result, error) {
	r := &Result{
		Folder: c.Folder, Prefix: c.Prefix, Against: c.Against, Base: c.BaseCommit, Tip: c.TipCommit,
		Head: c.Head, Scripts: []Script{}, Findings: []Finding{}, Texts: map[string]string{},
	}
	r.structure(c, o)
	texts, err := readTexts(c, o)
	if err != nil {
		return nil, err
	}
	for _, t := range texts {
		if t.lint && t.read {
			r.Texts[t.path] = t.original
		}
	}
	r.judgeScripts(texts, o)
	if o.Linter != nil {
		if err := r.lint(ctx, texts, o); err != nil {
			return nil, err
		}
	}
	r.waive(texts)
	r.Findings = slices.DeleteFunc(r.Findings, func(f Finding) bool {
		return slices.Contains(o.WithoutRules, f.Rule) && waivable(f.Rule)
	})
	r.place = map[string]int{}
	for i, e := range c.Work.Sorted() {
		r.place[e.Path] = i
	}
	r.sort()
	return r, nil
}

func (r *Result) sort() {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(rank(a)-rank(b), r.place[a.Script]-r.place[b.Script], cmp.Compare(a.Script, b.Script),
			a.Line-b.Line)
	})
}

// rank puts what fails first and what is waived last.
func rank(f Finding) int {
	if f.Waived != "" {
		return 3
	}
	return map[Level]int{Error: 0, Warning: 1, Note: 2}[f.Level]
}

// Add adds findings of other tools.
func (r *Result) Add(findings ...Finding) {
	r.Findings = append(r.Findings, findings...)
	r.sort()
}

func (r *Result) add(f Finding) { r.Findings = append(r.Findings, f) }
