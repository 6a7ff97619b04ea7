package script

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"slipway/lambda/sqltext"
)

// File is one file of a release.
type File struct {
	Name
	Script   string // path below its location, with slashes: what Flyway records as script
	Location int    // which of the release's locations, from 0
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

	sum  digestOfFile // of its bytes when it was judged; zero where nobody did
	conf digestOfFile // of the .conf beside it
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

// Load reads the folders (and the folders in them, except hidden ones) as one
// release in UTF-8. See [LoadEncoded].
func Load(locations ...string) (*Set, error) { return LoadEncoded("", locations...) }

// LoadEncoded is Load for scripts in the encoding of that IANA name; a .conf
// file can name another for its script. Whatever Flyway would skip in silence
// is a *ReleaseError, with every problem found: a folder that is missing or
// without migrations, a name that means nothing, a file that can't be read or
// decoded, two scripts of one version. So is what Flyway would run besides SQL:
// any file but scripts, their .conf files and texts for people (see [Ignored]).
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
	location int    // that is being read
	root     string // its folder
	set      Set
	problems []Problem
}

func (l *loader) fail(script string, line int, format string, args ...any) {
	l.problems = append(l.problems, Problem{script, line, fmt.Sprintf(format, args...)})
}

func (l *loader) add(f File) {
	l.limits(f)
	if f.Kind != Config {
		if err := f.readConfig(); err != nil {
			l.fail(f.Script+".conf", 0, "%v", err)
			return
		}
	}
	raw, err := f.Bytes()
	if err != nil {
		l.fail(f.Script, 0, "%v", err)
		return
	}
	f.sum = sumOf(raw)
	text, err := f.decoded(raw)
	if err != nil {
		l.fail(f.Script, 0, "%v", err)
		return
	}
	f.Checksum = Checksum(text)
	f.NoTransaction = f.Outside || f.Kind != Config && !f.Inside && sqltext.NeedsNoTransaction(string(text))
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
				l.fail(b.Script, 0, "has version %s, and so has %s: give one of them another version", b.Version,
					a.Script)
			}
		}
	}
	l.pairConfigs()
	called := map[string]string{}
	for _, c := range s.Callbacks {
		name := filepath.Base(c.Path)
		if first, ok := called[name]; ok {
			l.fail(c.Script, 0, "a callback of the same name as %s, which Flyway refuses: give one of them another "+
				"description", first)
		}
		called[name] = c.Script
	}
	seen := map[string]string{}
	for _, r := range s.Repeatable {
		key := strings.ToLower(r.Description)
		if first, ok := seen[key]; ok {
			l.fail(r.Script, 0, "has the description %q, and so has %s: Flyway tells repeatable scripts apart by it",
				r.Description, first)
		}
		seen[key] = r.Script
	}
	if len(l.problems) == 0 && len(s.Versioned)+len(s.Baselines)+len(s.Repeatable) == 0 {
		l.fail(strings.Join(s.Locations, ", "), 0, "no migration here: add a script such as V1__create_orders.sql")
	}
}

// pairConfigs has each .conf file stand beside its script.
func (l *loader) pairConfigs() {
	if len(l.problems) > 0 {
		return
	}
	s := &l.set
	beside := map[string]digestOfFile{}
	for _, f := range slices.Concat(s.Versioned, s.Baselines, s.Repeatable, s.Undo, s.Callbacks) {
		beside[f.Path+".conf"] = f.conf
	}
	for _, c := range s.Configs {
		// Flyway finds it in any case of letters, and in other locations too.
		read, there := beside[c.Path]
		switch {
		case !there:
			script := strings.TrimSuffix(filepath.Base(c.Path), ".conf")
			l.fail(c.Script, 0, "there is no %s beside it, with exactly that spelling", script)
		case read != c.sum:
			l.fail(c.Script, 0, "%v", ErrChanged)
		}
	}
}

// reason is a file error without the path, which stands in front of it already.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
