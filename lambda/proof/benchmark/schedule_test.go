package main

import (
	"strings"
	"testing"
	"time"
)

var all = []contestant{
	{name: "recipe", jvm: true, recipe: true}, {name: "flyway", jvm: true}, {name: "java", jvm: true, direct: true},
	{name: "slipway"}, {name: "goose"},
}

func TestScheduleHasWhatTheTargetsNeed(t *testing.T) {
	for _, quick := range []bool{false, true} {
		cells, err := schedule(quick, "", []float64{2, 1, 0.58, 0.29}, all)
		if err != nil {
			t.Fatal(err)
		}
		have := map[string]int{}
		for _, c := range cells {
			have[c.key()] = c.runs
		}
		for _, key := range []string{
			"nothing pending/0.29/recipe", "nothing pending/0.29/slipway", "nothing pending/0.29/goose",
			"nothing pending/0.58/slipway",
			"10 pending/1.00/recipe", "10 pending/1.00/slipway", "10 pending/1.00/java",
		} {
			if have[key] == 0 {
				t.Errorf("quick=%t: %s is not measured", quick, key)
			}
		}
		for _, key := range []string{"1,000 pending/1.00/flyway", "1,000 pending/1.00/slipway",
			"5,000 pending/2.00/flyway", "5,000 pending/2.00/slipway"} {
			if (have[key] == 0) != quick {
				t.Errorf("quick=%t: %s is measured %d times", quick, key, have[key])
			}
		}
	}
	if _, err := schedule(false, "no such", []float64{1}, all); err == nil {
		t.Error("an -only that matches nothing is no error")
	}
}

func TestRunsAreMixed(t *testing.T) {
	few, many := &cell{runs: 2}, &cell{runs: 8}
	turns := order([]*cell{few, many})
	if len(turns) != 10 {
		t.Fatalf("%d turns", len(turns))
	}
	var halves [2]int
	for i, c := range turns {
		if c == few {
			halves[i/5]++
		}
	}
	if halves != [2]int{1, 1} {
		t.Errorf("the runs of one lie in one half: %v", halves)
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		all               []time.Duration
		median, low, high time.Duration
	}{{nil, 0, 0, 0}, {[]time.Duration{5}, 5, 5, 5}, {[]time.Duration{9, 1, 5}, 5, 1, 9},
		{[]time.Duration{4, 1, 2, 9}, 3, 1, 9}} {
		if m, l, h := spread(c.all); m != c.median || l != c.low || h != c.high {
			t.Errorf("%v: %d %d %d", c.all, m, l, h)
		}
	}
}

// results as they might be: everybody takes as long as its name has letters, in seconds.
func madeUp(t *testing.T) *results {
	cells, err := schedule(false, "", []float64{2, 1, 0.58, 0.29}, all)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cells {
		c.result = []measurement{{wall: time.Duration(len(c.name)) * time.Second}}
		c.memory = 64e6
	}
	r := newResults(cells)
	r.firstByte = []time.Duration{20 * time.Millisecond}
	return r
}

func TestTargetsAreJudged(t *testing.T) {
	r := madeUp(t)
	got := map[string]target{}
	for _, x := range r.targets() {
		got[x.text] = x
	}
	for text, want := range map[string]target{
		"nothing pending at 0.29 vCPU: at most 1.5 × goose": {measured: "1.40 ×",
			reached: true},
		"nothing pending at 0.29 vCPU: recipe at least 50 × slipway":                        {measured: "0.86 ×"},
		"10 pending at 1.00 vCPU: at most 1.15 × bare java":                                 {measured: "1.75 ×"},
		"5,000 pending at 2.00 vCPU: never slower than plain Flyway (but for 2 % of noise)": {measured: "1.17 ×"},
		"nothing pending: at most 40 MB of memory":                                          {measured: "64 MB"},
		"10 pending: at most 128 MB of memory": {measured: "64 MB",
			reached: true},
		"start of Slipway to the start of Java, 10 pending, at 1.00 vCPU: at most 30 ms": {measured: "20.0 ms (20.0 ms–20.0 ms)", reached: true},
		"1,000 pending: at most 512 MB of memory": {measured: "64 MB",
			reached: true},
		"nothing pending at 1.00 vCPU: recipe at least 50 × slipway": {measured: "0.86 ×"},
	} {
		if x := got[text]; x.measured != want.measured || x.reached != want.reached {
			t.Errorf("%s: %+v", text, x)
		}
	}
}

func TestTableAndPlot(t *testing.T) {
	r := madeUp(t)
	table := r.markdown()
	for _, want := range []string{
		"| 10 pending | 1.00 (1,769 MB) | 6.00 s | 6.00 s | 4.00 s | 7.00 s | 5.00 s |", "| nothing pending of 1,000 |",
		"7.00 s, 3.500 GB-s, $0.0585", "| **no** |",
	} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q", want)
		}
	}
	plot := r.plot()
	for _, want := range []string{"prefers-color-scheme:dark", ">5,000 pending<", ">7.00 s<", ">10 s<"} {
		if !strings.Contains(plot, want) {
			t.Errorf("the plot lacks %q", want)
		}
	}
	if strings.Contains(plot, ">java<") || strings.Contains(plot, "NaN") || strings.Contains(plot, "Inf") {
		t.Error("the plot has what it should not")
	}
}
