package migrator

import (
	"context"
	"strings"

	"slipway/lambda/database"
	"slipway/lambda/report"
	"slipway/lambda/session"
	"slipway/lambda/sqltext"
)

// checkDetached looks for what a killed run left: a partition that is neither
// attached nor detached, which a pending script is to detach once more.
// PostgreSQL would refuse that, and most other changes of the table.
func (r *run) checkDetached(ctx context.Context) error {
	if !r.detaches() {
		return nil
	}
	halves, err := session.Ask(r.session,
		func(c *database.Conn) ([]database.Half, error) { return c.HalfDetached(ctx) })
	if err != nil {
		return err
	}
	for _, half := range halves {
		for _, f := range r.plan.Pending {
			text, _ := r.scriptText(f.Script, 0)
			if detaches(text, half.Partition) {
				failure := report.Failf(report.PreviousFailed,
					"%s was cut off in an earlier run and left the partition %s half detached; nothing was run",
					f.Script, half.Partition).
					Next("Put `" + half.Finalize() + "` " + inItsPlace(f.Script) + ", then migrate again.")
				failure.Script = f.Script
				return failure
			}
		}
	}
	return nil
}

// inItsPlace says where FINALIZE has to stand: PostgreSQL refuses the DETACH itself from now on.
func inItsPlace(name string) string {
	return "into " + name + " in place of its DETACH (executeInTransaction=false in " + name + ".conf stays)"
}

// detaches reports whether a pending script detaches partitions as transactions of its own.
func (r *run) detaches() bool {
	for _, f := range r.plan.Pending {
		if text, _ := r.scriptText(f.Script, 0); f.NoTransaction && detaches(text, "") {
			return true
		}
	}
	return false
}

// detaches reports whether a script detaches the partition CONCURRENTLY, or any with "".
func detaches(text, partition string) bool {
	if !strings.Contains(strings.ToUpper(text), "DETACH") {
		return false
	}
	for _, s := range sqltext.Split(text) {
		if !strings.HasPrefix(s.Head, "ALTER TABLE") || !s.OutsideTransaction() {
			continue
		}
		if partition == "" || names(text[s.Start:s.End], partition) {
			return true
		}
	}
	return false
}

// finalize is the next step for a script that left a partition half detached, "" where it left none.
func (r *run) finalize(name, text string) string {
	if !detaches(text, "") {
		return ""
	}
	var halves []database.Half
	r.session.AskAtEnd(func(ctx context.Context, c *database.Conn) { halves, _ = c.HalfDetached(ctx) })
	for _, half := range halves {
		if detaches(text, half.Partition) {
			return "It ran outside a transaction and left the partition " + half.Partition + " half detached: put `" +
				half.Finalize() + "` " + inItsPlace(name) + ", run `slipway repair`, then migrate again."
		}
	}
	return ""
}
