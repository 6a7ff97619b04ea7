package review

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"slipway/lambda/workbench/rehearse"
)

// The diagrams are laid out by Graphviz, which a Go module brings along as
// WebAssembly (see command graph): nothing to install, and the page needs no script. Colours are
// stand-ins in the drawing and become classes, so that the page's style
// decides, light or dark.
var colours = map[string]string{
	"#000001": "ink", "#000002": "line", "#000003": "head", "#000004": "plain",
	"#000005": "added", "#000006": "removed", "#000007": "changed", "#000008": "soft",
}

func colour(class string) string {
	for value, name := range colours {
		if name == class {
			return value
		}
	}
	return "black"
}

// maxDrawn is how many tables are drawn when none or all of them changed.
const maxDrawn = 12

// Diagrams are the schema before and after as SVG. Tables that the branch
// leaves alone are drawn when there are few, or when a changed one refers to
// them or they to it; left counts the others.
func diagrams(ctx context.Context, before, after rehearse.Schema) (svgBefore, svgAfter string, left int, err error) {
	shown := chosen(before, after)
	for _, s := range []rehearse.Schema{before, after} {
		n := 0
		for _, t := range s.Tables {
			if !shown[t.Name] {
				n++
			}
		}
		left = max(left, n)
	}
	texts := []string{dotOf(before, after, shown, "removed"), dotOf(after, before, shown, "added")}
	drawings, err := draw(ctx, texts)
	if err != nil {
		return "", "", 0, fmt.Errorf("the diagram: %w", err)
	}
	return drawings[0], drawings[1], left, nil
}

// chosen are the tables to draw.
func chosen(before, after rehearse.Schema) map[string]bool {
	all, changed := map[string]bool{}, map[string]bool{}
	for _, pair := range [][2]rehearse.Schema{{before, after}, {after, before}} {
		other := index(pair[1])
		for _, t := range pair[0].Tables {
			all[t.Name] = true
			if o, ok := other[t.Name]; !ok || !slices.Equal(o.Columns, t.Columns) {
				changed[t.Name] = true
			}
		}
		keys := map[rehearse.ForeignKey]bool{}
		for _, k := range pair[1].Keys {
			keys[k] = true
		}
		for _, k := range pair[0].Keys {
			if !keys[k] {
				changed[k.Table] = true
			}
		}
	}
	if len(all) <= maxDrawn {
		return all
	}
	shown := map[string]bool{}
	for name := range changed {
		shown[name] = true
	}
	for _, s := range []rehearse.Schema{before, after} {
		for _, k := range s.Keys {
			if changed[k.Table] || changed[k.To] {
				shown[k.Table], shown[k.To] = true, true
			}
		}
	}
	return shown
}

func index(s rehearse.Schema) map[string]rehearse.Table {
	m := map[string]rehearse.Table{}
	for _, t := range s.Tables {
		m[t.Name] = t
	}
	return m
}

// graphProgram lays the diagrams out; see its own doc comment for why it is one.
const graphProgram = "slipway/lambda/workbench/graph"

// draw has the texts laid out; an empty one stays empty.
func draw(ctx context.Context, texts []string) ([]string, error) {
	drawings := make([]string, len(texts))
	var drawn []int
	var input []string
	for i, text := range texts {
		if text != "" {
			drawn, input = append(drawn, i), append(input, text)
		}
	}
	if len(input) == 0 {
		return drawings, nil
	}
	private, err := os.MkdirTemp("", "slipway-graph-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private) //nolint:errcheck // a leftover in /tmp is no failure of the review
	in, err := json.Marshal(input)
	if err != nil {
		return nil, err
	}
	var problem bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "run", graphProgram)
	cmd.Env = append(cmd.Environ(), "TMPDIR="+private)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &problem
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(problem.String()))
	}
	var svgs []string
	if err := json.Unmarshal(out, &svgs); err != nil {
		return nil, err
	}
	for i, svg := range svgs {
		drawings[drawn[i]] = styled(svg)
	}
	return drawings, nil
}

// dotOf is one of the two diagrams as Graphviz's text, "" when nothing is to be
// drawn. only names what the other schema lacks.
func dotOf(s, other rehearse.Schema, shown map[string]bool, only string) string {
	ids, others := map[string]int{}, index(other)
	var b strings.Builder
	fmt.Fprintf(&b, "digraph {\nbgcolor=transparent; rankdir=LR; ranksep=0.6; nodesep=0.3;\nnode [shape=plain "+
		"fontname=Courier fontsize=12 fontcolor=%q];\nedge [color=%q arrowsize=0.7];\n", colour("ink"), colour("line"))
	ports := map[string]bool{}
	for _, t := range s.Tables {
		if !shown[t.Name] {
			continue
		}
		ids[t.Name] = len(ids)
		o, there := others[t.Name]
		fmt.Fprintf(&b, "t%d [label=<%s>];\n", ids[t.Name], tableLabel(t, o, there, only, ids[t.Name], ports))
	}
	if len(ids) == 0 {
		return ""
	}
	was := map[rehearse.ForeignKey]bool{}
	for _, k := range other.Keys {
		was[k] = true
	}
	for _, k := range s.Keys {
		from, ok1 := ids[k.Table]
		to, ok2 := ids[k.To]
		if !ok1 || !ok2 {
			continue
		}
		first, _, _ := strings.Cut(k.Columns, ", ")
		tail := fmt.Sprintf("t%d", from)
		if port := fmt.Sprintf("%d.%s", from, first); ports[port] {
			tail += ":" + portName(t(s, k.Table), first)
		}
		style := ""
		if !was[k] {
			style = fmt.Sprintf(" [color=%q penwidth=2]", colour(only))
		}
		fmt.Fprintf(&b, "%s -> t%d:head%s;\n", tail, to, style)
	}
	return b.String() + "}\n"
}

func t(s rehearse.Schema, name string) rehearse.Table { return index(s)[name] }

func portName(t rehearse.Table, column string) string {
	return fmt.Sprintf("c%d", slices.IndexFunc(t.Columns, func(c rehearse.Column) bool { return c.Name == column }))
}

// short are the usual names of types whose full ones make tables wide.
var short = strings.NewReplacer("timestamp with time zone", "timestamptz", "timestamp without time zone", "timestamp",
	"character varying", "varchar",
	"time with time zone", "timetz", "time without time zone", "time", "double precision", "float8")

// maxColumns is how many unchanged columns of a table are drawn.
const maxColumns = 14

func tableLabel(t, other rehearse.Table, there bool, only string, id int, ports map[string]bool) string {
	var b strings.Builder
	head := "head"
	if !there {
		head = only
	}
	kind := ""
	if t.Kind != "table" {
		kind = " (" + t.Kind + ")"
	}
	name := label(t.Name)
	if kind != "" {
		kind = "&#160;" + label(kind[1:])
	}
	fmt.Fprintf(&b, `<table border="0" cellborder="1" cellspacing="0" cellpadding="4" color="%s"><tr><td port="head" bgcolor="%s"><b>%s</b>%s</td></tr>`,
		colour("line"), colour(head), name, kind)
	was := map[string]rehearse.Column{}
	for _, c := range other.Columns {
		was[c.Name] = c
	}
	plain, left := 0, 0
	for i, c := range t.Columns {
		background, mark := "plain", " "
		switch old, ok := was[c.Name]; {
		case !ok:
			background = only
			mark = map[string]string{"added": "+", "removed": "−"}[only]
		case old != c:
			background, mark = "changed", "~"
		default:
			if plain++; plain > maxColumns {
				left++
				continue
			}
		}
		if !there {
			mark = " "
		}
		text := mark + " " + c.Name + " " + short.Replace(c.Type)
		if c.Primary {
			text += " PK"
		} else if c.NotNull {
			text += " *"
		}
		ports[fmt.Sprintf("%d.%s", id, c.Name)] = true
		fmt.Fprintf(&b, `<tr><td port="c%d" align="left" bgcolor="%s">%s</td></tr>`, i, colour(background), label(text))
	}
	if left > 0 {
		fmt.Fprintf(&b, `<tr><td align="left" bgcolor="%s">  … %d more</td></tr>`, colour("plain"), left)
	}
	return b.String() + "</table>"
}

// label is text for Graphviz. Long names are cut, and control characters go.
func label(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 60 {
		s = string(r[:59]) + "…"
	}
	return html.EscapeString(s)
}

var (
	shape   = regexp.MustCompile(`<(polygon|text|path|ellipse|polyline)\b([^>]*?)(/?)>`)
	paint   = regexp.MustCompile(` (fill|stroke)="(#[0-9a-f]{6})"`)
	family  = regexp.MustCompile(` font-family="[^"]*"`)
	comment = regexp.MustCompile(`(?s)<!--.*?-->\n?`)
	titles  = regexp.MustCompile(`<title>[^<]*</title>\n?`)
	groups  = regexp.MustCompile(`<g id="[^"]*" class="[^"]*"`)
)

// styled makes an inline part of the page of Graphviz's file: colours become
// classes, and ids, which two drawings would share, go.
func styled(svg string) string {
	if i := strings.Index(svg, "<svg"); i >= 0 {
		svg = svg[i:]
	}
	svg = comment.ReplaceAllString(svg, "")
	svg = titles.ReplaceAllString(svg, "")
	svg = groups.ReplaceAllString(svg, "<g")
	svg = shape.ReplaceAllStringFunc(svg, func(tag string) string {
		m := shape.FindStringSubmatch(tag)
		var classes []string
		rest := paint.ReplaceAllStringFunc(family.ReplaceAllString(m[2], ""), func(attribute string) string {
			p := paint.FindStringSubmatch(attribute)
			if class, ok := colours[p[2]]; ok {
				classes = append(classes, p[1][:1]+"-"+class)
				return ""
			}
			return attribute
		})
		if len(classes) > 0 {
			rest = ` class="` + strings.Join(classes, " ") + `"` + rest
		}
		return "<" + m[1] + rest + m[3] + ">"
	})
	return smallest(svg)
}

var width = regexp.MustCompile(`<svg width="(\d+)pt"`)

// smallest lets the drawing shrink to its place, but not until its letters are
// too small to read: then its frame scrolls.
func smallest(svg string) string {
	m := width.FindStringSubmatch(svg)
	if m == nil {
		return svg
	}
	points, _ := strconv.Atoi(m[1])
	return strings.Replace(svg, "<svg", fmt.Sprintf(`<svg role="img" style="min-width:%dpt"`, points*62/100), 1)
}
