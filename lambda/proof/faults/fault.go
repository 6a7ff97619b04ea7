package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
)

// fault is one way in which things go wrong, and what Slipway promises then.
type fault struct {
	name    string
	promise string
	// inject sets the scene, brings the fault about, and checks the answer. It
	// fails through lab.fail and says what it saw through lab.saw; what is seen
	// has to be the same each time, for it stands in the table.
	inject func(*lab)
}

// group is a section of the table.
type group struct {
	title  string
	faults []fault
}

var groups = []group{
	{"Time", timeFaults},
	{"Processes", processFaults},
	{"Flyway's answer", answerFaults},
	{"Reaching the database", reachFaults},
	{"Losing the database", loseFaults},
	{"Locks", lockFaults},
	{"Indexes and non-transactional scripts", indexFaults},
	{"Secrets", secretFaults},
	{"TLS and IAM", trustFaults},
	{"CloudFormation", eventFaults},
	{"Scripts", inputFaults},
	{"Attacks", slices.Concat(attackReleaseFaults, attackInspectorFaults, attackLaptopFaults, attackReviewFaults, attackReplacementFaults, attackSessionFaults)},
	{"Situations", slices.Concat(situationAdviceFaults, situationSessionsFaults, situationScriptFaults, situationHistoriesFaults, situationDatabaseFaults, situationReplacementFaults, situationRepairFaults)},
}

// result is what came of one fault.
type result struct {
	fault
	seen   string
	cannot string // why it could not run here
	err    string // how the promise was broken
	log    string // of the program
	took   time.Duration
}

func (r result) failed() bool { return r.err != "" }

func (r result) line() string {
	mark, seen := "ok  ", r.seen
	switch {
	case r.failed():
		mark, seen = "FAIL", r.err
		if r.seen != "" {
			seen += " (before that: " + r.seen + ")"
		}
	case r.cannot != "":
		mark, seen = "----", "could not run: "+r.cannot
	}
	return fmt.Sprintf("%s  %-30s %5.1fs  %s → %s", mark, r.name, r.took.Seconds(), r.promise, strings.Join(strings.Fields(seen), " "))
}

// run injects the faults, some at once, and answers their results in the
// order of the faults.
func (b *bench) run(ctx context.Context, faults []fault, parallel int, done func(result)) []result {
	results := make([]result, len(faults))
	next := make(chan int)
	var workers sync.WaitGroup
	var printing sync.Mutex
	for range parallel {
		workers.Go(func() {
			for i := range next {
				results[i] = b.one(ctx, i, faults[i])
				printing.Lock()
				done(results[i])
				printing.Unlock()
			}
		})
	}
	for i := range faults {
		if ctx.Err() == nil {
			next <- i
		}
	}
	close(next)
	workers.Wait()
	return results
}

// failed and unable end an injection from inside.
type failed string
type unable string

func (b *bench) one(ctx context.Context, i int, f fault) (r result) {
	begun := time.Now()
	r.fault = f
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	l := &lab{bench: b, ctx: ctx, name: f.name, number: i, dir: filepath.Join(b.dir, f.name), limit: 30 * time.Second, mine: map[uint32]bool{}}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case failed:
			r.err = string(p)
		case unable:
			r.cannot = string(p)
		default:
			r.err = fmt.Sprintf("a defect of the fault itself: %v\n%s", p, debug.Stack())
		}
		l.close()
		r.seen, r.log, r.took = strings.Join(l.seen, "; "), l.log.String(), time.Since(begun)
		if r.err == "" {
			_ = os.RemoveAll(l.dir)
			_ = os.RemoveAll(l.dir + "-server")
		}
	}()
	l.open()
	f.inject(l)
	return r
}
