package migrator

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"slipway/lambda/flyway"
	"slipway/lambda/script"
)

// locations are the folders that a start of Flyway gets; temporary is one of
// them that has to be removed, "" for none.
type locations struct {
	folders   []string
	temporary string
}

// limitLocks sees to it that transactional scripts, and only they, run with a
// lock_timeout. With one set, CREATE INDEX CONCURRENTLY would die on any older
// snapshot and leave an invalid index. Where a run has both kinds, a callback
// of our own sets it before each script, so that one start of Flyway does.
func (r *run) limitLocks(settings map[string]string) (locations, error) {
	l := locations{folders: r.Config.Locations}
	limit := r.Config.LockTimeout.Milliseconds()
	var outside []string // which of the pending scripts, from 0
	for i, f := range r.plan.pending {
		if f.NoTransaction {
			outside = append(outside, fmt.Sprint(i))
		}
	}
	switch {
	case limit == 0 || len(outside) == len(r.plan.pending) && len(outside) > 0:
		return l, nil
	case len(outside) == 0:
		settings["lock_timeout"] = fmt.Sprint(limit)
		return l, nil
	}
	folder, err := os.MkdirTemp("", "slipway-")
	if err != nil {
		return l, fmt.Errorf("%w: %w", flyway.ErrNoRoom, err)
	}
	l.temporary = folder
	l.folders = append(slices.Clone(l.folders), folder)
	// The scripts applied in this run so far tell which one is next.
	sql := fmt.Sprintf("SELECT set_config('lock_timeout', CASE WHEN (SELECT count(*) FROM %s WHERE installed_rank > %d AND type = 'SQL') IN (%s) THEN '0' ELSE '%d' END, false);\n",
		r.table, lastRank(r.history), strings.Join(outside, ", "), limit)
	files := map[string]string{callbackName: sql, callbackName + ".conf": "placeholderReplacement=false\n"}
	for name, text := range files {
		encoded, err := script.Encode(r.Config.Encoding, text) // as Flyway reads the release
		if err != nil {
			return l, fmt.Errorf("the name of the history's table: %w", err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), encoded, 0o600); err != nil {
			return l, fmt.Errorf("%w: %w", flyway.ErrNoRoom, err)
		}
	}
	return l, nil
}

// callbackName is a callback's name that no release is likely to have as well.
const callbackName = "beforeEachMigrate__slipway_lock_timeout.sql"
