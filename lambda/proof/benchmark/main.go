// Command benchmark measures Slipway beside what it replaces and what would be
// faster still: on one PostgreSQL, in one run, with the runs of all of them
// mixed, so that what disturbs the machine disturbs them alike.
//
// Contestants are in contestants.go, cases and the number of runs in
// schedule.go. It writes results/table.md and results/plot.svg, and prints the
// former. `make bench` runs it in the project's folder.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	quick := flag.Bool("quick", false, "fewer cases and runs; under 3 minutes")
	out := flag.String("out", "", "folder of the results (default lambda/proof/benchmark/results, with -quick "+
		".slipway/benchmark/results)")
	only := flag.String("only", "", "measure only cases and contestants whose \"case/CPU/contestant\" matches this "+
		"regular expression")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(ctx, *quick, *out, *only); err != nil {
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, quick bool, out, only string) error {
	if out == "" {
		out = "lambda/proof/benchmark/results"
		if quick {
			out = ".slipway/benchmark/results"
		}
	}
	begun := time.Now()
	stage, err := newStage(ctx, os.Stderr)
	if err != nil {
		return err
	}
	defer stage.close()
	quotas, err := newQuotas(os.Stderr, os.Getenv("CI") == "true")
	if err != nil {
		return err
	}
	defer quotas.close()
	cells, err := schedule(quick, only, quotas.cpus(), stage.contestants())
	if err != nil {
		return err
	}
	if err := measureAll(ctx, stage, quotas, cells); err != nil {
		return err
	}
	r := newResults(cells)
	if only == "" || quick {
		if r.firstByte, err = firstBytes(ctx, stage, quotas); err != nil {
			return err
		}
	}
	r.machine = describe(ctx, stage, quick, time.Since(begun))
	return write(out, r)
}

// write puts the results into the folder and prints the table.
func write(folder string, r *results) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	table := r.markdown()
	if err := os.WriteFile(filepath.Join(folder, "table.md"), []byte(table), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "plot.svg"), []byte(r.plot()), 0o644); err != nil {
		return err
	}
	fmt.Print(table)
	fmt.Fprintf(os.Stderr, "written: %s\n", folder)
	return nil
}
