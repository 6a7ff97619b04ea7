package plan

import (
	"fmt"
	"slices"
	"strings"

	"slipway/lambda/history"
	"slipway/lambda/script"
)

// NewChecksum is what a repair does to the row of one script.
type NewChecksum struct {
	Was int32 `json:"was"` // as the history has it; another one there refuses the repair
	Now int32 `json:"now"` // of the edited script
}

// Action says what the repair changes, for a script of that name.
func (n NewChecksum) Action(name string) string {
	text := fmt.Sprintf("%s: checksum %d → %d", name, n.Was, n.Now)
	if file, err := NameOf(name); err == nil {
		text = "version " + file.Version.String() + ", " + text
	}
	return text
}

// Removal says that the row of a failed run is removed.
func Removal(row history.Row) string { return "failed run of " + row.Script + ": removed" }

// Deletion says that a script is marked as deleted.
func Deletion(name string) string { return name + ": marked as deleted" }

// NameOf reads the name of a script below its location.
func NameOf(path string) (script.Name, error) {
	return script.ParseName(path[strings.LastIndexByte(path, '/')+1:])
}

// Stands reports whether the row of that rank says that a script was applied, and
// whether that still holds.
func (p *Plan) Stands(rank int) bool {
	return slices.ContainsFunc(p.scripts, func(l listed) bool {
		return l.rank == rank && l.InstalledOn != nil && !slices.Contains([]string{history.Baseline, history.Delete,
			history.Schema}, l.Type) &&
			slices.Contains([]string{"Success", "Out of Order", "Missing", "Future", "Outdated"}, l.State)
	})
}

// NamedRow is the row of the history in which a script of that name stands as applied,
// or why there is none that may get another checksum.
func (p *Plan) NamedRow(name string, sum NewChecksum, ranks map[int]history.Row) (row history.Row, reason string) {
	file, err := NameOf(name)
	switch {
	case err != nil:
		return row, err.Error()
	case file.Kind != script.Versioned:
		return row, "is not a script with a version of its own: only those are compared by their checksums"
	}
	state := ""
	standing := 0
	for _, l := range p.scripts {
		v, err := script.ParseVersion(l.Version)
		if err != nil || l.InstalledOn == nil || v.Compare(file.Version) != 0 {
			continue
		}
		row = ranks[l.rank]
		state = l.State
		if state != "Deleted" {
			standing++
		}
	}
	switch {
	case standing > 1:
		return row, fmt.Sprintf("the history has version %s %d times", file.Version, standing)
	case state == "":
		return row, fmt.Sprintf("the history has no version %s", file.Version)
	case row.Type != history.SQL:
		return row, fmt.Sprintf("the history has version %s with the type %s, not %s", file.Version, row.Type,
			history.SQL)
	case state == "Deleted" || !row.Success:
		return row, fmt.Sprintf("version %s does not stand in the history as applied: its state is %s", file.Version,
			state)
	case !sameDescription(row, file.Description):
		return row, fmt.Sprintf("the history has version %s with the description %q", file.Version, row.Description)
	case row.Checksum == nil:
		return row, fmt.Sprintf("the history has version %s without a checksum, so that it fits any script",
			file.Version)
	case *row.Checksum != sum.Was:
		return row, fmt.Sprintf("the history has version %s with the checksum %d, not %d",
			file.Version, *row.Checksum, sum.Was)
	}
	return row, ""
}
