package review

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/lambda/report"
)

const (
	wholeScript = 60  // lines up to which a script is shown in full
	around      = 4   // lines shown before and after a marked one of a longer script
	beginning   = 12  // lines shown of a longer script without a mark
	maxWidth    = 500 // characters of a line
)

// pageSource is a line of a script, or in place of several how many are left out.
type pageSource struct {
	Number              int
	Before, Mark, After string // the line; Mark is the character that PostgreSQL names
	Tone                string
	Notes               []pageNote
	Left                string
}

// pageNote is a finding or a failure below its line.
type pageNote struct {
	Tone, Level, Rule, URL string
	Message, Help          string
	Measured, Waiver       string
	Waived                 string
	Excerpt                string // where the script's text is not at hand
	Remedy                 *pageRemedy
}

type pageRemedy struct {
	Then  string
	Files []pageFile
}

type pageFile struct{ Name, Text string }

// source lays a script out with notes below the lines that they are about. Notes
// of lines that the script does not have stay in the map.
func source(text string, notes map[int][]pageNote, failed int, excerpt *report.Excerpt) []pageSource {
	lines := strings.Split(strings.TrimRight(text, "\n "), "\n")
	if text == "" {
		return nil
	}
	var list []pageSource
	left := 0
	marked := slices.Collect(maps.Keys(notes))
	for i, line := range lines {
		n := i + 1
		if !shownLine(n, len(lines), marked) {
			left++
			continue
		}
		if left > 0 {
			list = append(list, pageSource{Left: leftOut(left)})
			left = 0
		}
		s := pageSource{Number: n, Before: clipped(strings.ReplaceAll(strings.TrimSuffix(line, "\r"), "\t", "    "))}
		if s.Notes = notes[n]; len(s.Notes) > 0 {
			s.Tone = s.Notes[0].Tone
			delete(notes, n)
		}
		if n == failed {
			s.mark(excerpt)
		}
		list = append(list, s)
	}
	if left > 0 {
		list = append(list, pageSource{Left: leftOut(left)})
	}
	return list
}

func leftOut(n int) string {
	if n == 1 {
		return "1 line is left out"
	}
	return fmt.Sprintf("%s lines are left out", number(n))
}

// shownLine reports whether a script of that many lines shows this one.
func shownLine(line, of int, marked []int) bool {
	near := func(n int) bool { return n > 0 && line >= n-around && line <= n+around }
	if of <= wholeScript || slices.ContainsFunc(marked, near) {
		return true
	}
	return line <= beginning && !slices.ContainsFunc(marked, func(n int) bool { return n > 0 })
}

func clipped(line string) string {
	if r := []rune(line); len(r) > maxWidth {
		return string(r[:maxWidth-1]) + "…"
	}
	return line
}

// mark splits the line at the character of the excerpt. One whose beginning was
// cut off names no place here.
func (s *pageSource) mark(e *report.Excerpt) {
	r := []rune(s.Before)
	if e == nil || e.Column < 1 || e.Column > len(r) {
		return
	}
	i := s.Number - e.First
	if i < 0 || i >= len(e.Lines) || strings.HasPrefix(e.Lines[i], "…") {
		return
	}
	at := e.Column - 1
	end := at + 1
	for end < len(r) && isWord(r[at]) && isWord(r[end]) {
		end++
	}
	s.Before, s.Mark, s.After = string(r[:at]), string(r[at:end]), string(r[end:])
}

func isWord(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r > 0x7f
}

// noted sorts notes by their line, 0 for those about the script as a whole.
func noted(notes map[int][]pageNote) []pageNote {
	var list []pageNote
	for _, line := range slices.Sorted(maps.Keys(notes)) {
		list = append(list, notes[line]...)
	}
	return list
}
