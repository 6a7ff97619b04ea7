package distribution

import (
	"fmt"
	"io"
	"os"
)

// meter prints how far a download is: one line when it begins, and on a
// terminal a percentage that rewrites that line.
type meter struct {
	out        io.Writer
	name       string
	done, size int64
	percent    int64
	terminal   bool
}

func newMeter(out io.Writer, name string, size int64) *meter {
	m := &meter{out: out, name: name, size: size}
	if out == nil {
		return m
	}
	if file, ok := out.(*os.File); ok {
		info, err := file.Stat()
		m.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	fmt.Fprintf(out, "fetching %s (%s)", name, megabytes(size))
	if !m.terminal {
		fmt.Fprintln(out)
	}
	return m
}

func (m *meter) Write(p []byte) (int, error) {
	m.done += int64(len(p))
	if percent := 100 * m.done / max(m.size, 1); m.terminal && percent > m.percent {
		m.percent = percent
		fmt.Fprintf(m.out, "\rfetching %s (%s) %d%%", m.name, megabytes(m.size), percent)
	}
	return len(p), nil
}

func (m *meter) end() {
	if m.terminal {
		fmt.Fprintln(m.out)
	}
}

func megabytes(n int64) string {
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
