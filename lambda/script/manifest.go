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
	// Digest is the release's name: 12 hex digits over names and checksums of all files.
	Digest string
	// Scripts: name → checksum in 8 hex digits.
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
			m.Scripts[f.Script] = fmt.Sprintf("%08x", uint32(f.Checksum))
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
	for _, f := range slices.SortedFunc(slices.Values(files), func(a, b File) int { return cmp.Compare(a.Script, b.Script) }) {
		fmt.Fprintf(sum, "%s\x00%08x\n", f.Script, uint32(f.Checksum))
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:6])
}
