// Command faults puts the built program through every fault that a migration
// can meet, with the real Flyway on a real PostgreSQL, and prints for each what
// was promised and what was seen. It ends with 1 when a promise was broken.
//
// Each fault gets a database, a role, a secret and a folder of scripts of its
// own. What all answers have in common (a typed code with a next step within
// the time limit, nothing left behind, a database that is as the report says)
// is checked in one place, lab.answered. It runs on Linux; faults that need
// root say so where there is none, and count as failed under CI=true.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	only := flag.String("only", "", "faults of this name, or whose names begin so and with a dash; several with commas")
	list := flag.Bool("list", false, "list the faults and their promises, run none")
	write := flag.Bool("write", false, "after a full run, write the table into "+tableFolder)
	parallel := flag.Int("parallel", 2, "how many faults at once")
	logs := flag.Bool("logs", false, "print the program's log of faults that failed")
	flag.Parse()

	chosen := choose(*only)
	if len(chosen) == 0 {
		fmt.Fprintf(os.Stderr, "faults: no fault is called %q; -list names them\n", *only)
		os.Exit(2)
	}
	if *list {
		for _, f := range chosen {
			fmt.Printf("%-32s %s\n", f.name, f.promise)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(runAll(ctx, chosen, *parallel, *logs, *only == "", *write))
}

func runAll(ctx context.Context, chosen []fault, parallel int, logs, whole, write bool) int {
	begun := time.Now()
	b, err := newBench(ctx, os.Getenv("JAVA_HOME"), os.Getenv("SLIPWAY_MAVEN_MIRROR"), os.Getenv("PATH"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		return 1
	}
	defer b.close()
	results := b.run(ctx, chosen, parallel, func(r result) {
		fmt.Println(r.line())
		if logs && r.failed() {
			fmt.Println(r.log)
		}
	})
	if ctx.Err() != nil {
		fmt.Fprintln(os.Stderr, "faults: interrupted")
		return 130
	}
	var passed, failed, unrun int
	for _, r := range results {
		switch {
		case r.failed():
			failed++
		case r.cannot != "":
			unrun++
		default:
			passed++
		}
	}
	if whole && failed == 0 && unrun == 0 {
		if problem := keepTable(results, write); problem != "" {
			fmt.Println("FAIL  " + problem)
			failed++
		}
	}
	summary := fmt.Sprintf("%d passed, %d failed", passed, failed)
	if unrun > 0 {
		summary += fmt.Sprintf(", %d could not run", unrun)
		if os.Getenv("CI") == "true" {
			failed += unrun
			summary += " (which under CI=true is a failure)"
		}
	}
	fmt.Printf("%s, in %s\n", summary, time.Since(begun).Round(time.Second))
	if failed > 0 {
		return 1
	}
	return 0
}

// choose lists the faults of those names, all of them for "".
func choose(only string) []fault {
	var chosen []fault
	for _, g := range groups {
		for _, f := range g.faults {
			if only == "" {
				chosen = append(chosen, f)
				continue
			}
			for name := range strings.SplitSeq(only, ",") {
				if f.name == name || strings.HasPrefix(f.name, name+"-") {
					chosen = append(chosen, f)
					break
				}
			}
		}
	}
	return chosen
}
