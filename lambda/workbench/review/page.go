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
	Style                     template.CSS
	Facts                     []fact
	Failure                   *rehearse.Failure
	Rows                      []pageRow
	Findings                  []pageFinding
	Before, After             template.HTML
	Left                      string
	SchemaDiff                []pageLine
	Diffs                     []pageDiff
	Warnings                  []string
}

type (
	fact struct{ Value, Label, Tone string }
	chip struct{ Text, Tone string }
	// pageRow is one script.
	pageRow struct {
		Script string
		Bad    bool
		Chips  []chip
		Locks  []pageLock
		More   string
		Facts  []string
		Undo   *pageUndo
	}
	pageLock struct {
		Table, Size, Mode, Blocks, Held, Tone string
		Width                                 int // of the bar, in percent
	}
	pageUndo    struct{ Head, Text, Diff string }
	pageFinding struct {
		check.Finding
		Tone, URL string
	}
	pageLine struct{ Text, Tone string }
	pageDiff struct {
		Name  string
		Lines []pageLine
	}
)

// HTML is the review as one page that loads nothing and runs no script.
func (r *Review) HTML(ctx context.Context) ([]byte, error) {
	p := page{Review: r, Heading: "Migration review: " + r.Verdict(), Setting: r.setting(), Style: template.CSS(pageStyle)} //nolint:gosec // our own file
	if r.Title != "" {
		p.Heading = r.Title + " – " + p.Heading
	}
	for _, row := range r.rows() {
		p.Rows = append(p.Rows, newPageRow(row))
	}
	if r.Check != nil {
		p.Summary = r.Check.Summary()
		for _, f := range r.Check.Findings {
			p.Findings = append(p.Findings, newPageFinding(f))
		}
	}
	if h := r.Rehearsal; h != nil {
		p.Failure, p.Warnings = h.Failure, h.Warnings
		before, after, left, err := diagrams(ctx, h.Before, h.After)
		if err != nil {
			return nil, err
		}
		p.Before, p.After = template.HTML(before), template.HTML(after) //nolint:gosec // drawn here, texts escaped
		if left > 0 {
			p.Left = fmt.Sprintf("%s tables", number(left))
			if left == 1 {
				p.Left = "one table"
			}
		}
		p.SchemaDiff = coloured(h.Diff)
	}
	for _, d := range r.Diffs {
		p.Diffs = append(p.Diffs, pageDiff{d.Name, coloured(d.Text)})
	}
	p.Facts = r.facts()
	var out bytes.Buffer
	err := pageTemplate.Execute(&out, p)
	return untrusted.HTML(out.Bytes()), err
}

// facts are the figures at the top.
func (r *Review) facts() []fact {
	var list []fact
	toned := func(n int, label, tone string) fact {
		if n == 0 {
			tone = "good"
		}
		return fact{number(n), label, tone}
	}
	if h := r.Rehearsal; h != nil {
		list = append(list, fact{number(len(h.Scripts)), plural(len(h.Scripts), "new script") + " ran", ""})
	}
	if c := r.Check; c != nil {
		list = append(list, toned(c.Failures(), plural(c.Failures(), "error"), "bad"))
		warnings := c.Count(func(f check.Finding) bool { return f.Level == check.Warning && f.Waived == "" })
		list = append(list, fact{number(warnings), plural(warnings, "warning"), map[bool]string{true: "warn"}[warnings > 0]})
	}
	if h := r.Rehearsal; h != nil {
		var longest rehearse.Lock
		rewritten := 0
		for _, s := range h.Scripts {
			rewritten += len(s.Rewritten)
			for _, l := range s.Locks {
				if l.Blocks == "reads and writes" && l.HeldMs > longest.HeldMs {
					longest = l
				}
			}
		}
		if longest.Table != "" {
			list = append(list, fact{rehearse.Duration(longest.HeldMs), "longest time that nobody could read " + longest.Table, "warn"})
		} else {
			list = append(list, fact{"0", "tables that nobody could read", "good"})
		}
		list = append(list, toned(rewritten, plural(rewritten, "table")+" rewritten", "warn"))
		bad, tried := 0, 0
		for _, u := range h.Undo {
			if u.Skipped == "" {
				tried++
			}
			if !u.Restores && u.Skipped == "" {
				bad++
			}
		}
		if tried > 0 {
			list = append(list, fact{fmt.Sprintf("%d of %d", tried-bad, tried), "undo scripts restore the schema", map[bool]string{true: "bad", false: "good"}[bad > 0]})
		}
	}
	return list
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// maxLocks is how many locks of one script are listed.
const maxLocks = 12

func newPageRow(r row) pageRow {
	p := pageRow{Script: r.Script, Bad: r.Errors > 0 || r.Undo != nil && r.Undo.Fails()}
	if r.Change != "" {
		tone := ""
		if r.Change != "new" && r.Errors > 0 {
			tone = "bad"
		}
		p.Chips = append(p.Chips, chip{r.Change, tone})
	}
	s := r.Measured
	if s == nil {
		p.Chips = append(p.Chips, chip{"not run", ""})
	} else {
		p.Bad = p.Bad || s.Failed
		if s.Failed {
			p.Chips = append(p.Chips, chip{"failed", "bad"})
		} else {
			p.Chips = append(p.Chips, chip{"takes " + rehearse.Duration(s.DurationMs), ""})
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
	if r.Errors > 0 {
		p.Chips = append(p.Chips, chip{fmt.Sprintf("%d found", r.Errors), "bad"})
	}
	p.undo(r.Undo)
	return p
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
		p.Undo = &pageUndo{u.Script + " does not restore the schema.", text, u.Diff}
	}
}

func newPageLock(l rehearse.Lock, duration float64) pageLock {
	p := pageLock{
		Table: l.Table, Mode: strings.TrimSuffix(l.Mode, "Lock"), Blocks: cmp.Or(l.Blocks, "nobody"), Held: rehearse.Duration(l.HeldMs),
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

func newPageFinding(f check.Finding) pageFinding {
	p := pageFinding{Finding: f, Tone: string(f.Level), URL: check.RuleURL(f.Rule)}
	if f.Waived != "" {
		p.Level, p.Tone, p.Help = "waived", "waived", ""
	}
	return p
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
