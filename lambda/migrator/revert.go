package migrator

import (
	"context"

	"slipway/lambda/report"
)

func (r *run) revert(context.Context) error {
	return report.Failf(report.BadRequest, "Use another command.", "revert is not available")
}
