package migration

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"

	"slipway/lambda/script"
)

// Scripts is where a project keeps its scripts; the image has them in the same place.
const Scripts = "sql/postgresql"

// Release is what a deployment would run.
type Release struct {
	Order   int64             // grows with every release
	Digest  string            // its name
	Version string            // its highest one; "0" where all scripts are repeatable
	Scripts map[string]string // script → short checksum
	Older   string            // stands for the scripts that are not listed; "" when all are
}

// CloudFormation hands the function old and new properties in one asynchronous
// call, which holds 256 KB, and the template itself ends at 1 MB.
const listed = 96 << 10

// LoadRelease reads the scripts below root, which are in that encoding ("" is
// UTF-8). The error is a *script.ReleaseError where they make no release.
func LoadRelease(ctx context.Context, root, encoding string) (Release, error) {
	folder := filepath.Join(root, filepath.FromSlash(Scripts))
	set, err := script.LoadEncoded(encoding, folder)
	if err != nil {
		return Release{}, err
	}
	order, err := script.Order(ctx, folder)
	if err != nil {
		return Release{}, err
	}
	m := manifest(set, listed)
	return Release{Order: order, Digest: m.Digest, Version: version(set), Scripts: m.Scripts, Older: m.Older}, nil
}

// version is the one that a database has which the release was applied to.
func version(set *script.Set) string {
	var all []script.Version
	for _, f := range slices.Concat(set.Versioned, set.Baselines) {
		all = append(all, f.Version)
	}
	if len(all) == 0 {
		return "0"
	}
	return script.Highest(all...).String()
}

// manifest lists as many scripts as fit into size bytes. It leaves the oldest out
// by the hundred: one more script then changes one line of `cdk diff`, not three.
func manifest(set *script.Set, size int) script.Manifest {
	for older := 0; ; older += 100 {
		limit := len(set.Versioned) - older
		m := set.Manifest(max(limit, 1))
		if text, _ := json.Marshal(m.Scripts); len(text) <= size || limit <= 1 {
			return m
		}
	}
}
