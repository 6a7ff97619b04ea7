package review

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"slipway/lambda/report"
	"slipway/lambda/untrusted"
	"slipway/lambda/workbench/check"
	"slipway/lambda/workbench/rehearse"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"prose": prose}).Parse(pageText))

// prose is a text of others' in which backticks mark code, as HTML.
func prose(s string) template.HTML {
	parts := strings.Split(s, "`")
	var b strings.Builder
	for i, part := range parts {
		escaped := template.HTMLEscapeString(part)
		if i%2 == 1 && i < len(parts)-1 {
			escaped = "<code>" + escaped + "</code>"
		} else if i%2 == 1 {
			escaped = "`" + escaped
		}
		b.WriteString(escaped)
	}
	return template.HTML(b.String()) //nolint:gosec // escaped piece by piece
}

// page is what the template shows. Everything that comes from the branch is
// escaped by it; only the style and the drawings, which are made here, are not.
type page struct {
	*Review
	Heading, Setting, Summary string
	Tone                      string // of the verdict: good, bad, "" where nothing was judged
	Style                     template.CSS
	Facts                     []fact
	Blocking                  []pageBlocker
	Failure                   *rehearse.Failure // of no script that has a card
	Rows                      []pageRow
	Others                    []pageOther // findings about what has no card
	Before, After             template.HTML
	Left                      string
	SchemaDiff                []pageLine
	Diffs                     []pageDiff
	Warnings                  []string
}

type (
	fact        struct{ Value, Label, Tone string }
	chip        struct{ Text, Tone string }
	pageBlocker struct{ At, Text, Anchor string }
	pageOther   struct {
		At   string
		Note pageNote
	}
	// pageRow is one script.
	pageRow struct {
		Script, ID string
		Bad, Open  bool
		Chips      []chip
		Notes      []pageNote // about the script as a whole
		Source     []pageSource
		Locks      []pageLock
		More       string
		Facts      []string
		Undo       *pageUndo
	}
	pageLock struct {
		Table, Size, Mode, Blocks, Held, Tone string
		Width                                 int // of the bar, in percent
	}
	pageUndo struct{ Head, Text, Excerpt, Diff string }
	pageLine struct{ Text, Tone string }
	pageDiff struct {
		Name  string
		Lines []pageLine
	}
)

// fewCards is how many scripts are shown open, whatever there is to say of them.
const fewCards = 8

// HTML is the review as one page that loads nothing and runs no script.
func (r *Review) HTML(ctx context.Context) ([]byte, error) {
	p := page{Review: r, Heading: "Migration review: " + r.Verdict(), Setting: r.setting(), Facts: r.facts()}
	p.Style = template.CSS(pageStyle) //nolint:gosec // our own file
	if r.Title != "" {
		p.Heading = r.Title + " – " + p.Heading
	}
	switch {
	case !r.OK():
		p.Tone = "bad"
	case r.count() > 0:
		p.Tone = "good"
	}
	p.cards(r)
	if r.Check != nil {
		p.Summary = r.Check.Summary()
	}
	if h := r.Rehearsal; h != nil {
		p.Warnings = h.Warnings
		before, after, left, err := diagrams(ctx, h.Before, h.After)
		if err != nil {
			return nil, err
		}
		p.Before, p.After = template.HTML(before), template.HTML(after) //nolint:gosec // drawn here, texts escaped
		if left > 0 {
			p.Left = number(left) + " " + plural(left, "table")
		}
		p.SchemaDiff = coloured(h.Diff)
	}
	for _, d := range r.Diffs {
		p.Diffs = append(p.Diffs, pageDiff{d.Name, coloured(d.Text)})
	}
	var out bytes.Buffer
	err := pageTemplate.Execute(&out, p)
	return untrusted.HTML(out.Bytes()), err
}

// cards fills in the scripts, and what blocks the merge with a link to them.
func (p *page) cards(r *Review) {
	anchors := map[string]string{}
	rows := r.rows()
	for i, row := range rows {
		card := r.newPageRow(row)
		card.ID = fmt.Sprintf("s%d", i+1)
		card.Open = card.Open || len(rows) <= fewCards
		anchors[card.Script] = card.ID
		if row.Undo != nil {
			anchors[row.Undo.Script] = card.ID
		}
		p.Rows = append(p.Rows, card)
	}
	for _, b := range r.Blockers() {
		p.Blocking = append(p.Blocking, pageBlocker{b.At(), b.Text, anchors[b.Script]})
	}
	if r.Check != nil {
		for _, f := range r.Check.Findings {
			if !slices.ContainsFunc(rows, func(row row) bool { return row.Script == f.Script }) {
				p.Others = append(p.Others, pageOther{f.At(), r.newPageNote(f, nil)})
			}
		}
	}
	if h := r.Rehearsal; h != nil && h.Failure != nil && anchors[h.Failure.Script] == "" {
		p.Failure = h.Failure
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// maxLocks is how many locks of one script are listed.
const maxLocks = 12

func (r *Review) newPageRow(row row) pageRow {
	p := pageRow{Script: row.Script, Bad: row.Errors > 0 || row.Undo != nil && row.Undo.Fails()}
	if row.Change != "" {
		tone := ""
		if row.Change != "new" && row.Errors > 0 {
			tone = "bad"
		}
		p.Chips = append(p.Chips, chip{row.Change, tone})
	}
	if row.Measured == nil {
		p.Chips = append(p.Chips, chip{"not run", ""})
	} else {
		p.measured(row.Measured, r.Rehearsal.Restored)
	}
	r.notes(&p, row)
	if row.Errors > 0 {
		p.Chips = append(p.Chips, chip{fmt.Sprintf("%d %s", row.Errors, plural(row.Errors, "error")), "bad"})
	}
	p.undo(row.Undo)
	p.Open = p.Open || p.Bad
	return p
}

// measured is what the rehearsal saw of the script.
func (p *pageRow) measured(s *rehearse.Script, restored bool) {
	p.Bad = p.Bad || s.Failed
	if s.Failed {
		p.Chips = append(p.Chips, chip{"failed", "bad"})
	} else {
		p.Chips = append(p.Chips, chip{"ran", ""})
		on := " on made-up rows"
		if restored {
			on = " on the copy"
		}
		p.Facts = append(p.Facts, "Took "+rehearse.Duration(s.DurationMs)+on+".")
	}
	if !s.Transaction {
		p.Chips = append(p.Chips, chip{"outside a transaction", ""})
	}
	for _, t := range s.Rewritten {
		p.Chips = append(p.Chips, chip{"rewrites " + t, "warn"})
	}
	for _, t := range s.Emptied {
		p.Chips = append(p.Chips, chip{"empties " + t, "warn"})
	}
	for _, l := range s.Locks[:min(maxLocks, len(s.Locks))] {
		p.Locks = append(p.Locks, newPageLock(l, s.DurationMs))
	}
	if n := len(s.Locks) - maxLocks; n > 0 {
		p.More = fmt.Sprintf("%d weaker locks are not listed.", n)
	}
	for _, t := range s.Rows {
		p.Facts = append(p.Facts, t.Table+": "+t.Text())
	}
}

// notes lays out the script's text with findings and failure at their lines.
func (r *Review) notes(p *pageRow, row row) {
	notes := map[int][]pageNote{}
	failed := 0
	var excerpt *report.Excerpt
	text := ""
	if r.Rehearsal != nil && r.Rehearsal.Failure != nil && r.Rehearsal.Failure.Script == row.Script {
		f := r.Rehearsal.Failure
		failed, excerpt = f.Line, f.Excerpt
		notes[f.Line] = append(notes[f.Line], newFailureNote(f))
		p.Bad = true
	}
	if r.Check != nil {
		text = r.Check.Texts[row.Script]
		for _, f := range r.Check.Findings {
			if f.Script == row.Script {
				notes[f.Line] = append(notes[f.Line], r.newPageNote(f, row.Measured))
				p.Open = p.Open || f.Level == check.Warning && f.Waived == ""
			}
		}
	}
	if text != "" {
		for line := range notes {
			for i := range notes[line] {
				notes[line][i].Excerpt = "" // the text itself is there
			}
		}
	}
	p.Source = source(text, notes, failed, excerpt)
	p.Notes = noted(notes)
}

func newFailureNote(f *rehearse.Failure) pageNote {
	n := pageNote{Tone: "error", Level: "failed", Rule: f.Code, Message: f.Message, Help: f.Next}
	if f.SQLState != "" {
		n.Rule += ", SQLSTATE " + f.SQLState
	}
	if f.Where != "the new scripts" {
		n.Rule += ", in " + f.Where
	}
	for _, problem := range f.Problems {
		n.Message += "\n" + problem
	}
	n.Excerpt = strings.Join(f.Excerpt.Text(f.Line), "\n")
	return n
}

func (p *pageRow) undo(u *rehearse.Undo) {
	switch {
	case u == nil:
	case u.Skipped != "":
		p.Chips = append(p.Chips, chip{"no undo script", ""})
	case u.Restores:
		p.Chips = append(p.Chips, chip{"undo restores", "good"})
	default:
		p.Chips = append(p.Chips, chip{"undo differs", map[bool]string{true: "bad", false: "warn"}[u.Waived == ""]})
		text := u.Message
		if text != "" {
			text = strings.ToUpper(text[:1]) + text[1:] + "."
		}
		if u.Waived != "" {
			text += " Waived because " + u.Waived
		}
		excerpt := strings.Join(u.Excerpt.Text(u.Line), "\n")
		p.Undo = &pageUndo{u.Script + " does not restore the schema.", text, excerpt, u.Diff}
	}
}

func newPageLock(l rehearse.Lock, duration float64) pageLock {
	p := pageLock{
		Table: l.Table, Mode: strings.TrimSuffix(l.Mode, "Lock"), Blocks: cmp.Or(l.Blocks, "nobody"),
		Held: rehearse.Duration(l.HeldMs),
		Size: fmt.Sprintf("%s rows, %s", number(int(l.Rows)), bytesText(l.Bytes)),
	}
	if l.Bytes == 0 {
		p.Size = "" // a view
	}
	p.Width = int(min(100, 100*l.HeldMs/max(duration, 0.001)))
	p.Tone = map[string]string{"reads and writes": "bad", "writes": "warn"}[l.Blocks]
	if l.Waited {
		p.Held += ", waited for"
	}
	return p
}

func bytesText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d kB", n>>10)
}

func (r *Review) newPageNote(f check.Finding, s *rehearse.Script) pageNote {
	n := pageNote{
		Tone: string(f.Level), Level: string(f.Level), Rule: f.Rule, URL: check.RuleURL(f.Rule),
		Message: f.Message, Help: f.Help, Waiver: f.Waiver(), Waived: f.Waived,
	}
	if r.Rehearsal != nil {
		n.Measured = measuredText(f, s, r.Rehearsal.Restored)
	}
	if f.Waived != "" {
		n.Level, n.Tone, n.Help = "waived", "waived", ""
	}
	return n
}

// coloured are the lines of a diff with what kind each is.
func coloured(text string) []pageLine {
	var list []pageLine
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n "), "\n") {
		tone := ""
		switch start := strings.TrimLeft(line, " │├└─┌┐┘┤┬┴┼|"); {
		case strings.HasPrefix(start, "+"), strings.HasPrefix(start, "[+]"):
			tone = "plus"
		case strings.HasPrefix(start, "-"), strings.HasPrefix(start, "[-]"):
			tone = "minus"
		case strings.HasPrefix(start, "[~]"):
			tone = "tilde"
		}
		list = append(list, pageLine{line, tone})
	}
	return slices.DeleteFunc(list, func(l pageLine) bool { return len(list) == 1 && strings.TrimSpace(l.Text) == "" })
}
