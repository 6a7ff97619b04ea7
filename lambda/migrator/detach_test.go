package migrator_test

import (
	"fmt"
	"testing"

	"slipway/lambda/migrator"
	"slipway/lambda/report"
)

// A DETACH PARTITION … CONCURRENTLY that was cut off leaves the partition half
// detached, which only FINALIZE ends.
func TestHalfDetachedPartition(t *testing.T) {
	t.Parallel()
	y := newYard(t, map[string]string{"V1__p.sql": `CREATE TABLE p (id int) PARTITION BY LIST (id);
		CREATE TABLE "P one" PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);`})
	y.migrate()
	y.write("V2__d.sql", `ALTER TABLE p DETACH PARTITION "P one" CONCURRENTLY;`)
	y.write("V2__d.sql.conf", "executeInTransaction=false")
	reader := y.connect()
	if _, err := reader.Exec(t.Context(), "BEGIN; SELECT * FROM p"); err != nil {
		t.Fatal(err)
	}
	const half = "SELECT count(*) > 0 FROM pg_inherits WHERE inhdetachpending"
	const finalize = "`ALTER TABLE public.p DETACH PARTITION public.\"P one\" FINALIZE;` into V2__d.sql"
	done := make(chan *report.Report)
	go func() { done <- y.run(t.Context(), migrate) }()
	y.await("the first half", half)
	y.super().exec(`SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'ALTER TABLE p DETACH%'`)
	if rep := <-done; rep.Code != report.MigrationFailed {
		t.Error(rep.Code, rep.Message)
	} else {
		contains(t, "the run that was cut off", rep.Next, finalize, "`slipway repair`")
	}
	contains(t, "the run after it", y.fails(report.PreviousFailed, migrate).Next, finalize, "`slipway repair`")

	// Without a row in the history, as after a kill, the script is pending.
	y.ok(migrator.Request{Command: "repair"})
	y.log.Reset()
	rep := y.fails(report.PreviousFailed, migrate)
	contains(t, "the run after repair", rep.Message+rep.Next, "nothing was run", finalize)
	y.equal("starts", fmt.Sprint(y.starts()), "0")
	if _, err := reader.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	y.write("V2__d.sql", `ALTER TABLE "P one" ALTER COLUMN id SET NOT NULL;`)
	y.write("V2__d.sql.conf", "")
	contains(t, "another change of the partition", y.fails(report.MigrationFailed, migrate).Next, "FINALIZE")
	y.write("V2__d.sql", `ALTER TABLE p DETACH PARTITION "P one" FINALIZE;`)
	y.write("V2__d.sql.conf", "executeInTransaction=false")
	y.migrate()
	y.equal("half detached", y.text(half), "false")

	// Another partition's is no reason to stop.
	y.write("V3__d.sql", "ALTER TABLE p DETACH PARTITION p2 CONCURRENTLY;")
	y.write("V3__d.sql.conf", "executeInTransaction=false")
	y.migrate()
}
