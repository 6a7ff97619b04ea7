package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"slipway/lambda/sqltext"
)

// Waiver is a comment that accepts findings:
//
//	-- slipway:allow renaming-column because nothing reads it yet
//	-- slipway:allow-file ban-drop-table because the feature was never released
//	-- slipway:allow deleted-script in V3__x.sql because it never left this branch
//
// allow covers the statement that it stands in, behind or above, and findings
// about the script as a whole; allow-file covers the script; `in` names
// another script, for one that is gone. squawk's own `-- squawk-ignore rule
// because reason` and squawk-ignore-file mean the same. The reason is compulsory.
type Waiver struct {
	Rules  []string
	Script string // the one that it is for
	Reason string
	line   int // where it stands
	// first and last are the lines that it covers; 0 and 0 is the whole script
	first, last int
	used        bool
}

var (
	marker  = regexp.MustCompile(`(?m)^(.*?)--[ \t]*(slipway:allow(?:-file)?|squawk-ignore(?:-file)?)\b([^\n\r]*)`)
	because = regexp.MustCompile(`(?i)\bbecause\b[ \t:]*`)
	inFile  = regexp.MustCompile(`\bin[ \t]+(\S+\.sql)\b`)
	word    = regexp.MustCompile(`[a-z][a-z0-9-]+`)
	// squawkControl are the comments that squawk itself obeys. They are
	// hidden from it: without a reason they count for nothing.
	squawkControl = regexp.MustCompile(`squawk-(ignore|disable)`)
)

// readWaivers finds the waivers of a script.
func readWaivers(path, text string, statements []sqltext.Statement) (waivers []*Waiver, findings []Finding) {
	lines := newLines(text)
	for _, m := range marker.FindAllStringSubmatchIndex(text, -1) {
		at, kind, rest := m[4], text[m[4]:m[5]], text[m[6]:m[7]]
		w := &Waiver{Script: path, line: lines.of(at)}
		head := rest
		if loc := because.FindStringIndex(rest); loc != nil {
			head, w.Reason = rest[:loc[0]], strings.TrimSpace(rest[loc[1]:])
		}
		if in := inFile.FindStringSubmatchIndex(head); in != nil {
			w.Script = head[in[2]:in[3]]
			head = head[:in[0]]
		}
		w.Rules = word.FindAllString(head, -1)
		switch {
		case len(w.Rules) == 0:
			findings = append(findings, Finding{
				Rule: "waiver-without-reason", Level: Error, Script: path, Line: w.line,
				Message: "the waiver names no rule", Help: "Write -- slipway:allow RULE because REASON.",
			})
			continue
		case len(w.Reason) < 3:
			findings = append(findings, Finding{
				Rule: "waiver-without-reason", Level: Error, Script: path, Line: w.line,
				Message: fmt.Sprintf("%s is waived without a reason, so the waiver does not count",
					strings.Join(w.Rules, ", ")),
				Help: fmt.Sprintf("Write -- slipway:allow %s because REASON.", strings.Join(w.Rules, ", ")),
			})
			continue
		}
		if !strings.HasSuffix(kind, "-file") && w.Script == path {
			w.first, w.last = covered(at, statements, lines)
		}
		waivers = append(waivers, w)
	}
	return waivers, findings
}

// covered are the lines of the statement that a comment at that place is about:
// the one around it, or before it on its line, or the next.
func covered(at int, statements []sqltext.Statement, lines lines) (first, last int) {
	here := lines.of(at)
	for i, s := range statements {
		first, last = lines.of(s.Start), lines.of(s.End)
		switch {
		case at > s.End && here > last:
			continue
		case at < s.Start && i > 0 && lines.of(statements[i-1].End) == here:
			return lines.of(statements[i-1].Start), here
		}
		return first, last
	}
	return here, here
}

func (w *Waiver) covers(f Finding) bool {
	inReach := w.last == 0 || f.Line == 0 || f.Rule == "syntax-error" || f.Line >= w.first && f.Line <= w.last
	return w.Script == f.Script && inReach && slices.Contains(w.Rules, f.Rule)
}

// waive marks the findings that scripts accept, and adds what is wrong with waivers.
func (r *Result) waive(texts []*text) {
	var waivers []*Waiver
	for _, t := range texts {
		if !t.read {
			continue
		}
		found, bad := readWaivers(t.path, t.original, sqltext.Split(t.original))
		waivers = append(waivers, found...)
		r.Findings = append(r.Findings, bad...)
	}
	r.waivers = waivers
	for i := range r.Findings {
		f := &r.Findings[i]
		for _, w := range waivers {
			if (f.Level != Note || f.Rule == hiddenRule) && waivable(f.Rule) && w.covers(*f) {
				f.Waived, w.used = w.Reason, true
				break
			}
		}
	}
	linted := map[string]bool{}
	for _, t := range texts {
		linted[t.path] = t.linted
	}
	for _, w := range waivers {
		if !w.used && linted[w.Script] && r.Linter != "" {
			r.add(Finding{
				Rule: "unused-waiver", Level: Note, Script: w.Script, Line: w.line,
				Message: fmt.Sprintf("nothing to waive here by %s", strings.Join(w.Rules, ", ")),
			})
		}
	}
}

// lines tells the line of a place in a text.
type lines []int // where each line begins

func newLines(text string) lines {
	l := lines{0}
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' {
			l = append(l, i+1)
		}
	}
	return l
}

func (l lines) of(at int) int {
	n, found := slices.BinarySearch(l, at)
	if found {
		return n + 1
	}
	return n
}

// WaivedBy is the reason for which a script waives that rule for itself as a
// whole, "" if it does not: for findings that other commands make.
func WaivedBy(path, text, rule string) string {
	waivers, _ := readWaivers(path, text, sqltext.Split(text))
	for _, w := range waivers {
		if w.Script == path && slices.Contains(w.Rules, rule) {
			return w.Reason
		}
	}
	return ""
}
