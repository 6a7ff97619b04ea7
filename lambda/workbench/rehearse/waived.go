package rehearse

import (
	"context"
	"maps"
	"slices"

	"slipway/lambda/migrator"
	"slipway/lambda/workbench/check"
)

// repairable are the findings of a check that a deployment refuses until
// `slipway repair` has run.
var repairable = []string{"edited-script", "renamed-script", "deleted-script"}

// allow does what has to be done before a deployment of what the scripts
// waive, so that the rehearsal tells of the rest: it repairs the history, or
// lets versions come out of order. What is not waived stays refused.
func (x *rehearsal) allow(ctx context.Context, merged tree) error {
	result, err := check.Run(ctx, x.change, check.Options{Encoding: x.Encoding, OutOfOrder: x.Flyway.OutOfOrder})
	if err != nil {
		return err
	}
	repair, late := 0, false
	for _, f := range result.Findings {
		switch {
		case slices.Contains(repairable, f.Rule) && f.Waived == "":
			return nil
		case slices.Contains(repairable, f.Rule):
			repair++
		case f.Rule == "version-not-above" && f.Waived != "":
			late = true
		}
	}
	if late {
		x.Flyway.OutOfOrder = true
		x.Flyway.Environment = maps.Clone(x.Flyway.Environment)
		x.Flyway.Environment["FLYWAY_OUT_OF_ORDER"] = "true"
		x.warn("versions ran out of order, as the scripts waive: the deployment needs FLYWAY_OUT_OF_ORDER=true")
	}
	if repair == 0 || len(migrations(x.change.Tip)) == 0 {
		return nil
	}
	if err := merged.rewrite(x.stage); err != nil {
		return err
	}
	if rep, err := x.migrate(ctx, migrator.Request{Command: "repair"}, x.stage); err != nil {
		x.fail("the repair of the history", rep)
		return notMade(err)
	}
	x.warn("the history was repaired first, for what the scripts waive: run `slipway repair` before the deployment")
	return nil
}
