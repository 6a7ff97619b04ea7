package review

import (
	"fmt"
	"strings"

	"slipway/lambda/report"
	"slipway/lambda/untrusted"
	"slipway/lambda/workbench/change"
	"slipway/lambda/workbench/check"
	"slipway/lambda/workbench/rehearse"
)

// CommentLimit is how long a comment of CodeCommit may be, in bytes, less a little.
const CommentLimit = 10_000

// detail says how much of each part is shown.
type detail struct{ findings, scripts, diff, text int }

// Markdown is the review as a comment of at most limit bytes, 0 for no limit.
// What does not fit is cut where it is least missed, and says so: the
// infrastructure's diff first, then long lists.
func (r *Review) Markdown(limit int) string {
	text := r.markdown(detail{1 << 20, 1 << 20, 1 << 20, 1 << 20})
	for _, d := range []detail{
		{200, 200, 6000, 2000}, {100, 100, 3000, 1000}, {50, 50, 1500, 600}, {25, 25, 700, 300}, {12, 12, 300, 150},
		{6, 6, 100, 80}, {2, 2, 0, 0},
	} {
		if limit <= 0 || len(text) <= limit {
			return text
		}
		text = r.markdown(d)
	}
	return cut(text, limit)
}

func (r *Review) markdown(d detail) string {
	m := &markdown{detail: d}
	title := "Migration review"
	if r.Title != "" {
		title += " of " + inline(r.Title)
	}
	m.line("## %s: %s\n", title, inline(r.Verdict()))
	m.line("%s\n", inline(r.setting()))
	for _, reason := range r.NotMade {
		m.line("**%s**\n", inline(reason))
	}
	m.withheld(r.Withheld)
	m.scripts(r.rows(), r.Rehearsal != nil && !r.Rehearsal.Restored)
	if r.Check != nil {
		m.findings(r.Check)
	}
	if r.Rehearsal != nil {
		m.rehearsal(r.Rehearsal)
	}
	for _, diff := range r.Diffs {
		m.line("### Infrastructure: %s\n", inline(diff.Name))
		if strings.TrimSpace(diff.Text) == "" {
			m.line("No difference.\n")
			continue
		}
		m.block(diff.Text, d.diff)
	}
	return strings.TrimSpace(m.String()) + "\n"
}

// setting says against what and on what the figures are.
func (r *Review) setting() string {
	var parts []string
	if c := r.Check; c != nil {
		parts = append(parts, headText(c.Head))
		if c.Against == "" {
			parts = append(parts, "No target branch: every script counts as new.")
		} else {
			parts = append(parts, fmt.Sprintf("Against %s (%s).", c.Against, c.Tip))
		}
	}
	if h := r.Rehearsal; h != nil {
		where := "a throw-away PostgreSQL " + h.Server
		if h.Restored {
			where = "a restored copy on PostgreSQL " + h.Server
		}
		parts = append(parts, "Rehearsed on "+where+".")
		if text := h.FilledText(); text != "" {
			parts = append(parts, text)
		}
		if h.Sampling.Samples > 1 {
			parts = append(parts, fmt.Sprintf("Locks were looked at every %s.", rehearse.Duration(h.Sampling.MedianMs)))
		}
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// headText names the branch and the commit, "" outside a repository.
func headText(h change.Head) string {
	if h.Commit == "" {
		return ""
	}
	text := "Commit " + h.Commit
	if h.Branch != "" {
		text = fmt.Sprintf("Branch %s (%s)", h.Branch, h.Commit)
	}
	if h.Uncommitted {
		text += " with changes that are not committed"
	}
	return text + "."
}

type markdown struct {
	strings.Builder
	detail detail
}

func (m *markdown) line(format string, args ...any) { fmt.Fprintf(m, format+"\n", args...) }

// withheld says why the approval wants a person. It is never cut away: a few
// reasons are enough.
func (m *markdown) withheld(reasons []string) {
	if len(reasons) == 0 {
		return
	}
	m.line("**Not approved by this review: a person has to look.** It covers scripts that need no waiver, and " +
		"nothing else.\n")
	const most = 8
	for i, reason := range reasons {
		if i == most {
			m.line("- … %d more", len(reasons)-i)
			break
		}
		m.line("- %s", inline(cut(reason, 200)))
	}
	m.line("")
}

func (m *markdown) scripts(rows []row, madeUp bool) {
	if len(rows) == 0 {
		return
	}
	m.line("| Script | %s | Keeps out | Rewrites | Rows | Undo |",
		map[bool]string{true: "On made-up rows", false: "Takes"}[madeUp])
	m.line("| --- | --- | --- | --- | --- | --- |")
	for i, row := range rows {
		if i == m.detail.scripts {
			m.line("| … %d more | | | | | |", len(rows)-i)
			break
		}
		m.line("| %s | %s | %s | %s | %s | %s |", code(row.Script)+changeText(row), takes(row), keepsOut(row),
			rewrites(row), touched(row), undo(row))
	}
	m.line("")
}

func changeText(r row) string {
	if r.Change == "" || r.Change == "new" {
		return ""
	}
	return ", " + inline(r.Change)
}

func takes(r row) string {
	switch s := r.Measured; {
	case s == nil:
		return "not run"
	case s.Failed:
		return "**failed**"
	default:
		return rehearse.Duration(s.DurationMs)
	}
}

func keepsOut(r row) string {
	if r.Lock == nil {
		return ""
	}
	return fmt.Sprintf("%s of %s, %s", inline(r.Lock.Blocks), code(r.Lock.Table), rehearse.Duration(r.Lock.HeldMs))
}

func rewrites(r row) string {
	if r.Measured == nil {
		return ""
	}
	var parts []string
	for _, t := range r.Measured.Rewritten {
		parts = append(parts, code(t))
	}
	for _, t := range r.Measured.Emptied {
		parts = append(parts, code(t)+" (emptied)")
	}
	return strings.Join(parts, ", ")
}

func touched(r row) string {
	if r.Measured == nil {
		return ""
	}
	var parts []string
	for _, t := range r.Measured.Rows {
		parts = append(parts, code(t.Table)+" "+t.Text())
	}
	if len(parts) > 4 {
		parts = append(parts[:3], fmt.Sprintf("%d more tables", len(parts)-3))
	}
	return strings.Join(parts, "; ")
}

func undo(r row) string {
	switch u := r.Undo; {
	case u == nil:
		return ""
	case u.Skipped != "":
		return "none"
	case u.Restores:
		return "restores"
	case u.Waived != "":
		return "differs, waived"
	}
	return "**does not restore**"
}

func (m *markdown) findings(c *check.Result) {
	if len(c.Findings) == 0 {
		return
	}
	m.line("### Findings\n")
	m.line("%s.\n", inline(c.Summary()))
	for i, f := range c.Findings {
		if i == m.detail.findings {
			m.line("- … %d more", len(c.Findings)-i)
			break
		}
		level := "**" + string(f.Level) + "**"
		if f.Level != check.Error {
			level = string(f.Level)
		}
		text := inline(f.Message)
		switch {
		case f.Waived != "":
			level, text = "waived", text+" *Because "+inline(f.Waived)+"*"
		case f.Help != "":
			text += " " + inline(f.Help)
		}
		m.line("- %s %s %s: %s", code(f.At()), level, rule(f.Rule), text)
	}
	m.line("")
}

func rule(name string) string {
	if url := check.RuleURL(name); url != "" {
		return "[" + name + "](" + url + ")"
	}
	return inline(name)
}

func (m *markdown) rehearsal(h *rehearse.Report) {
	if f := h.Failure; f != nil {
		m.line("### The rehearsal failed\n")
		m.line("**%s** %s\n", inline(f.Code), inline(f.Text()))
		m.excerpt(f.Excerpt, f.Line)
		for _, p := range f.Problems {
			m.line("- %s", inline(p))
		}
		m.line("%s\n", inline(f.Next))
	}
	m.locks(h)
	for _, u := range h.Undo {
		if u.Restores || u.Skipped != "" {
			continue
		}
		m.line("### %s does not restore the schema\n", code(u.Script))
		if u.Waived != "" {
			m.line("*Waived because %s*\n", inline(u.Waived))
		}
		if u.Message != "" {
			m.line("%s\n", inline(u.Message))
		}
		m.excerpt(u.Excerpt, u.Line)
		if u.Diff != "" {
			m.block(u.Diff, m.detail.text)
		}
	}
	if h.Diff != "" {
		m.line("### Schema\n")
		m.block(h.Diff, m.detail.text)
	}
	for _, w := range h.Warnings {
		m.line("Warning: %s\n", inline(w))
	}
}

// excerpt is the part of a script where it failed.
func (m *markdown) excerpt(e *report.Excerpt, line int) {
	if e != nil {
		m.line("%s", untrusted.MarkdownBlock("", strings.Join(e.Text(line), "\n")))
	}
}

// locks lists those that keep somebody out.
func (m *markdown) locks(h *rehearse.Report) {
	n := 0
	for _, s := range h.Scripts {
		for _, l := range s.Locks {
			if l.Blocks == "" {
				continue
			}
			if n++; n == 1 {
				m.line("### Locks\n")
				m.line("| Table | Rows | Lock | Keeps out | Held at most | Script |")
				m.line("| --- | ---: | --- | --- | ---: | --- |")
			}
			if n > m.detail.scripts {
				continue
			}
			m.line("| %s | %s | %s | %s | %s | %s |", code(l.Table), number(int(l.Rows)),
				inline(strings.TrimSuffix(l.Mode, "Lock")), inline(l.Blocks), rehearse.Duration(l.HeldMs),
				code(s.Script))
		}
	}
	if n > m.detail.scripts {
		m.line("| … %d more | | | | | |", n-m.detail.scripts)
	}
	if n > 0 {
		m.line("")
	}
}

// Texts of others in a line, and as code in it.
var (
	inline = untrusted.Markdown
	code   = untrusted.MarkdownCode
)

// block is a fenced text that nothing in it can end.
func (m *markdown) block(text string, limit int) {
	text = strings.TrimRight(text, "\n ")
	if len(text) > limit {
		if limit == 0 {
			m.line("*Cut; see the page.*\n")
			return
		}
		text = cut(text, limit) + "\n(cut; see the page)"
	}
	m.line("%s", untrusted.MarkdownBlock("diff", text))
}

// cut shortens to at most limit bytes, between characters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := max(0, limit-3)
	for end > 0 && s[end]&0xC0 == 0x80 {
		end--
	}
	return s[:end] + "…"
}

// number prints 1234567 as 1,234,567.
func number(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
