package check

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"slipway/lambda/script"
	"slipway/lambda/workbench/change"
)

// ErrNoTarget says that there is no target branch to tell new scripts from others by.
var ErrNoTarget = errors.New("fixing needs a target branch: name it with --against (make: AGAINST=…)")

const confText = "executeInTransaction=false\n"

// Fix writes the .conf files that new scripts lack whose every statement can't
// run in a transaction, and returns their paths below the scripts' folder. It
// never changes a file that is there, and adds none for a script that the
// target branch has.
func Fix(c *change.Change, o Options) ([]string, error) {
	if c.Against == "" {
		return nil, ErrNoTarget
	}
	texts, err := readTexts(c, o)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, tree := range []change.Tree{c.Tip, c.Base} {
		for _, e := range tree {
			known[e.Key()] = true
			known[e.Path] = true
		}
	}
	var written []string
	for _, t := range texts {
		if !t.read || known[t.Key()] || known[t.path] || !t.lacksConf() {
			continue
		}
		path := t.path + ".conf"
		if _, there := c.Work[path]; there {
			continue
		}
		if err := writeNew(filepath.Join(c.Folder, filepath.FromSlash(path)), confText); err != nil {
			return written, fmt.Errorf("%s could not be written: %w", path, err)
		}
		written = append(written, path)
	}
	return written, nil
}

// lacksConf reports whether a .conf file is all that the script needs.
func (t *text) lacksConf() bool {
	if t.Kind == script.Undo || t.Kind == script.Callback || t.file.NoTransaction || len(t.statements) == 0 {
		return false
	}
	for _, s := range t.statements {
		if !s.OutsideTransaction() {
			return false
		}
	}
	return true
}

// writeNew writes a file that must not be there yet.
func writeNew(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
