package untrusted

import (
	"fmt"
	"io"
)

// Printer prints lines for people.
type Printer struct {
	W     io.Writer
	Color bool
	Err   error // of the first line that could not be printed; nothing is printed after it
}

// Painted is a text of our own that may hold control characters.
type Painted string

// Line prints a line. Arguments that are strings, errors or have a String
// method are shown by [Indented]; [Painted] ones stay as they are.
func (p *Printer) Line(format string, args ...any) {
	for i, a := range args {
		switch a := a.(type) {
		case Painted:
		case string:
			args[i] = Indented(a)
		case error, fmt.Stringer:
			args[i] = Indented(fmt.Sprint(a))
		}
	}
	if p.Err == nil {
		_, p.Err = fmt.Fprintf(p.W, format+"\n", args...)
	}
}

// Paint is s in that color of ANSI's, where the printer has colors.
func (p *Printer) Paint(code int, s string) Painted {
	if !p.Color {
		return Painted(Line(s))
	}
	return Painted(fmt.Sprintf("\x1b[%dm%s\x1b[0m", code, Line(s)))
}
