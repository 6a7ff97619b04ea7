package script

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
)

// Manifest names what a deployment would run: the versioned, baseline
// and repeatable scripts, callbacks and .conf files of a release. Undo scripts are not in it.
type Manifest struct {
	// Digest is the release's name: 12 hex digits over names and bytes of all files.
	Digest string
	// Scripts: name → the first 12 hex digits of the SHA-256 of the file's bytes.
	// Flyway's own checksum does not see line ends, and so not that a comment ends.
	Scripts map[string]string
	// Older stands for the scripts that are not listed ("12 scripts, 0a1b2c3d4e5f"); "" when all are.
	Older string
}

// Manifest lists at most limit versioned scripts, the newest ones, and all other
// files; limit 0 lists all. The other scripts still count through Older and Digest.
func (s *Set) Manifest(limit int) Manifest {
	m := Manifest{Scripts: map[string]string{}}
	older := 0
	if limit > 0 {
		older = max(0, len(s.Versioned)-limit)
	}
	for _, files := range [][]File{s.Versioned[older:], s.Baselines, s.Repeatable, s.Callbacks, s.Configs} {
		for _, f := range files {
			m.Scripts[f.Script] = f.short()
		}
	}
	if older > 0 {
		m.Older = fmt.Sprintf("%d scripts, %s", older, digest(s.Versioned[:older]))
	}
	m.Digest = digest(slices.Concat(s.Versioned, s.Baselines, s.Repeatable, s.Callbacks, s.Configs))
	return m
}

func digest(files []File) string {
	sum := sha256.New()
	order := func(a, b File) int {
		return cmp.Or(cmp.Compare(a.Script, b.Script), cmp.Compare(a.Location, b.Location))
	}
	for _, f := range slices.SortedFunc(slices.Values(files), order) {
		fmt.Fprintf(sum, "%s\x00%x\n", f.Script, f.sum)
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:6])
}

func (f File) short() string { return fmt.Sprintf("%x", f.sum[:6]) }
