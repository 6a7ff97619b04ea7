package migrator

import (
	"cmp"
	"slices"
	"strings"

	"slipway/lambda/database"
	"slipway/lambda/history"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// Forecast tells what a migrate of the release in set would run on a database
// that nobody here can reach: history is the answer of another release's info
// there, nil where there is none yet. Of c, the Flyway settings and the
// baseline count, and how commands are typed here. The answer is a report of info's form; its code is OK, or
// that of the failure with which migrate would refuse.
func Forecast(set *script.Set, info *report.Report, c Config) (*report.Report, error) {
	r := forecastRun(set, info, c)
	plan, rows, err := r.forecastPlan(info)
	if err != nil {
		return nil, err
	}
	r.report.Undecided = plan.leaveUndecided()
	for _, l := range plan.scripts {
		r.report.Scripts = append(r.report.Scripts, l.Script)
	}
	r.report.SchemaVersionBefore = plan.current.String()
	r.report.SchemaVersionAfter = r.report.SchemaVersionBefore
	r.report.Pending = plan.pendingScripts()
	r.report.Warnings = r.forecastWarnings(plan, rows)
	r.plan, r.table = plan, history.Table{Schema: c.Schema, Name: cmp.Or(c.Table, history.DefaultTable)}
	if f := r.unreadableFailure(); f != nil {
		r.report.Fail(f)
	} else if f := plan.contradiction(); f != nil {
		r.report.Fail(f)
	}
	r.nameCommands()
	return r.report, nil
}

// forecastRun is a run that reaches no database, on the one that history is of.
func forecastRun(set *script.Set, info *report.Report, c Config) *run {
	r := &run{Migrator: &Migrator{Config: c}, set: set}
	r.report = &report.Report{Command: "info", Code: report.OK, Release: set.Manifest(0).Digest}
	if info != nil {
		d := info.Database
		r.report.Database = d
		r.target = database.Target{Host: d.Host, Port: d.Port, Name: d.Name, User: d.User}
	}
	return r
}

func (r *run) forecastPlan(info *report.Report) (*plan, []history.Row, error) {
	var rows []history.Row
	if info != nil {
		rows = rowsOf(info.Scripts)
	}
	p, err := makePlan(r.set, rows, rules{outOfOrder: r.Config.Flyway.OutOfOrder, repeatable: r.repeatableChecksum})
	return p, rows, err
}

func (r *run) forecastWarnings(p *plan, rows []history.Row) []string {
	var out []string
	if warning, ok := p.ahead(); ok {
		out = append(out, warning)
	}
	if warning, ok := p.squash.warning(); ok {
		out = append(out, warning)
	}
	if len(rows) == 0 && r.Config.Baseline != "" {
		out = append(out, "if the database has tables already, it is adopted at version "+r.Config.Baseline+", and scripts up to that one are not run")
	}
	return out
}

// rowsOf makes the history again of what info lists of it: without what was
// cancelled by a later row, which is not listed itself. Of these, a B script's
// row counts all the same: no other B script begins the database.
func rowsOf(scripts []report.Script) []history.Row {
	var rows []history.Row
	for _, s := range scripts {
		if s.InstalledOn == nil || s.State == "Deleted" && !history.IsBaseline(s.Type) || s.Type == history.Delete {
			continue
		}
		row := history.Row{
			Rank: cmp.Or(s.Rank, len(rows)+1), Description: s.Description, Type: s.Type, Script: s.Script, Checksum: s.Checksum,
			InstalledBy: s.InstalledBy, InstalledOn: *s.InstalledOn, Duration: s.Milliseconds, Success: !strings.HasPrefix(s.State, "Failed"),
		}
		if s.Version != "" {
			row.Version = &s.Version
		}
		if row.Description == "" {
			row.Description = history.NoDescription
		}
		rows = append(rows, row)
		if s.State == "Deleted" {
			row.Type = history.Delete
			rows = append(rows, row)
		}
	}
	return slices.Clip(rows)
}
