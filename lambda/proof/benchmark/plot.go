package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
	"time"
)

// The plot is written by hand: no library draws one that follows the reader's
// light or dark theme, and it needs nothing but bars.

const (
	plotWidth = 860
	barHeight = 13
	leftEdge  = 190
	rightEdge = 760
)

// colors are told apart by people of all kinds of colour vision (Okabe and Ito), on white and on black.
var colors = map[string]string{
	"recipe": "#d55e00", "flyway": "#e69f00", "slipway": "#0072b2", "goose": "#009e73", "psql": "#8a8a8a",
}

const style = `<style>
text{font:12px system-ui,sans-serif;fill:#24292f}.t{font-weight:600;font-size:14px}.v{font-size:11px}.s{font-weight:600}
.g{stroke:#d0d7de;stroke-width:1}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.g{stroke:#3d444d}}
</style>
`

// plot draws a panel for each case and a group of bars for each CPU quota, on a logarithmic axis.
func (r *results) plot() string {
	var b strings.Builder
	y := 28
	least, most := r.range10()
	x := func(d time.Duration) float64 {
		return leftEdge + (math.Log10(d.Seconds())-least)/(most-least)*(rightEdge-leftEdge)
	}
	text := func(class string, x, y int, anchor, s string) {
		fmt.Fprintf(&b, `<text class="%s" x="%d" y="%d" text-anchor="%s">%s</text>`+"\n", class, x, y, anchor,
			html.EscapeString(s))
	}
	text("t", 10, y, "start", "Time of one run (logarithmic; shorter is better)")
	at := 10
	y += 24
	for _, name := range plotted(r.names()) {
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="11" height="11" rx="2" fill="%s"/>`+"\n", at, y-10, colors[name])
		text("", at+16, y, "start", name)
		at += 34 + 8*len(name)
	}
	top := y + 10
	for _, c := range r.cases() {
		if c.pending == 1 || c.applied > before {
			continue // much like their neighbours: the table has them
		}
		y += 34
		text("t", 10, y, "start", c.String())
		y += 8
		for _, cpus := range r.cpus() {
			begin := y
			for _, name := range plotted(r.names()) {
				cell := r.find(c, cpus, name)
				if cell == nil {
					continue
				}
				end := x(cell.median())
				class := "v"
				if name == "slipway" {
					class = "v s"
				}
				fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="%d" rx="2" fill="%s"><title>%s, %s vCPU, %s: %s</title></rect>`+"\n",
					leftEdge, y, max(1, end-leftEdge), barHeight-2, colors[name], name, vCPU(cpus), c,
					seconds(cell.median()))
				text(class, int(end)+5, y+10, "start", seconds(cell.median()))
				y += barHeight
			}
			if y > begin {
				text("", leftEdge-8, (begin+y)/2+3, "end", vCPU(cpus)+" vCPU")
				y += 7
			}
		}
	}
	var grid strings.Builder
	for e := least; e <= most; e++ {
		d := time.Duration(math.Pow(10, e) * float64(time.Second))
		fmt.Fprintf(&grid, `<line class="g" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`+"\n", x(d), top, x(d), y)
		fmt.Fprintf(&grid, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x(d), y+16, decade(e))
	}
	y += 28
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="Time of one run of Slipway and others">`+"\n",
		plotWidth, y, plotWidth, y) + style + grid.String() + b.String() + "</svg>\n"
}

// plotted leaves the contestant out that is a part of Slipway.
func plotted(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return name == "java" })
}

// range10 are the powers of ten around all medians.
func (r *results) range10() (least, most float64) {
	least, most = math.Inf(1), math.Inf(-1)
	for _, c := range r.cells {
		e := math.Log10(c.median().Seconds())
		least, most = min(least, math.Floor(e)), max(most, math.Ceil(e))
	}
	return least, max(most, least+1)
}

func decade(e float64) string {
	if e < 0 {
		return fmt.Sprintf("%.0f ms", math.Pow(10, e+3))
	}
	return fmt.Sprintf("%.0f s", math.Pow(10, e))
}
