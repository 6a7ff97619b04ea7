package plan

import (
	"cmp"
	"slices"
	"strings"

	"slipway/lambda/history"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// Forecast tells what a migrate of the release in set would run on a database
// that nobody here can reach: info is another release's report of that command
// there, nil where there is none yet. baseline is the version at which a database
// without a history is adopted, "" for none. The result is a report of info's form;
// its code is OK, or that of the failure with which migrate would refuse.
func Forecast(set *script.Set, info *report.Report, rules Rules, table history.Table, baseline string) (*report.Report,
	error) {
	p, rows, err := ofReport(set, info, rules)
	if err != nil {
		return nil, err
	}
	rep := &report.Report{Command: "info", Code: report.OK, Release: set.Manifest(0).Digest}
	if info != nil {
		rep.Database = info.Database
	}
	rep.Undecided = p.LeaveUndecided()
	for _, l := range p.scripts {
		rep.Scripts = append(rep.Scripts, l.Script)
	}
	rep.SchemaVersionBefore = p.Current.String()
	rep.SchemaVersionAfter = rep.SchemaVersionBefore
	rep.Pending = p.PendingScripts()
	rep.Warnings = p.forecastWarnings(rows, baseline)
	if f := p.UnreadableFailure(table); f != nil {
		rep.Fail(f)
	} else if f := p.Contradiction(); f != nil {
		rep.Fail(f)
	}
	return rep, nil
}

// ofReport makes the plan of a release for the database that info is of.
func ofReport(set *script.Set, info *report.Report, rules Rules) (*Plan, []history.Row, error) {
	var rows []history.Row
	if info != nil {
		rows = rowsOf(info.Scripts)
	}
	p, err := Make(set, rows, rules)
	return p, rows, err
}

func (p *Plan) forecastWarnings(rows []history.Row, baseline string) []string {
	var out []string
	if warning, ok := p.Ahead(); ok {
		out = append(out, warning)
	}
	if warning, ok := p.Squash.Warning(); ok {
		out = append(out, warning)
	}
	if len(rows) == 0 && baseline != "" {
		out = append(out, "if the database has tables already, it is adopted at version "+baseline+
			", and scripts up to that one are not run")
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
			Rank: cmp.Or(s.Rank, len(rows)+1), Description: s.Description, Type: s.Type, Script: s.Script,
			Checksum:    s.Checksum,
			InstalledBy: s.InstalledBy, InstalledOn: *s.InstalledOn, Duration: s.Milliseconds,
			Success: !strings.HasPrefix(s.State, "Failed"),
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
