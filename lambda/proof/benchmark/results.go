package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// results is everything that was measured.
type results struct {
	cells     []*cell
	firstByte []time.Duration
	machine   string
}

func newResults(cells []*cell) *results { return &results{cells: cells} }

// find is the cell of that case, CPU and contestant, nil if it was not measured.
func (r *results) find(c benchCase, cpus float64, who string) *cell {
	for _, x := range r.cells {
		if x.benchCase == c && x.cpus == cpus && x.name == who && len(x.result) > 0 {
			return x
		}
	}
	return nil
}

func (r *results) cases() []benchCase {
	var all []benchCase
	for _, c := range r.cells {
		if !slices.Contains(all, c.benchCase) {
			all = append(all, c.benchCase)
		}
	}
	return all
}

func (r *results) cpus() []float64 {
	var all []float64
	for _, c := range r.cells {
		if !slices.Contains(all, c.cpus) {
			all = append(all, c.cpus)
		}
	}
	return all
}

func (r *results) names() []string {
	var all []string
	for _, c := range r.cells {
		if !slices.Contains(all, c.name) {
			all = append(all, c.name)
		}
	}
	return all
}

// spread is the median of durations, and the least and greatest.
func spread(all []time.Duration) (median, low, high time.Duration) {
	if len(all) == 0 {
		return 0, 0, 0
	}
	sorted := slices.Sorted(slices.Values(all))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2, sorted[0], sorted[n-1]
}

func (c *cell) walls() []time.Duration {
	var all []time.Duration
	for _, m := range c.result {
		all = append(all, m.wall)
	}
	return all
}

func (c *cell) median() time.Duration {
	m, _, _ := spread(c.walls())
	return m
}

// cpuMedian is the median of the CPU time, which a busy machine disturbs less.
func (c *cell) cpuMedian() time.Duration {
	var all []time.Duration
	for _, m := range c.result {
		all = append(all, m.cpu)
	}
	m, _, _ := spread(all)
	return m
}

// ratio is how many times b's time a took, 0 when one is unknown.
func ratio(a, b *cell) float64 {
	if a == nil || b == nil {
		return 0
	}
	return float64(a.median()) / float64(b.median())
}

// seconds prints three digits.
func seconds(d time.Duration) string {
	s := d.Seconds()
	switch {
	case s < 0.1:
		return fmt.Sprintf("%.1f ms", s*1000)
	case s < 1:
		return fmt.Sprintf("%.0f ms", s*1000)
	case s < 10:
		return fmt.Sprintf("%.2f s", s)
	}
	return fmt.Sprintf("%.1f s", s)
}

func times(x float64) string {
	switch {
	case x == 0:
		return "–"
	case x < 10:
		return fmt.Sprintf("%.2f ×", x)
	}
	return fmt.Sprintf("%.0f ×", x)
}

func megabytes(n int64) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
}

// vCPU names an amount of CPU, with the Lambda memory that has it.
func vCPU(cpus float64) string {
	if m, ok := memoryOf[cpus]; ok {
		return fmt.Sprintf("%.2f (%s MB)", cpus, thousands(m))
	}
	return fmt.Sprintf("%.2f", cpus)
}

// memoryOf is the memory, in MB, that gives a Lambda function that much CPU.
var memoryOf = map[float64]int{1.0: 1769, 0.58: 1024, 0.29: 512}

// functionMemory is the memory of a function with at least so much CPU.
func functionMemory(cpus float64) int {
	if m, ok := memoryOf[cpus]; ok {
		return m
	}
	return 3008
}

func thousands(n int) string {
	s := fmt.Sprint(n)
	if len(s) > 3 {
		return s[:len(s)-3] + "," + s[len(s)-3:]
	}
	return s
}

// row and head write a Markdown table.
func row(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

func head(cells ...string) string {
	return "\n" + row(cells...) + "|" + strings.Repeat(" --- |", len(cells)) + "\n"
}
