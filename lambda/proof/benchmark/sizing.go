package main

import (
	"fmt"
	"strings"
)

// Published on-demand prices of Lambda in us-east-1, x86, in US dollars. An assumption: see
// https://aws.amazon.com/lambda/pricing/.
const (
	pricePerGBSecond = 0.0000166667
	pricePerRequest  = 0.0000002
)

// sizing is time and cost by the function's memory. Memory beyond 1,769 MB
// gives more than one CPU, which one thread can't use: 3,008 MB is taken as
// the two CPUs of the first rows, to its advantage (it has 1.7).
func (r *results) sizing() string {
	sizes := []struct {
		memory int
		cpus   float64
	}{{512, 0.29}, {1024, 0.58}, {1769, 1.0}, {3008, most}}
	var b strings.Builder
	for _, c := range []benchCase{{before, 0}, {before, 10}, {before, 1000}} {
		for _, size := range sizes {
			recipe, slipway := r.find(c, size.cpus, "recipe"), r.find(c, size.cpus, "slipway")
			if slipway == nil || len(r.cpus()) == 1 {
				continue
			}
			b.WriteString(row(c.String(), thousands(size.memory)+" MB", timeAndCost(slipway, size.memory),
				timeAndCost(recipe, size.memory)))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n## Memory of the function: time and cost\n\n" +
		fmt.Sprintf("Cost of 1,000 runs, at $%.10f for a GB-second and $%.2f for a million requests (assumed: "+
			"Lambda's list price for x86 in us-east-1).\n", pricePerGBSecond, pricePerRequest*1e6) +
		"The time is the command's: a new sandbox's own start comes on top for both. 3,008 MB stands in the first " +
		"rows' CPU.\n" +
		head("case", "memory", "slipway", "recipe") + b.String()
}

func timeAndCost(c *cell, memory int) string {
	if c == nil {
		return ""
	}
	s := c.median().Seconds()
	gbs := s * float64(memory) / 1024
	return fmt.Sprintf("%s, %.3f GB-s, $%.4f", seconds(c.median()), gbs, 1000*(gbs*pricePerGBSecond+pricePerRequest))
}
