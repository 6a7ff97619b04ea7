package migrator

import (
	"cmp"
	"errors"

	"slipway/lambda/database"
	"slipway/lambda/history"
	"slipway/lambda/plan"
	"slipway/lambda/report"
	"slipway/lambda/script"
)

// Forecast is [plan.Forecast] under the settings of an environment. Of c, the Flyway
// settings and the baseline count, and how commands are typed here.
func Forecast(set *script.Set, info *report.Report, c Config) (*report.Report, error) {
	table := history.Table{Schema: c.Schema, Name: cmp.Or(c.Table, history.DefaultTable)}
	rep, err := plan.Forecast(set, info, c.rules(targetOf(info)), table, c.Baseline)
	if err == nil {
		c.nameCommands(rep)
	}
	return rep, err
}

// RepairOf is [plan.RepairOf] under the settings of an environment. Of c, the Flyway
// settings count, and how commands are typed here.
func RepairOf(set *script.Set, info *report.Report, c Config, rows string) (plan.NamedRepair, error) {
	repair, err := plan.RepairOf(set, info, c.rules(targetOf(info)), rows)
	var f *report.Failure
	if errors.As(err, &f) {
		rep := &report.Report{Next: f.NextStep}
		c.nameCommands(rep)
		f.NextStep = rep.Next
	}
	return repair, err
}

// targetOf is the database that a report is of, without its password.
func targetOf(info *report.Report) database.Target {
	if info == nil {
		return database.Target{}
	}
	d := info.Database
	return database.Target{Host: d.Host, Port: d.Port, Name: d.Name, User: d.User}
}
