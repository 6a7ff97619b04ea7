package script

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf16"
)

// File is one file of a release.
type File struct {
	Name
	Script   string // path below its location, with slashes: what Flyway records as script
	Path     string // where to read it
	Checksum int32  // as Flyway would record it, see [Checksum]
	Encoding string // IANA name; "" is UTF-8
	// NoTransaction: Flyway runs the script outside a transaction, by its
	// statements or by executeInTransaction=false beside it.
	NoTransaction bool
	// Outside: executeInTransaction=false stands beside it.
	Outside bool
	// Inside: executeInTransaction=true stands beside it.
	Inside bool
	// LiteralPlaceholders: placeholderReplacement=false stands beside it.
	LiteralPlaceholders bool
}

// Set is a release: the files of all its locations. Undo scripts are kept
// apart: they are not part of what a deployment runs.
type Set struct {
	Versioned  []File // by version
	Baselines  []File // B scripts, by version; a new database starts with the highest
	Repeatable []File // by description, the order in which Flyway runs them
	Undo       []File // by version
	Callbacks  []File // by script
	Configs    []File // by script
	Locations  []string
}

// Problem is one thing wrong with one file (or, with Line 0, with its name).
type Problem struct {
	Script string
	Line   int
	Reason string
}

func (p Problem) String() string {
	if p.Line > 0 {
		return fmt.Sprintf("%s, line %d: %s", p.Script, p.Line, p.Reason)
	}
	return p.Script + ": " + p.Reason
}

// ReleaseError says why the files make no release; nothing may be run from them.
type ReleaseError struct{ Problems []Problem }

func (e *ReleaseError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Load reads the folders (and the folders in them, save hidden ones) as one
// release in UTF-8. See [LoadEncoded].
func Load(locations ...string) (*Set, error) { return LoadEncoded("", locations...) }

// LoadEncoded is Load for scripts in the encoding of that IANA name; a .conf
// file can name another for its script. Whatever Flyway would skip in silence
// is a *ReleaseError, with every problem found: a folder that is missing or
// without migrations, a name that means nothing, a file that can't be read or
// decoded, two scripts of one version.
func LoadEncoded(encoding string, locations ...string) (*Set, error) {
	l := loader{encoding: encoding}
	for _, root := range locations {
		l.folder(root)
	}
	l.set.Locations = locations
	l.finish()
	if len(l.problems) > 0 {
		return nil, &ReleaseError{l.problems}
	}
	return &l.set, nil
}

type loader struct {
	encoding string
	set      Set
	problems []Problem
}

func (l *loader) fail(script string, line int, format string, args ...any) {
	l.problems = append(l.problems, Problem{script, line, fmt.Sprintf(format, args...)})
}

func (l *loader) folder(root string) {
	info, err := os.Stat(root)
	if err != nil {
		l.fail(root, 0, "the folder of the scripts can't be read: %v", reason(err))
		return
	}
	if !info.IsDir() {
		l.fail(root, 0, "not a folder")
		return
	}
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		l.fail(root, 0, "%v", reason(err))
		return
	}
	walk := func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(real, path)
		name = filepath.ToSlash(name)
		if err != nil {
			l.fail(name, 0, "can't be read: %v", reason(err))
			return nil
		}
		if d.IsDir() {
			if name != "." && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		}
		l.entry(real, path, name, d)
		return nil
	}
	_ = filepath.WalkDir(real, walk)
}

func (l *loader) entry(root, path, name string, d fs.DirEntry) {
	if err := CheckPath(name); err != nil {
		l.fail(printable(name), 0, "%v", err)
		return
	}
	if d.Type()&fs.ModeSymlink != 0 {
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			l.fail(name, 0, "a link to nowhere: %v", reason(err))
			return
		}
		if !strings.HasPrefix(target, root+string(filepath.Separator)) {
			l.fail(name, 0, "a link that leads out of the scripts' folder")
			return
		}
		if info, err := os.Stat(target); err == nil && info.IsDir() {
			if strings.HasPrefix(d.Name(), ".") { // as hidden folders, such as Kubernetes' ..data
				return
			}
			l.fail(name, 0, "a link to a folder: name that folder as a location of its own")
			return
		}
	}
	if lower := strings.ToLower(d.Name()); !strings.HasSuffix(lower, ".sql") && !strings.HasSuffix(lower, ".sql.conf") {
		return
	}
	// A pipe would keep its reader waiting forever.
	if !d.Type().IsRegular() {
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			l.fail(printable(name), 0, "not a file")
			return
		}
	}
	parsed, err := ParseName(d.Name())
	if err != nil {
		l.fail(printable(name), 0, "%v", err)
		return
	}
	l.add(File{Name: parsed, Script: name, Path: path, Encoding: l.encoding})
}

// printable keeps a name that holds control characters from breaking a report.
func printable(name string) string {
	if q := fmt.Sprintf("%q", name); q != `"`+name+`"` {
		return q
	}
	return name
}

func (l *loader) add(f File) {
	if f.Kind != Config {
		if err := f.readConfig(); err != nil {
			l.fail(f.Script+".conf", 0, "%v", err)
			return
		}
	}
	text, err := f.Text()
	if err != nil {
		l.fail(f.Script, 0, "%v", err)
		return
	}
	f.Checksum = Checksum(text)
	f.NoTransaction = f.Outside || f.Kind != Config && !f.Inside && needsNoTransaction(string(text))
	switch f.Kind {
	case Versioned:
		l.set.Versioned = append(l.set.Versioned, f)
	case Baseline:
		l.set.Baselines = append(l.set.Baselines, f)
	case Repeatable:
		l.set.Repeatable = append(l.set.Repeatable, f)
	case Undo:
		l.set.Undo = append(l.set.Undo, f)
	case Callback:
		l.set.Callbacks = append(l.set.Callbacks, f)
	case Config:
		l.set.Configs = append(l.set.Configs, f)
	}
}

// Text is the file's content in UTF-8, a byte order mark included.
func (f File) Text() ([]byte, error) {
	raw, err := os.ReadFile(f.Path)
	if err != nil {
		return nil, fmt.Errorf("can't be read: %v", reason(err))
	}
	if raw, err = decode(f.Encoding, raw); err != nil {
		return nil, err
	}
	return raw, checkText(raw)
}

func (l *loader) finish() {
	s := &l.set
	byVersion := func(a, b File) int { return cmp.Or(a.Version.Compare(b.Version), cmp.Compare(a.Script, b.Script)) }
	byScript := func(a, b File) int { return cmp.Compare(a.Script, b.Script) }
	slices.SortFunc(s.Versioned, byVersion)
	slices.SortFunc(s.Baselines, byVersion)
	slices.SortFunc(s.Undo, byVersion)
	slices.SortFunc(s.Callbacks, byScript)
	slices.SortFunc(s.Configs, byScript)
	slices.SortFunc(s.Repeatable, func(a, b File) int {
		return cmp.Or(cmp.Compare(a.Description, b.Description), cmp.Compare(a.Script, b.Script))
	})
	for _, scripts := range [][]File{s.Versioned, s.Baselines, s.Undo} {
		for i := 1; i < len(scripts); i++ {
			if a, b := scripts[i-1], scripts[i]; a.Version.Compare(b.Version) == 0 {
				l.fail(b.Script, 0, "has version %s, and so has %s: give one of them another version", b.Version, a.Script)
			}
		}
	}
	beside := map[string]bool{}
	for _, f := range slices.Concat(s.Versioned, s.Baselines, s.Repeatable, s.Undo, s.Callbacks) {
		beside[f.Path+".conf"] = true
	}
	for _, c := range s.Configs {
		// Flyway finds it in any case of letters, and in other locations too.
		if !beside[c.Path] && len(l.problems) == 0 {
			l.fail(c.Script, 0, "there is no %s beside it, spelt just so", strings.TrimSuffix(filepath.Base(c.Path), ".conf"))
		}
	}
	seen := map[string]string{}
	for _, r := range s.Repeatable {
		if len(utf16.Encode([]rune(r.Description))) > maxDescription {
			l.fail(r.Script, 0, "its description is longer than %d characters: Flyway stores no more of it and would not find it again", maxDescription)
		}
		key := strings.ToLower(r.Description)
		if first, ok := seen[key]; ok {
			l.fail(r.Script, 0, "has the description %q, and so has %s: Flyway tells repeatable scripts apart by it", r.Description, first)
		}
		seen[key] = r.Script
	}
	if len(l.problems) == 0 && len(s.Versioned)+len(s.Baselines)+len(s.Repeatable) == 0 {
		l.fail(strings.Join(s.Locations, ", "), 0, "no migration here: add a script such as V1__create_orders.sql")
	}
}

// maxDescription is how much of a description fits into the history. Flyway
// cuts those of versioned scripts, and compares them cut; a repeatable one is
// known by its description, so that it would be missing and pending for ever.
const maxDescription = 200

// reason is a file error without the path, which stands in front of it already.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
