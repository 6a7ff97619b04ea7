package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
)

// A benchCase is a database's state and a release: how many scripts were
// applied before, and how many the run has to apply.
type benchCase struct {
	applied, pending int
}

func (c benchCase) String() string {
	switch {
	case c.pending > 0:
		return thousands(c.pending) + " pending"
	case c.applied > before:
		return fmt.Sprintf("nothing pending of %s", thousands(c.applied))
	}
	return "nothing pending"
}

// before is how many scripts a database has when a run begins: nobody measures
// the first minute of a project.
const before = 10

// A cell is one measured combination, and its runs.
type cell struct {
	benchCase
	cpus float64
	contestant
	runs   int
	result []measurement
	memory int64 // bytes, peak of the whole process tree, 0 when unknown
	alone  bool  // the run is repeated once to look at its memory
}

func (c *cell) key() string { return fmt.Sprintf("%s/%.2f/%s", c.benchCase, c.cpus, c.name) }

// schedule lists all cells. Runs that take long are few. The longest are left
// out where they would say nothing new: the recipe is three starts of plain
// Flyway, and its work is done in one of them.
func schedule(quick bool, only string, cpus []float64, contestants []contestant) ([]*cell, error) {
	match, err := regexp.Compile(only)
	if err != nil {
		return nil, err
	}
	cases := []benchCase{{before, 0}, {before, 1}, {before, 10}, {before, 100}, {1000, 0}, {before, 1000},
		{before, 5000}}
	if quick {
		cases = []benchCase{{before, 0}, {before, 10}, {before, 300}}
	}
	var cells []*cell
	for _, c := range cases {
		for i, quota := range cpus {
			for _, who := range contestants {
				n := runs(c, quota, who, quick)
				x := &cell{benchCase: c, cpus: quota, contestant: who, runs: n, alone: i == 0}
				if n > 0 && match.MatchString(x.key()) {
					cells = append(cells, x)
				}
			}
		}
	}
	if len(cells) == 0 {
		return nil, fmt.Errorf("no case, CPU and contestant matches %q", only)
	}
	return cells, nil
}

// runs is how often a cell is measured: often where it takes milliseconds.
func runs(c benchCase, cpus float64, who contestant, quick bool) int {
	n := 3
	switch {
	case c.pending >= 5000:
		n = 1
		if cpus < 1 || who.recipe || who.direct {
			return 0
		}
	case c.pending >= 300:
		if cpus < 1 && who.jvm || who.recipe || who.direct {
			return 0
		}
		if cpus < 1 {
			n = 1 // for the costs only
		}
	case c.applied > before && (cpus < 1 || who.recipe):
		return 0
	case (c.pending == 1 || c.pending == 100) && who.recipe:
		return 0
	case cpus == 1 && c.pending == 10:
		n = 7 // two targets hang on it
	case cpus >= 1 && (!who.recipe || c.pending == 0):
		n = 5
	}
	if c.pending == 0 && !who.jvm && c.applied == before {
		n = 41
	} else if c.pending == 0 && !who.jvm {
		n = 9
	} else if c.pending <= 10 && !who.jvm {
		n = 5
	}
	if quick {
		// The slowest quotas belong to the full run, the extremes to both.
		if cpus != 1 && (c.pending > 10 || cpus < 1 && (c.pending > 0 || who.recipe && cpus != 0.29)) {
			return 0
		}
		n = max(1, (n+1)/3)
		if who.recipe || c.pending > 10 || who.jvm && cpus < 1 {
			n = 1
		}
	}
	return n
}

// order spreads the runs of every cell evenly over the whole time.
func order(cells []*cell) []*cell {
	type turn struct {
		at   float64
		cell *cell
	}
	var turns []turn
	for _, c := range cells {
		for i := range c.runs {
			turns = append(turns, turn{(float64(i) + 0.5) / float64(c.runs), c})
		}
	}
	// Whoever comes at the same time has no fixed neighbour, whose traces it would find each time.
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
	slices.SortStableFunc(turns, func(a, b turn) int { return cmp.Compare(a.at, b.at) })
	all := make([]*cell, len(turns))
	for i, t := range turns {
		all[i] = t.cell
	}
	return all
}
