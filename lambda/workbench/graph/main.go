// Command graph lays diagrams out: it reads a JSON array of Graphviz texts and
// writes one of SVGs, in the same order. It is a program of its own because
// Graphviz, which comes as WebAssembly, is compiled when the program starts,
// into a folder under TMPDIR: its caller gives it a private one.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/goccy/go-graphviz"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "graph:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		return err
	}
	g, err := graphviz.New(ctx)
	if err != nil {
		return err
	}
	defer g.Close() //nolint:errcheck // memory of our own
	drawings := []string{}
	for _, text := range texts {
		graph, err := graphviz.ParseBytes([]byte(text))
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := g.Render(ctx, graph, graphviz.SVG, &out); err != nil {
			return err
		}
		drawings = append(drawings, out.String())
	}
	return json.NewEncoder(os.Stdout).Encode(drawings)
}
