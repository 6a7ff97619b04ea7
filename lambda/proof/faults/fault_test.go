//go:build faults

package faults

import (
	"context"
	"flag"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// fault is one way in which things go wrong, and what Slipway promises then.
type fault struct {
	name    string
	promise string
	// inject sets the scene, brings the fault about, and checks the report. It
	// fails through testbed.fail and says what it saw through testbed.saw; what is
	// seen has to be the same each time, for it stands in the table.
	inject func(*testbed)
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
	{"Attacks", slices.Concat(
		attackReleaseFaults, attackInspectorFaults, attackLaptopFaults, attackReviewFaults, attackReplacementFaults,
		attackSessionFaults,
	)},
	{"Situations", slices.Concat(
		situationAdviceFaults, situationSessionsFaults, situationScriptFaults, situationHistoriesFaults,
		situationDatabaseFaults, situationRightsFaults, situationReplacementFaults, situationRepairFaults,
	)},
}

var updateTables = flag.Bool("update", false, "write what was seen into the tables")

// TestFaults injects every fault, or those that -run chooses, and compares the
// tables of the groups that ran as a whole with what was seen.
func TestFaults(t *testing.T) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	t.Cleanup(stop)
	s := newShared(ctx, t)
	var mu sync.Mutex
	seen := map[string]string{}
	started := 0
	t.Cleanup(func() { // when the last of them is done
		if started == 0 {
			t.Error("-run names no fault")
		}
		for _, g := range groups {
			checkTable(t, g, seen)
		}
	})
	for _, g := range groups {
		for _, f := range g.faults {
			t.Run(f.name, func(t *testing.T) {
				started++
				number := started
				t.Parallel()
				what := s.inject(ctx, t, number, f)
				mu.Lock()
				defer mu.Unlock()
				seen[f.name] = what
			})
		}
	}
}

// inject injects one fault and returns what was seen.
func (s *shared) inject(ctx context.Context, t *testing.T, number int, f fault) (seen string) {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	b := newTestbed(ctx, t, s, number, f)
	f.inject(b)
	seen = strings.Join(b.seen, "; ")
	t.Logf("%4.1f s: %s → %s", time.Since(begun).Seconds(), f.promise, seen)
	return seen
}

func TestNames(t *testing.T) {
	known := map[string]bool{}
	for _, g := range groups {
		for _, f := range g.faults {
			if known[f.name] || !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`).MatchString(f.name) {
				t.Errorf("the name %q is taken or is not a valid one", f.name)
			}
			known[f.name] = true
			if f.promise == "" || strings.Contains(f.promise, "\n") {
				t.Errorf("%s promises %q", f.name, f.promise)
			}
		}
	}
}
