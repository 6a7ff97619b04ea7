package main

import (
	"fmt"
	"time"
)

// target is a figure that Slipway is to reach, and what was measured.
type target struct {
	text, measured string
	reached        bool
}

// targets judges all that can be told from what was measured.
func (r *results) targets() []target {
	var all []target
	nothing, ten := benchCase{before, 0}, benchCase{before, 10}
	for _, cpus := range r.cpus() {
		at := fmt.Sprintf("at %.2f vCPU", cpus)
		s := r.find(nothing, cpus, "slipway")
		all = r.compare(all, "nothing pending "+at+": at most 1.5 × goose", s, r.find(nothing, cpus, "goose"),
			func(x float64) bool { return x <= 1.5 })
		all = r.compare(all, "nothing pending "+at+": recipe at least 50 × slipway", r.find(nothing, cpus, "recipe"), s,
			func(x float64) bool { return x >= 50 })
	}
	one := 1.0
	if top := r.cpus(); len(top) == 1 {
		one = top[0]
	}
	s := r.find(ten, one, "slipway")
	all = r.compare(all, fmt.Sprintf("10 pending at %.2f vCPU: recipe at least 6 × slipway", one),
		r.find(ten, one, "recipe"), s, func(x float64) bool { return x >= 6 })
	all = r.compare(all, fmt.Sprintf("10 pending at %.2f vCPU: at most 1.15 × bare java", one), s,
		r.find(ten, one, "java"), func(x float64) bool { return x <= 1.15 })
	for _, c := range r.cases() {
		if c.pending < 100 {
			continue
		}
		for _, cpus := range r.cpus() {
			all = r.compare(all, fmt.Sprintf("%s at %.2f vCPU: never slower than plain Flyway (but for 2 %% of noise)",
				c, cpus),
				r.find(c, cpus, "slipway"), r.find(c, cpus, "flyway"), func(x float64) bool { return x <= 1.02 })
		}
	}
	for _, m := range []struct {
		benchCase
		limit int64
	}{{nothing, 40}, {ten, 128}, {benchCase{before, 1000}, 512}, {benchCase{before, 5000}, 512}} {
		if c := r.find(m.benchCase, r.cpus()[0], "slipway"); c != nil && c.memory > 0 {
			all = append(all, target{fmt.Sprintf("%s: at most %d MB of memory", m.benchCase, m.limit),
				megabytes(c.memory), c.memory <= m.limit*1e6})
		}
	}
	if len(r.firstByte) > 0 {
		median, low, high := spread(r.firstByte)
		all = append(all, target{fmt.Sprintf("start of Slipway to the start of Java, 10 pending, at %.2f vCPU: at "+
			"most 30 ms", one),
			fmt.Sprintf("%s (%s–%s)", seconds(median), seconds(low), seconds(high)), median <= 30*time.Millisecond})
	}
	return all
}

func (r *results) compare(all []target, text string, a, b *cell, reached func(float64) bool) []target {
	if a == nil || b == nil {
		return all
	}
	x := ratio(a, b)
	return append(all, target{text, times(x), reached(x)})
}
