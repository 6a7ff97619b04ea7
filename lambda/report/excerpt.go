package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"

	"slipway/lambda/untrusted"
)

// Excerpt is the part of a script where it failed, as the script spells it:
// placeholders stand there by name, never with their values.
type Excerpt struct {
	First int      `json:"first"` // number of the first of these lines in the script, from 1
	Lines []string `json:"lines"` // tabs are spaces, and long lines are cut
	// character of the failed line, as it stands here, from 1; 0 where not known
	Column int `json:"column,omitempty"`
}

const (
	linesBefore = 3   // the failed one
	linesAfter  = 2   // the failed one
	maxLine     = 120 // characters of a line
	tab         = "    "
)

// NewExcerpt returns the lines around the byte at that offset of a script, none
// outside the statement from start to end, and the number of its line. Without
// exact, the place is a line and no character.
func NewExcerpt(text string, start, at, end int, exact bool) (e *Excerpt, line int) {
	at = max(0, min(at, len(text)))
	line = 1 + strings.Count(text[:at], "\n")
	e = &Excerpt{First: line}
	from := 1 + strings.LastIndexByte(text[:at], '\n')
	for top := from; len(e.Lines) < linesBefore && top > max(0, start); e.First-- {
		above := 1 + strings.LastIndexByte(text[:top-1], '\n')
		e.Lines = append([]string{firstOf(text[above:top-1], maxLine)}, e.Lines...)
		top = above
	}
	marked, rest, _ := strings.Cut(text[from:], "\n")
	if exact {
		before := lastOf(marked[:at-from], maxLine*3/4)
		e.Column = 1 + utf8.RuneCountInString(before)
		marked = before + firstOf(marked[at-from:], max(2, maxLine+1-e.Column))
	} else {
		marked = firstOf(marked, maxLine)
	}
	e.Lines = append(e.Lines, marked)
	for range linesAfter {
		if rest == "" || len(text)-len(rest) >= end {
			break
		}
		var next string
		next, rest, _ = strings.Cut(rest, "\n")
		e.Lines = append(e.Lines, firstOf(next, maxLine))
	}
	return e, line
}

// firstOf is a line, or its first characters and an ellipsis.
func firstOf(line string, most int) string {
	r := []rune(clean(line[:min(len(line), most*utf8.UTFMax+1)]))
	if len(r) <= most {
		return string(r)
	}
	return string(r[:most-1]) + "…"
}

// lastOf is a line, or an ellipsis and its last characters.
func lastOf(line string, most int) string {
	r := []rune(clean(line[max(0, len(line)-most*utf8.UTFMax-1):]))
	if len(r) <= most {
		return string(r)
	}
	return "…" + string(r[len(r)-most+1:])
}

func clean(line string) string {
	return strings.ReplaceAll(strings.TrimSuffix(line, "\r"), "\t", tab)
}

// Text is the excerpt with numbers before its lines, the line of that number
// marked, and a caret below its column, as lines for people.
func (e *Excerpt) Text(line int) []string {
	if e == nil {
		return nil
	}
	digits := len(fmt.Sprint(e.First + len(e.Lines) - 1))
	var list []string
	for i, text := range e.Lines {
		mark := " "
		if e.First+i == line {
			mark = ">"
		}
		list = append(list, strings.TrimRight(fmt.Sprintf("%s %*d | %s", mark, digits, e.First+i, untrusted.Line(text)),
			" "))
		if e.First+i == line && e.Column > 0 {
			before := []rune(text)
			before = before[:min(e.Column-1, len(before))]
			list = append(list, fmt.Sprintf("  %*s | %s^", digits, "", blanks(untrusted.Line(string(before)))))
		}
	}
	return list
}

// blanks is as wide on a terminal as s.
func blanks(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch k := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case k == width.EastAsianWide || k == width.EastAsianFullwidth:
			b.WriteString("  ")
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}
