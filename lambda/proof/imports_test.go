// Package proof is a folder of evidence. Its own test holds who imports whom.
package proof

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rooms are the parts of the project, with what their packages import of it
// besides those of the room itself: other rooms, or single packages of them.
var rooms = map[string][]string{
	"lambda":           nil,
	"lambda/workbench": {"lambda"},
	"lambda/proof":     {"lambda", "lambda/workbench"},
	"infra":            {"lambda/script", "lambda/settings"},
	"infra/local":      {"lambda/report", "lambda/workbench/distribution", "lambda/workbench/postgres"},
}

// room is the innermost part that holds the package.
func room(name string) string {
	for ; name != ""; name = name[:max(strings.LastIndex(name, "/"), 0)] {
		if _, ok := rooms[name]; ok {
			break
		}
	}
	return name
}

// What is shipped, and the tools of a laptop, stand without the evidence. Tests
// import what they like.
func TestImports(t *testing.T) {
	seen := map[string]bool{}
	for _, top := range []string{"lambda", "infra"} {
		// The files are read here: of a program that reads them, the cache of test results knows nothing.
		err := filepath.WalkDir(filepath.Join("..", "..", top), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			folder := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../../")
			from := room(folder)
			seen[from] = true
			for _, other := range imports(t, path) {
				if in := room(other); in != from && !slices.Contains(rooms[from], in) &&
					!slices.Contains(rooms[from], other) {
					t.Errorf("%s imports %s", folder, other)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if len(seen) != len(rooms) {
		t.Errorf("only %v have packages", seen)
	}
}

// imports lists the project's own packages that a file imports.
func imports(t *testing.T, path string) (own []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range file.Imports {
		name, _ := strconv.Unquote(i.Path.Value)
		if name, ok := strings.CutPrefix(name, "slipway/"); ok {
			own = append(own, name)
		}
	}
	return own
}
