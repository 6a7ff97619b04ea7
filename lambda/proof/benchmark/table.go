package main

import (
	"fmt"
	"slices"
	"strings"
)

// markdown is the whole of table.md.
func (r *results) markdown() string {
	var b strings.Builder
	b.WriteString("# Slipway, measured side by side\n\n")
	b.WriteString("Written by `make bench`; do not edit. Medians with (least–greatest); the runs of all contestants " +
		"are mixed in time.\n\n")
	b.WriteString(r.machine)
	b.WriteString("\n")
	for _, name := range r.names() {
		for _, c := range r.cells {
			if c.name == name {
				fmt.Fprintf(&b, "- **%s**: %s\n", name, c.about)
				break
			}
		}
	}
	b.WriteString("\n## Time\n")
	b.WriteString(head(slices.Concat([]string{"case", "vCPU (as Lambda with)"}, r.names())...))
	for _, c := range r.cases() {
		for _, cpus := range r.cpus() {
			line := []string{c.String(), vCPU(cpus)}
			measured := false
			for _, name := range r.names() {
				x := r.find(c, cpus, name)
				line = append(line, timeOf(x))
				measured = measured || x != nil
			}
			if measured {
				b.WriteString(row(line...))
			}
		}
	}
	b.WriteString("\nAn empty field was not measured: it would take long and say nothing new.\n")
	b.WriteString("\n## Ratios\n")
	b.WriteString(head("case", "vCPU", "recipe / slipway", "flyway / slipway", "slipway / goose", "slipway / java"))
	for _, c := range r.cases() {
		for _, cpus := range r.cpus() {
			s := r.find(c, cpus, "slipway")
			if s == nil {
				continue
			}
			b.WriteString(row(c.String(), fmt.Sprintf("%.2f", cpus), times(ratio(r.find(c, cpus, "recipe"), s)),
				times(ratio(r.find(c, cpus, "flyway"), s)), times(ratio(s, r.find(c, cpus, "goose"))),
				times(ratio(s, r.find(c, cpus, "java")))))
		}
	}
	b.WriteString("\n## CPU time\n\nUser and system, of the process and its children, without the server's. It " +
		"tells what a busy machine hides.\n")
	b.WriteString(head(slices.Concat([]string{"case"}, r.names())...))
	for _, c := range r.cases() {
		line := []string{c.String()}
		for _, name := range r.names() {
			field := ""
			for _, cpus := range r.cpus() {
				if x := r.find(c, cpus, name); x != nil {
					field = seconds(x.cpuMedian())
					break
				}
			}
			line = append(line, field)
		}
		b.WriteString(row(line...))
	}
	b.WriteString("\n## Memory\n\nPeak of the resident sets of the whole process tree, sampled in a run of its own. " +
		"Slipway is told that it has 512 MB (of which Java's heap may take half); plain Flyway takes what Java " +
		"takes by itself.\n")
	b.WriteString(head(slices.Concat([]string{"case"}, r.names())...))
	for _, c := range r.cases() {
		line := []string{c.String()}
		for _, name := range r.names() {
			field := ""
			if x := r.find(c, r.cpus()[0], name); x != nil {
				field = megabytes(x.memory)
			}
			line = append(line, field)
		}
		b.WriteString(row(line...))
	}
	b.WriteString("\n## Targets\n")
	b.WriteString(head("target", "measured", "reached"))
	for _, t := range r.targets() {
		b.WriteString(row(t.text, t.measured, map[bool]string{true: "yes", false: "**no**"}[t.reached]))
	}
	b.WriteString(r.sizing())
	return b.String()
}

func timeOf(c *cell) string {
	if c == nil {
		return ""
	}
	median, low, high := spread(c.walls())
	if len(c.result) == 1 {
		return seconds(median)
	}
	return fmt.Sprintf("%s (%s–%s)", seconds(median), seconds(low), seconds(high))
}
