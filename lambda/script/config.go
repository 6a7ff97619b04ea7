package script

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// readConfig reads the .conf file beside a script, if there is one. Keys are
// those of Flyway's script configuration files, shouldExecute aside, which Flyway 12's open edition
// refuses and 13's takes in part.
func (f *File) readConfig() error {
	raw, err := os.ReadFile(f.Path + ".conf")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("can't be read: %v", reason(err))
	}
	f.conf = sumOf(raw)
	// Flyway reads it in the encoding that the scripts have by default.
	if raw, err = decode(f.Encoding, raw); err != nil {
		return err
	}
	// Flyway replaces placeholders in it, in comments too.
	if i := strings.Index(string(raw), "${"); i >= 0 {
		return fmt.Errorf("line %d: placeholders are not used here, and Flyway would look for one after ${",
			lineAt(raw, i))
	}
	n := 0
	for line := range strings.Lines(string(raw)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if err := f.configure(key, value); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return nil
}

func (f *File) configure(key, value string) error {
	if key == "encoding" {
		f.Encoding = value
		if strings.EqualFold(value, "UTF-8") {
			f.Encoding = ""
		}
		return nil
	}
	yes := strings.EqualFold(value, "true")
	switch {
	case key == "shouldExecute":
		return errors.New("shouldExecute is not used here: which scripts run has to be known before the run, and " +
			"Flyway decides it during the run")
	case key != "executeInTransaction" && key != "placeholderReplacement":
		return fmt.Errorf("unknown key %q: use executeInTransaction, encoding or placeholderReplacement", key)
	case !yes && !strings.EqualFold(value, "false"): // 1 and t are none for Flyway
		return fmt.Errorf("%s is %q, not true or false", key, value)
	case key == "executeInTransaction":
		f.Outside = !yes
		f.Inside = yes
	default:
		f.LiteralPlaceholders = !yes
	}
	return nil
}
