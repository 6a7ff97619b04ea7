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
	r := forecastRun(set, info, c)
	table := history.Table{Schema: c.Schema, Name: cmp.Or(c.Table, history.DefaultTable)}
	rep, err := plan.Forecast(set, info, r.forecastRules(), table, c.Baseline)
	if err != nil {
		return nil, err
	}
	r.report = rep
	r.nameCommands()
	return rep, nil
}

// RepairOf is [plan.RepairOf] under the settings of an environment. Of c, the Flyway
// settings count, and how commands are typed here.
func RepairOf(set *script.Set, info *report.Report, c Config, rows string) (plan.NamedRepair, error) {
	r := forecastRun(set, info, c)
	repair, err := plan.RepairOf(set, info, r.forecastRules(), rows)
	var f *report.Failure
	if errors.As(err, &f) {
		r.report.Fail(f)
		r.nameCommands()
		f.NextStep = r.report.Next
	}
	return repair, err
}

// forecastRun is a run that reaches no database, on the one that info is of.
func forecastRun(set *script.Set, info *report.Report, c Config) *run {
	r := &run{Migrator: &Migrator{Config: c}, set: set, report: &report.Report{}}
	if info != nil {
		d := info.Database
		r.target = database.Target{Host: d.Host, Port: d.Port, Name: d.Name, User: d.User}
	}
	return r
}

// forecastRules are without a version of Flyway: the one there is not known here.
func (r *run) forecastRules() plan.Rules {
	return plan.Rules{OutOfOrder: r.Config.Flyway.OutOfOrder, Repeatable: r.repeatableChecksum}
}
