package ground

import (
	"os"
	"path/filepath"
	"strconv"
	"time"
)

func (g *Ground) idle() string { return filepath.Join(g.folder, "idle") }

// Idle makes a function Inactive, as Lambda does after weeks without a call. Its
// first call from now on is refused, and later ones are until that long after
// the first.
func (g *Ground) Idle(function string, comesBackIn time.Duration) error {
	if err := os.MkdirAll(g.idle(), 0o755); err != nil {
		return err
	}
	seconds := strconv.FormatFloat(comesBackIn.Seconds(), 'f', -1, 64)
	return os.WriteFile(filepath.Join(g.idle(), function), []byte(seconds), 0o644)
}
