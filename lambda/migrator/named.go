package migrator

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/lambda/database"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// NewChecksum is what a repair does to the row of one script.
type NewChecksum struct {
	Was int32 `json:"was"` // as the history has it; another one there refuses the repair
	Now int32 `json:"now"` // of the edited script
}

// named is a row that the request names, with what it gets.
type named struct {
	row    database.Row
	script string
	sum    NewChecksum
}

// repairNamed repairs the history by what the request names. Flyway's repair
// goes by the scripts of this image, and after a failed deployment that is the
// former one, which would put back what the next release does not have. So
// failed rows go, named checksums change, in one transaction under both locks,
// and nothing else does.
func (r *run) repairNamed(ctx context.Context) error {
	if err := r.checkOthers(ctx); err != nil {
		return err
	}
	w, err := r.openLocked(ctx)
	if err != nil {
		return err
	}
	defer r.closeWork(w)
	if f := r.unreadableFailure(); f != nil {
		return f
	}
	rows, err := r.namedRows()
	if err != nil {
		return err
	}
	var statements, actions []string
	for _, row := range r.history {
		if !row.Success {
			statements = append(statements, "DELETE FROM "+r.table.String()+thisRow(row)+";")
			actions = append(actions, removal(row))
		}
	}
	for _, n := range rows {
		statements = append(statements, fmt.Sprintf("UPDATE %s SET checksum = %d%s AND checksum = %d;", r.table, n.sum.Now, thisRow(n.row), n.sum.Was))
		actions = append(actions, n.sum.action(n.script))
	}
	if len(statements) == 0 {
		return nil
	}
	if err := r.rewrite(ctx, w, statements); err != nil {
		return err
	}
	r.report.Actions = append(r.report.Actions, actions...)
	if err := r.lookAgain(); err != nil {
		return err
	}
	r.warnOlderScripts(rows)
	return nil
}

func (n NewChecksum) action(name string) string {
	text := fmt.Sprintf("%s: checksum %d → %d", name, n.Was, n.Now)
	if file, err := nameOf(name); err == nil {
		text = "version " + file.Version.String() + ", " + text
	}
	return text
}

func removal(row database.Row) string { return "failed run of " + row.Script + ": removed" }

// nameOf reads the name of a script below its location.
func nameOf(path string) (script.Name, error) {
	return script.ParseName(path[strings.LastIndexByte(path, '/')+1:])
}

// thisRow is the condition that tells a row from all others.
func thisRow(row database.Row) string {
	condition := fmt.Sprintf(" WHERE installed_rank = %d AND coalesce(type, '') = %s", row.Rank, literal(row.Type))
	if row.Version != nil {
		condition += " AND version = " + literal(*row.Version)
	}
	return condition
}

// namedRows finds the rows that the request names, by rank. If one of them is not as
// the request has it, the failure names it, and all others like it.
func (r *run) namedRows() ([]named, error) {
	ranks := map[int]database.Row{}
	for _, row := range r.history {
		ranks[row.Rank] = row
	}
	var rows []named
	var problems []report.Problem
	for _, name := range slices.Sorted(maps.Keys(r.req.Checksums)) {
		row, reason := r.plan.namedRow(name, r.req.Checksums[name], ranks)
		if reason != "" {
			problems = append(problems, report.Problem{Script: name, Reason: reason})
			continue
		}
		rows = append(rows, named{row, name, r.req.Checksums[name]})
	}
	if len(problems) > 0 {
		f := report.Failf(report.ValidationFailed, "Run `slipway info` to see the history as it is now; then name the scripts again.",
			"the history is not as the request has it in %s; nothing was changed", count(len(problems), "script"))
		f.Script, f.Problems = problems[0].Script, problems
		return nil, f
	}
	slices.SortFunc(rows, func(a, b named) int { return a.row.Rank - b.row.Rank })
	return rows, nil
}

// namedRow is the row of the history in which a script of that name stands as applied,
// or why there is none that may get another checksum.
func (p *plan) namedRow(name string, sum NewChecksum, ranks map[int]database.Row) (row database.Row, reason string) {
	file, err := nameOf(name)
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
	case row.Type != typeSQL:
		return row, fmt.Sprintf("the history has version %s with the type %s, not %s", file.Version, row.Type, typeSQL)
	case state == "Deleted" || !row.Success:
		return row, fmt.Sprintf("version %s does not stand in the history as applied: its state is %s", file.Version, state)
	case !sameDescription(row, file.Description):
		return row, fmt.Sprintf("the history has version %s with the description %q", file.Version, row.Description)
	case row.Checksum == nil:
		return row, fmt.Sprintf("the history has version %s without a checksum, so that it fits any script", file.Version)
	case *row.Checksum != sum.Was:
		return row, fmt.Sprintf("the history has version %s with the checksum %d, not %d", file.Version, *row.Checksum, sum.Was)
	}
	return row, ""
}

// warnOlderScripts says what `info` will say until the edited scripts are deployed.
func (r *run) warnOlderScripts(rows []named) {
	own := map[string]int32{}
	for _, f := range r.set.Versioned {
		own[f.Version.Key()] = f.Checksum
	}
	var older []string
	for _, n := range rows {
		v, _ := script.ParseVersion(*n.row.Version)
		if sum, ok := own[v.Key()]; ok && sum != n.sum.Now {
			older = append(older, n.script)
		}
	}
	if len(older) > 0 {
		r.warn("deploy the release with the edited scripts next: the deployed one has %s as before, and `slipway info` calls that edited until then",
			some(older, 5))
	}
}
