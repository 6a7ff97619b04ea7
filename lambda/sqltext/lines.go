package sqltext

import "strings"

// Lines tells in which line of a text a place is. It counts from the place that
// was asked for last, so that rising ones cost one pass over the text altogether.
type Lines struct {
	text     string
	at, line int
}

// NewLines begins at the text's first line.
func NewLines(text string) *Lines { return &Lines{text: text, line: 1} }

// Of is the line, from 1, of the byte at that offset. An offset behind the end
// is in the last line.
func (l *Lines) Of(at int) int {
	at = min(at, len(l.text))
	if at < l.at {
		l.line -= strings.Count(l.text[at:l.at], "\n")
	} else {
		l.line += strings.Count(l.text[l.at:at], "\n")
	}
	l.at = at
	return l.line
}
